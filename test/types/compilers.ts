/**
 * The jobs of this folder as a user compiles them: against the declarations of the packed library, with each compiler and
 * each way of finding modules. Gives back what a compiler said, by file and line.
 */
import { spawn, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const here = join(root, 'test', 'types')

export interface Compiler {
  /** As in `TypeScript 5.5.4, nodenext`. */
  readonly name: string
  /** The package in node_modules. */
  readonly typescript: string
  readonly moduleResolution: 'nodenext' | 'bundler'
}

/** The oldest and the newest one that are supported. */
export const compilers: readonly Compiler[] = ['typescript-5.5', 'typescript'].flatMap((typescript) =>
  (['nodenext', 'bundler'] as const).map((moduleResolution) => ({
    name: `TypeScript ${versionOf(typescript)}, ${moduleResolution}`,
    typescript,
    moduleResolution,
  })),
)

export interface Complaint {
  readonly file: string
  readonly line: number
  /** Without position and code; further lines are explanations. */
  readonly message: string
}

/** Jobs by their path from this folder, such as `mistakes/keys.ts`, as they stand in the repository. */
export function jobsIn(folder: 'good-jobs' | 'mistakes'): ReadonlyMap<string, string> {
  const names = readdirSync(join(here, folder)).filter((name) => name.endsWith('.ts'))
  return new Map(names.sort().map((name) => [`${folder}/${name}`, readFileSync(join(here, folder, name), 'utf8')]))
}

/** Makes an empty folder as that of a user: the library and what it depends on are installed, and the jobs import it by name. */
export function userProject(project: string, jobs: ReadonlyMap<string, string>): void {
  const library = join(project, 'node_modules', 'millrace')
  mkdirSync(library, { recursive: true })
  const { dependencies } = packageJson(root)
  for (const name of Object.keys(dependencies)) {
    mkdirSync(dirname(join(project, 'node_modules', name)), { recursive: true })
    symlinkSync(join(root, 'node_modules', name), join(project, 'node_modules', name), 'junction')
  }
  cpSync(join(root, 'package.json'), join(library, 'package.json'))
  writeFileSync(join(project, 'package.json'), '{ "type": "module" }')
  buildDeclarations(join(library, 'dist'))
  for (const [path, text] of jobs) {
    mkdirSync(dirname(join(project, path)), { recursive: true })
    writeFileSync(join(project, path), asUserText(text))
  }
}

/** What the sources mean to their own compiler is the matter of `npm run check`: here they must give declarations. */
function buildDeclarations(outDir: string): void {
  const sources = ['-p', join(root, 'tsconfig.build.json'), '--customConditions', 'millrace-source']
  const options = ['--emitDeclarationOnly', '--sourceMap', 'false', '--outDir', outDir]
  const { stdout } = spawnSync(process.execPath, [compilerOf('typescript'), ...sources, ...options], {
    encoding: 'utf8',
  })
  if (!existsSync(join(outDir, 'src', 'index.d.ts'))) throw new Error(`The declarations cannot be built:\n${stdout}`)
}

/** Everything that the compiler has to say about the project, declarations of the library included. */
export async function complaints(project: string, { typescript, moduleResolution }: Compiler): Promise<Complaint[]> {
  const config = join(project, `tsconfig.${typescript}.${moduleResolution}.json`)
  const compilerOptions = {
    target: 'ES2022',
    module: moduleResolution === 'nodenext' ? 'nodenext' : 'esnext',
    moduleResolution,
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: false,
    types: [],
    noEmit: true,
    allowImportingTsExtensions: true,
  }
  writeFileSync(config, JSON.stringify({ compilerOptions, include: ['good-jobs', 'mistakes'] }))
  const child = spawn(process.execPath, [compilerOf(typescript), '-p', config, '--pretty', 'false'], { cwd: project })
  let said = ''
  for (const output of [child.stdout, child.stderr])
    output.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
  await new Promise((resolve, reject) => void child.on('close', resolve).on('error', reject))
  return complaintsIn(said)
}

function complaintsIn(said: string): Complaint[] {
  const found: Complaint[] = []
  for (const text of said.split('\n').filter((line) => line.trim() !== '')) {
    const [, file, line, message] = /^(\S[^(]*)\((\d+),\d+\): error TS\d+: (.*)$/.exec(text) ?? []
    const last = found.at(-1)
    if (file !== undefined) found.push({ file, line: Number(line), message: message as string })
    else if (text.startsWith(' ') && last !== undefined)
      found[found.length - 1] = { ...last, message: `${last.message}\n${text}` }
    else found.push({ file: '', line: 0, message: text })
  }
  return found
}

/** The library by its name, and mistakes that nothing hides. */
function asUserText(text: string): string {
  return text
    .replaceAll("'../../../src/index.ts'", "'millrace'")
    .replaceAll("'../../../src/testing/index.ts'", "'millrace/testing'")
    .replaceAll('@ts-expect-error', 'mistake:')
}

function compilerOf(typescript: string): string {
  return join(root, 'node_modules', typescript, 'bin', 'tsc')
}

function versionOf(typescript: string): string {
  return packageJson(join(root, 'node_modules', typescript)).version
}

function packageJson(folder: string): { version: string; dependencies: Readonly<Record<string, string>> } {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
}
