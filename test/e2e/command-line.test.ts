/** The built command in a process of its own: loading job files, positions in stack traces, signals, exit codes. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const MAIN = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url))

/** A job that ends as the test says, told to the command as the library does it. */
const FAKE_JOB = `
import type { Nothing } from './nothing.ts'
export enum End { Finishes, Waits }
export async function execute(end: End): Promise<void> {
  const context = Reflect.get(globalThis, Symbol.for('millrace.run'))
  let reject: (error: Error) => void = () => {}
  const result = new Promise((resolve, fail) => {
    reject = fail
    if (end === End.Finishes) resolve({ jobId: 'a', netRuntimeMs: 1 })
  })
  const alive = setInterval(() => {}, 1000)
  const suspended = Object.assign(new Error('suspended'), { code: 'JOB_SUSPENDED', [Symbol.for('millrace.StreamError')]: true })
  context.jobStarted({
    jobId: 'a', jobName: 'fake', result, status: () => 'RUNNING', subscribe: () => () => {}, cancel: async () => {},
    metrics: () => ({ recordsIn: 0, recordsOut: 0, restarts: 0, backPressuredRatio: 0 }),
    suspend: async () => reject(suspended),
  })
  try { await result } finally { clearInterval(alive) }
}
`

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-cli-'))
  writeFileSync(join(folder, 'fake-job.ts'), FAKE_JOB)
})
afterAll(() => rmSync(folder, { recursive: true }))

interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

function millrace(
  argv: readonly string[],
  started: (child: ChildProcess, err: string) => void = () => {},
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [MAIN, ...argv], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
    let [out, err] = ['', '']
    child.stdout.on('data', (bytes) => {
      out += bytes
    })
    child.stderr.on('data', (bytes) => {
      err += bytes
      started(child, err)
    })
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, out, err }))
  })
}

const job = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text)
  return name
}

describe('a job in TypeScript', () => {
  test('runs without a build: its own arguments, imports of .js that are .ts, enums, and millrace from the command', async () => {
    const path = job(
      'runs.ts',
      "import * as millrace from 'millrace'\nimport { End, execute } from './fake-job.js'\nconsole.log(process.argv.slice(2), typeof millrace)\nawait execute(End.Finishes)\n",
    )
    expect(await millrace(['run', path, 'a', '--json'])).toMatchObject({
      code: 0,
      out: "[ 'a', '--json' ] object\n",
      err: expect.stringContaining('fake: FINISHED'),
    })
  })

  test('that throws names the place in the file that was written', async () => {
    const path = job(
      'throws.ts',
      'interface A { b: number }\n\nfunction f(): never {\n  throw new RangeError("oops")\n}\nf()\n',
    )
    const { code, err } = await millrace(['run', path])
    expect(code).toBe(1)
    expect(err).toContain('caused by RangeError: oops')
    expect(err).toMatch(/at .*throws\.ts:4:9\n/)
  })

  test('that cannot be compiled names file, line and column', async () => {
    const { code, err } = await millrace(['run', job('broken.ts', 'const a: number = 1\nconst b: = 2\n')])
    expect(code).toBe(1)
    expect(err).toMatch(/error JOB_FILE_INVALID.*\n.*\n.*broken\.ts:2:10: /)
  })
})

describe('a job in JavaScript', () => {
  test('may be a CommonJS file that starts its job later', async () => {
    const path = job('later.cjs', "setTimeout(() => import('./plain.mjs').then((m) => m.run()), 20)")
    job(
      'plain.mjs',
      "export const run = () => Reflect.get(globalThis, Symbol.for('millrace.run')).jobSkipped('words', 'it has finished')",
    )
    expect(await millrace(['run', path])).toMatchObject({ code: 0, err: expect.stringContaining('nothing to do') })
  })

  test('that waits for what can never come ends, and says so', async () => {
    expect(await millrace(['run', job('stuck.mjs', 'await new Promise(() => {})')])).toMatchObject({
      code: 1,
      err: expect.stringContaining('error JOB_NOT_STARTED'),
    })
  })

  test('that cannot be compiled or found names the place', async () => {
    const broken = await millrace(['run', job('broken.mjs', 'const a = 1\nconst b = = 2\n')])
    expect(broken).toMatchObject({ code: 1, err: expect.stringMatching(/JOB_FILE_INVALID[\s\S]*broken\.mjs:2:11: /) })
    const lost = await millrace(['run', job('lost.mjs', "import './nowhere.mjs'")])
    expect(lost).toMatchObject({ code: 1, err: expect.stringMatching(/JOB_FILE_INVALID[\s\S]*nowhere\.mjs/) })
  })
})

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s suspends a running job and gives %d', async (signal, code) => {
  const path = job(`waits-${code}.ts`, "import { End, execute } from './fake-job'\nawait execute(End.Waits)\n")
  let sent = false
  const ended = await millrace(['run', path], (child, err) => {
    if (!sent && err.includes('started, job')) sent = child.kill(signal)
  })
  expect(ended).toMatchObject({ code, err: expect.stringContaining('fake: SUSPENDED') })
})
