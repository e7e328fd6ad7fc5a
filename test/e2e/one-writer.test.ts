/** One writer a job, with real processes, real locks and real signals. Runs what `npm run build` has made. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'

interface Holder {
  readonly child: ChildProcess
  next(): Promise<Record<string, unknown>>
  tell(line: string): void
}

let directory: string
const children: ChildProcess[] = []
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-'))
})
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  rmSync(directory, { recursive: true })
})

function hold(takeover: 'yes' | 'no' = 'no'): Holder {
  const program = fileURLToPath(new URL('./programs/hold-job.mjs', import.meta.url))
  const child = spawn(process.execPath, [program, directory, takeover], { stdio: ['pipe', 'pipe', 'inherit'] })
  children.push(child)
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    child,
    next: async () => JSON.parse((await lines.next()).value ?? '{"ended":"without a word"}'),
    tell: (line) => void child.stdin.write(`${line}\n`),
  }
}

const exit = (child: ChildProcess) => new Promise((resolve) => child.once('exit', resolve))

test('a second process is refused by pid and host, while the first runs and while it is stopped', async () => {
  const first = hold()
  expect(await first.next()).toMatchObject({ opened: 1 })
  const refused = { refused: 'JOB_IN_USE', message: expect.stringContaining(`process ${first.child.pid} on host`) }
  expect(await hold().next()).toMatchObject(refused)
  first.child.kill('SIGSTOP')
  expect(await hold().next()).toMatchObject(refused)
  first.child.kill('SIGCONT')
  first.tell('publish')
  expect(await first.next()).toEqual({ published: 1 })
})

test('a process that was killed is replaced at once, and its checkpoint is found', async () => {
  const first = hold()
  await first.next()
  first.tell('publish')
  expect(await first.next()).toEqual({ published: 1 })
  first.child.kill('SIGKILL')
  await exit(first.child)
  expect(await hold().next()).toEqual({ opened: 2, start: 'checkpoint' })
})

test('a stopped process that was replaced by takeover can publish nothing when it goes on', async () => {
  const first = hold()
  await first.next()
  first.child.kill('SIGSTOP')
  const second = hold('yes')
  expect(await second.next()).toMatchObject({ opened: 2 })
  first.child.kill('SIGCONT')
  first.tell('publish')
  expect(await first.next()).toEqual({ refused: 'JOB_FENCED' })
  second.tell('publish')
  expect(await second.next()).toEqual({ published: 1 })
})

test('a process that holds a job and has nothing to do ends by itself once it has closed it', async () => {
  const first = hold()
  await first.next()
  first.tell('close')
  expect(await first.next()).toEqual({ ended: true })
  first.child.stdin?.end()
  expect(await exit(first.child)).toBe(0)
})
