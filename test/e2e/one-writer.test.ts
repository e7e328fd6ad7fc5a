/** One writer a job, with real processes: who is refused, who takes over, and that a process that lost its job writes nothing more. */
import { readdirSync, readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { chainJob, millrace, type Running, startMillrace, verdictOn, workFolder } from './processes.ts'

const work = workFolder()
const RECORDS = 12_000
/** The job then lasts longer than the test needs: nobody has to hurry. */
const RATE = 8_000

const startJob = (folder: string, ...flags: string[]): Running =>
  startMillrace(chainJob({ folder, records: RECORDS, rate: RATE, flags: ['--resume', ...flags] }))

const exactOutput = { exact: true, read: RECORDS }
const verdict = (folder: string) => verdictOn({ seed: 1, records: RECORDS, output: join(folder, 'output') })

/** Every file of the job's checkpoints with its bytes. */
function filesOf(folder: string): Record<string, string> {
  const checkpoints = join(folder, 'checkpoints')
  const names = readdirSync(checkpoints, { recursive: true, withFileTypes: true })
  return Object.fromEntries(
    names
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [path, readFileSync(path, 'base64')]),
  )
}

describe('A job that a living process owns', () => {
  it('is refused to a second process within a second, by the names of process and host', async () => {
    const folder = join(work, 'living')
    const owner = startJob(folder)
    await owner.line('checkpoint.completed', 2)
    const second = await startJob(folder).ended
    expect(second.code).toBe(1)
    expect(second.tookMs).toBeLessThan(1000)
    expect(second.stderr).toContain('JOB_IN_USE')
    expect(second.stderr).toContain(String(owner.process.pid))
    expect(second.stderr).toContain(hostname())
    expect((await owner.ended).code).toBe(0)
    expect(await verdict(folder)).toMatchObject(exactOutput)
  })

  it('is taken over at once when its owner was killed', async () => {
    const folder = join(work, 'killed')
    const owner = startJob(folder)
    await owner.line('checkpoint.completed', 2)
    owner.process.kill('SIGKILL')
    const second = startJob(folder)
    await second.line('task.RUNNING')
    const { code, tookMs } = await second.ended
    expect(code).toBe(0)
    expect(tookMs).toBeLessThan(10_000)
    expect(await verdict(folder)).toMatchObject(exactOutput)
  })
})

describe('A job whose owner is stopped', () => {
  it('is refused without --takeover, taken over with it, and the stopped process publishes nothing when it goes on', async () => {
    const folder = join(work, 'stopped')
    const owner = startJob(folder)
    await owner.line('checkpoint.completed', 2)
    owner.process.kill('SIGSTOP')
    const refused = await startJob(folder).ended
    expect(refused.code).toBe(1)
    expect(refused.tookMs).toBeLessThan(1000)
    expect(refused.stderr).toContain(String(owner.process.pid))
    expect(refused.stderr).toContain('--takeover')

    const next = startJob(folder, '--takeover')
    await next.line('checkpoint.completed', 1)
    // Both are alive from here on.
    owner.process.kill('SIGCONT')
    const lost = await owner.ended
    expect(lost.code).toBe(1)
    expect(lost.stderr).toContain('JOB_FENCED')
    expect((await next.ended).code).toBe(0)
    expect(await verdict(folder)).toMatchObject(exactOutput)
  })

  it('is left as it is by the stopped process, when the new owner has ended before it goes on', async () => {
    const folder = join(work, 'left')
    const owner = startJob(folder)
    await owner.line('checkpoint.completed', 2)
    owner.process.kill('SIGSTOP')
    const next = startJob(folder, '--takeover')
    expect((await next.ended).code).toBe(0)
    const before = filesOf(folder)
    owner.process.kill('SIGCONT')
    expect((await owner.ended).code).toBe(1)
    expect(filesOf(folder)).toEqual(before)
    expect(await verdict(folder)).toMatchObject(exactOutput)
    const again = await millrace(chainJob({ folder, records: RECORDS, rate: RATE, flags: ['--resume'] }))
    expect(again.code).toBe(0)
    expect(again.stderr).toContain('nothing to do')
  })
})
