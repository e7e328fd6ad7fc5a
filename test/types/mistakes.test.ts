import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Compiler, type Complaint, compilers, complaints, jobsIn, userProject } from './compilers.ts'

/** The list of all mistakes; with MILLRACE_LIST_MISTAKES=1 it is written anew. */
const page = new URL('../../docs/TYPE-MISTAKES.md', import.meta.url)
const { MILLRACE_LIST_MISTAKES: list } = process.env
const goodJobs = jobsIn('good-jobs')
const badJobs = jobsIn('mistakes')

interface Mistake {
  readonly file: string
  /** Of the line that must not compile. */
  readonly line: number
  /** `subject: what is wrong`. */
  readonly sentence: string
}

const mistakes = [...badJobs].flatMap(([file, text]) =>
  text.split('\n').flatMap((line, index): Mistake[] => {
    const sentence = /^\s*\/\/ @ts-expect-error (.*)$/.exec(line)?.[1]
    return sentence === undefined ? [] : [{ file, line: index + 2, sentence }]
  }),
)

const told = new Map<string, readonly Complaint[]>()
let project = ''

beforeAll(async () => {
  project = mkdtempSync(join(tmpdir(), 'millrace-types-'))
  userProject(project, new Map([...goodJobs, ...badJobs]))
  const ask = async (compiler: Compiler) => void told.set(compiler.name, await complaints(project, compiler))
  await Promise.all(compilers.filter(({ moduleResolution }) => moduleResolution === 'nodenext').map(ask))
  await Promise.all(compilers.filter(({ moduleResolution }) => moduleResolution === 'bundler').map(ask))
}, 300_000)

afterAll(() => {
  if (project !== '') rmSync(project, { recursive: true, force: true })
})

describe.each(compilers)('With $name, strict and without skipLibCheck,', ({ name }) => {
  const about = (file: string) => (told.get(name) ?? []).filter((complaint) => complaint.file === file)
  const messagesOf = ({ file, line }: Mistake) =>
    about(file).flatMap((complaint) => (complaint.line === line ? [complaint.message] : []))

  it('the declarations of the library compile', () => {
    const jobs = new Set([...goodJobs.keys(), ...badJobs.keys()])
    expect((told.get(name) ?? []).filter(({ file }) => !jobs.has(file))).toEqual([])
  })

  it.each([...goodJobs.keys()])('the jobs of %s compile', (file) => {
    expect(about(file)).toEqual([])
  })

  it.each([...badJobs.keys()])('each mistake of %s is an error in its own line, and nothing else is one', (file) => {
    const made = mistakes.filter((mistake) => mistake.file === file)
    const accepted = made.filter((mistake) => messagesOf(mistake).length === 0)
    expect(accepted.map(({ line, sentence }) => `${line}: ${sentence}`)).toEqual([])
    const lines = new Set(made.map(({ line }) => line))
    expect(about(file).filter(({ line }) => !lines.has(line))).toEqual([])
  })

  it('each mistake is told in a few words, and not in a type that nobody can read', () => {
    const unreadable = mistakes.flatMap((mistake) =>
      messagesOf(mistake)
        .filter((message) => longestLine(message) > 400 || message.split('\n').length > 14)
        .map((message) => `${mistake.file}:${mistake.line} ${mistake.sentence}\n${message}`),
    )
    expect(unreadable).toEqual([])
  })
})

describe('The jobs of this folder', () => {
  it('need no any, no cast and nothing that silences the compiler', () => {
    for (const [file, text] of [...goodJobs, ...badJobs]) {
      const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')
      expect(code, file).not.toMatch(/\bas (?!const\b)\w+|:\s*any\b|<any>/)
      expect(text, file).not.toMatch(goodJobs.has(file) ? /@ts-/ : /@ts-(?!expect-error)/)
    }
  })

  it('make more than 150 mistakes, each named by its subject and what is wrong', () => {
    expect(mistakes.length).toBeGreaterThan(150)
    for (const { file, line, sentence } of mistakes) expect(sentence, `${file}:${line}`).toMatch(/^\S.*: \S+/)
  })

  it('make the mistakes that docs/TYPE-MISTAKES.md lists, with what compilers say of them', () => {
    if (list !== undefined) writeFileSync(page, table())
    expect(readFileSync(page, 'utf8')).toBe(table())
  })

  it('make each mistake once', () => {
    const code = mistakes.map(({ file, line }) => badJobs.get(file)?.split('\n')[line - 1]?.trim())
    expect(new Set(code.filter((text) => text?.endsWith(')'))).size).toBe(
      code.filter((text) => text?.endsWith(')')).length,
    )
  })
})

function longestLine(message: string): number {
  return Math.max(...message.split('\n').map((line) => line.length))
}

/** What the newest compiler says of each mistake, and how many of them refuse it. */
function table(): string {
  const newest = compilers.at(-1)?.name ?? ''
  const rows = mistakes.map(({ file, line, sentence }) => {
    const of = (name: string) => (told.get(name) ?? []).find((each) => each.file === file && each.line === line)
    const refusing = compilers.filter(({ name }) => of(name) !== undefined).length
    const message = (of(newest)?.message ?? 'compiles').split('\n').at(-1)?.trim() ?? ''
    return `| ${[sentence, message, `${refusing} of ${compilers.length}`].map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  })
  const head = ['| mistake | what the newest compiler says last | refused by |', '| --- | --- | --- |']
  const title = '# Mistakes that do not compile'
  const about =
    'Each stands in `test/types/mistakes/` and is refused in its own line. Written by `MILLRACE_LIST_MISTAKES=1 npx vitest run test/types/mistakes.test.ts`.'
  const by = `Compilers: ${compilers.map(({ name }) => name).join('; ')}.`
  return [title, '', about, '', by, '', ...head, ...rows, ''].join('\n')
}
