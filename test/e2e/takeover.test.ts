/**
 * One writer a job, seen from the command line: which `millrace run` is refused and how fast, which takes over, and that a
 * process that lost its job changes nothing when it goes on. one-writer.test.ts asks the same of the store alone.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { chainJob, millrace, type Running, startMillrace, verdictOn, workFolder } from './processes.ts'

const work = workFolder()
/** Of a job that is to end by itself: it lasts more than a second, whatever the machine. */
const RECORDS = 5_000
const RATE = 8_000

interface Start {
  readonly records?: number
  readonly flags?: readonly string[]
  readonly sink?: 'file' | 'ledger'
  readonly inlineBytes?: number
}

const commandOf = (folder: string, { flags = [], records = RECORDS, ...more }: Start = {}) =>
  chainJob({ folder, records, rate: RATE, intervalMs: 250, ...more, flags: ['--resume', ...flags] })
const startJob = (folder: string, start?: Start): Running => startMillrace(commandOf(folder, start))

/** Runs, has a checkpoint, and both subtasks of the sink have committed it: the next one is a while away. */
async function startOwner(folder: string, start?: Start): Promise<Running> {
  const owner = startJob(folder, start)
  await owner.line('commit.ended', 2)
  return owner
}

/** `withinMs`: from the call of `execute` to the end of the process. How long Node takes to start is not the point. */
async function refusal(folder: string) {
  const refused = startJob(folder)
  const { code, stderr } = await refused.ended
  return { code, stderr, withinMs: between(refused, 'execute', 'exit') }
}

function between({ lines }: Running, from: string, to: string): number {
  const atMs = (wanted: string) => lines.find(({ type }) => type === wanted)?.atMs ?? Number.NaN
  return atMs(to) - atMs(from)
}

const exactOutput = { exact: true, read: RECORDS }
const verdict = (folder: string) => verdictOn({ seed: 1, records: RECORDS, output: join(folder, 'output') })

/** Every file below the job's folder with its bytes. */
function filesIn(folder: string): Readonly<Record<string, string>> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const paths = entries.map((entry) => join(entry.parentPath, entry.name)).sort()
  return Object.fromEntries(paths.map((path) => [path, readFileSync(path, 'base64')]))
}

describe('A job that a living process owns', () => {
  it('is refused to a second process within a second, by the names of process and host', async () => {
    const folder = join(work, 'living')
    const owner = await startOwner(folder, { records: 1_000_000 })
    const second = await refusal(folder)
    expect(second.code).toBe(1)
    expect(second.withinMs).toBeLessThan(1000)
    expect(second.stderr).toContain('JOB_IN_USE')
    expect(second.stderr).toContain(String(owner.process.pid))
    expect(second.stderr).toContain(hostname())
    owner.process.kill('SIGKILL')
    expect((await owner.ended).signal).toBe('SIGKILL')
  })

  it('is taken over at once when that process is killed', async () => {
    const folder = join(work, 'killed')
    const owner = await startOwner(folder)
    owner.process.kill('SIGKILL')
    const next = startJob(folder)
    await next.line('task.RUNNING')
    expect(between(next, 'execute', 'task.RUNNING')).toBeLessThan(1000)
    expect((await next.ended).code).toBe(0)
    expect(await verdict(folder)).toMatchObject(exactOutput)
  })
})

describe('A job whose owner is stopped', () => {
  it('is refused to a process that does not say --takeover', async () => {
    const folder = join(work, 'refused')
    const owner = await startOwner(folder)
    owner.process.kill('SIGSTOP')
    const refused = await refusal(folder)
    expect(refused.code).toBe(1)
    expect(refused.withinMs).toBeLessThan(1000)
    expect(refused.stderr).toContain(String(owner.process.pid))
    expect(refused.stderr).toContain('--takeover')
    owner.process.kill('SIGKILL')
  })

  // The fence is met at another place: by the metadata, or by the first file of a subtask's state.
  it.each([
    ['in the metadata', 20_000],
    ['in files', 0],
  ])(
    'is taken over with --takeover; the stopped process fails for good when it goes on, its state %s',
    async (_, inlineBytes) => {
      const folder = join(work, `stopped-${inlineBytes}`)
      const owner = await startOwner(folder, { sink: 'ledger', inlineBytes })
      owner.process.kill('SIGSTOP')
      const next = startJob(folder, { sink: 'ledger', inlineBytes, flags: ['--takeover'] })
      await next.line('checkpoint.completed')
      // From here on both are alive.
      owner.process.kill('SIGCONT')
      const lost = await owner.ended
      expect(lost.code).toBe(1)
      expect(lost.stderr).toContain('JOB_FENCED')
      expect(lost.stderr).not.toContain('RESTARTING')
      expect((await next.ended).code).toBe(0)
      expect(await verdict(folder)).toMatchObject(exactOutput)
    },
  )

  it('is left as it is, when the stopped process goes on after the end of the job', async () => {
    const folder = join(work, 'left')
    const owner = await startOwner(folder)
    owner.process.kill('SIGSTOP')
    expect((await startJob(folder, { flags: ['--takeover'] }).ended).code).toBe(0)
    const before = filesIn(join(folder, 'checkpoints'))
    owner.process.kill('SIGCONT')
    expect((await owner.ended).code).toBe(1)
    expect(filesIn(join(folder, 'checkpoints'))).toEqual(before)
    expect(await verdict(folder)).toMatchObject(exactOutput)
    const again = await millrace(commandOf(folder))
    expect(again.code).toBe(0)
    expect(again.stderr).toContain('nothing to do')
  })
})
