/** The documentation says what is: files that it names exist, links lead somewhere, code in guides is code that compiles. */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { ERROR_CODES } from '../../src/base/error-codes.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

interface Page {
  readonly path: string
  readonly text: string
}

const pages: readonly Page[] = [
  ...['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md'],
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
].map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))

/** Files and folders of the project, wherever they stand in a text; `*` stands for any part of one name. */
const NAMED = /(?<![\w./-])(?:src|machines|test|scripts|examples|docs)\/[\w.*/-]*/g

function missingFiles({ path, text }: Page): string[] {
  const named = [...text.matchAll(NAMED)].map(([name]) => name.replace(/[./]+$/, ''))
  return named.filter((name) => !isThere(name)).map((name) => `${path} names ${name}`)
}

function isThere(name: string): boolean {
  if (!name.includes('*')) return existsSync(join(root, name))
  const folder = join(root, dirname(name))
  const pattern = new RegExp(
    `^${name
      .slice(dirname(name).length + 1)
      .replaceAll('.', '\\.')
      .replaceAll('*', '.*')}$`,
  )
  return existsSync(folder) && readdirSync(folder).some((entry) => pattern.test(entry))
}

function brokenLinks({ path, text }: Page): string[] {
  const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1] as string)
  return links
    .filter((link) => !/^(https?:|mailto:|#)/.test(link))
    .filter((link) => !existsSync(join(root, dirname(path), link.replace(/#.*$/, ''))))
    .map((link) => `${path} links to ${link}`)
}

/**
 * Fences of a guide that say which file they come from: ```ts examples/first-job/job.ts. Code must say so; what stands in
 * a fence of yaml or ini may.
 */
function fences({ path, text }: Page): { readonly page: string; readonly file: string; readonly code: string }[] {
  return [...text.matchAll(/^```(ts|js|yaml|ini)(?:[ \t]+(\S+))?\n([\s\S]*?)^```$/gm)]
    .map(([, language, file, code]) => ({ page: path, file: file ?? `(no file: ${language})`, code: code as string }))
    .filter(({ file }) => !/^\(no file: (yaml|ini)\)$/.test(file))
}

function strayFences(page: Page): string[] {
  return fences(page)
    .filter(({ file, code }) => !existsSync(join(root, file)) || !isPart(code, readFileSync(join(root, file), 'utf8')))
    .map(({ page: where, file }) => `${where}: a code block is no part of ${file}`)
}

/** A part of a file is shown without the indentation that all its lines share. */
function isPart(code: string, text: string): boolean {
  return Array.from({ length: 7 }, (_, depth) => code.replace(/^(?=.)/gm, '  '.repeat(depth))).some((part) =>
    `\n${text}`.includes(`\n${part}`),
  )
}

/** Scripts of npm, programs of this repository, and examples by name. `npx` and `npm exec` are not looked at. */
function missingCommands({ path, text }: Page): string[] {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const runner = readFileSync(join(root, 'examples', 'run.mjs'), 'utf8')
  const missing = [...text.matchAll(/\bnpm run (?:--silent )?([\w:-]+)/g)]
    .filter(([, script = '']) => !(script in scripts))
    .map(([command]) => command)
  for (const [command, program = '', example] of text.matchAll(/\bnode ((?:examples|scripts)\/[\w./-]+)(?: (\w+))?/g)) {
    if (!existsSync(join(root, program))) missing.push(command)
    else if (program === 'examples/run.mjs' && !runner.includes(`\n  ${example}: `)) missing.push(command)
  }
  return missing.map((command) => `${path}: there is no ${command}`)
}

describe('the documentation', () => {
  it('names files that exist', () => {
    expect(pages.flatMap(missingFiles)).toEqual([])
  })

  it('has links that lead somewhere', () => {
    expect(pages.flatMap(brokenLinks)).toEqual([])
  })

  it('would be found out', () => {
    const text = 'See `src/gone.ts`, [this](gone.md).\n```ts examples/first-job/job.ts\nconst gone = 1\n```\n'
    const stray = { path: 'docs/stray.md', text }
    expect([missingFiles(stray).length, brokenLinks(stray).length, strayFences(stray).length]).toEqual([1, 1, 1])
  })

  it('shows code in its guides that stands in a file of examples/', () => {
    const guides = pages.filter(({ path }) => path.startsWith('docs/guides/'))
    expect(guides.flatMap(strayFences)).toEqual([])
    expect(guides.flatMap(fences).length).toBeGreaterThan(2)
  })

  it('leads from the README to each guide', () => {
    const readme = readFileSync(join(root, 'README.md'), 'utf8')
    const guides = readdirSync(join(root, 'docs', 'guides')).map((name) => `docs/guides/${name}`)
    expect(guides.filter((guide) => !readme.includes(`(${guide})`))).toEqual([])
  })

  it('names commands that are there', () => {
    expect(pages.flatMap(missingCommands)).toEqual([])
    expect(missingCommands({ path: 'stray.md', text: '`npm run gone`, `node examples/gone.mjs`' }).length).toBe(2)
    expect(missingCommands({ path: 'stray.md', text: '`node examples/run.mjs gone`' }).length).toBe(1)
  })

  it('has a page that names each example', () => {
    const read = pages.map(({ text }) => text).join('\n')
    const files = readdirSync(join(root, 'examples'), { recursive: true, encoding: 'utf8' })
    const folders = new Set(files.filter((name) => /[/\\].*\./.test(name)).map((name) => dirname(name)))
    expect([...folders].filter((folder) => !read.includes(`examples/${folder}/`))).toEqual([])
  })

  it('has examples that compile', () => {
    const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
    const project = join(root, 'test', 'docs', 'tsconfig.json')
    const { stdout, stderr } = spawnSync(process.execPath, [compiler, '-p', project], { encoding: 'utf8' })
    expect(`${stdout}${stderr}`.split('\n').filter((line) => /^(examples|error)/.test(line))).toEqual([])
  })

  it('numbers its decisions without a gap and lists each', () => {
    const names = readdirSync(join(root, 'docs', 'decisions')).filter((name) => /^\d{4}-/.test(name))
    const index = readFileSync(join(root, 'docs', 'decisions', 'README.md'), 'utf8')
    expect(names.sort().map((name) => Number(name.slice(0, 4)))).toEqual(names.map((_, place) => place + 1))
    expect(names.filter((name) => !index.includes(`(${name})`))).toEqual([])
  })

  it('justifies every dependency, in the version that is installed', () => {
    const page = readFileSync(join(root, 'docs', 'decisions', '0002-dependencies.md'), 'utf8')
    const decision = page.replace(/ +/g, ' ')
    const { dependencies, devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    const all = Object.entries<string>({ ...dependencies, ...devDependencies })
    expect(all.filter(([name, version]) => !decision.includes(`| \`${name}\` | ${version} |`))).toEqual([])
  })
})

describe('docs/ERRORS.md', () => {
  const text = readFileSync(join(root, 'docs', 'ERRORS.md'), 'utf8')
  const sections = new Map(
    text
      .split(/^### /m)
      .slice(1)
      .map((section) => [section.slice(0, section.indexOf('\n')).trim(), section.split(/^## /m)[0] as string]),
  )

  it('has a section for each error code and none for anything else', () => {
    expect([...sections.keys()].sort()).toEqual(Object.keys(ERROR_CODES).sort())
    expect(text.match(/^### /gm)?.length).toBe(sections.size)
  })

  it('says of each whether a restart helps, as the code does', () => {
    const wrong = Object.entries(ERROR_CODES).filter(([code, { restartHelps }]) => {
      const said = [...(sections.get(code) ?? '').matchAll(/^[*_]A restart (helps|does not help)\.[*_]$/gm)]
      return said.length !== 1 || said[0]?.[1] !== (restartHelps ? 'helps' : 'does not help')
    })
    expect(wrong.map(([code]) => code)).toEqual([])
  })

  it('has one paragraph for each that explains it', () => {
    const thin = [...sections].filter(([, section]) => section.length < 150)
    expect(thin.map(([code]) => code)).toEqual([])
  })
})
