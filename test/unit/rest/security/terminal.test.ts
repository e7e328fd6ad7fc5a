/** What a run prints of names and messages that hold what records hold: S23 of docs/SECURITY-CHECKLIST.md. */
import { describe, expect, it } from 'vitest'
import { VirtualClock } from '../../../../src/base/virtual-clock.ts'
import { makeReporter } from '../../../../src/cli/reporter.ts'
import { statusLine } from '../../../../src/cli/status-line.ts'

const EVIL = 'a\u001b[2Jb\r\nerror FAKED\u2028\u202e\u0007'
const metrics = {
  ...{ recordsIn: 0, recordsOut: 0, lastCheckpointId: undefined, lastCheckpointDurationMs: undefined },
  ...{ lastCheckpointProcessedBytes: undefined, lastCheckpointPersistedBytes: undefined, completedCheckpoints: 0 },
  ...{ failedCheckpoints: 0, restarts: 0, backPressuredRatio: 0, counts: {} },
}

function printed(json: boolean): string {
  let text = ''
  const write = (more: string) => {
    text += more
  }
  const output = { write, isTerminal: false, columns: () => 80 }
  const boundary = { out: output, err: output, clock: new VirtualClock(), environment: { MILLRACE_DEBUG: '1' } }
  const reporter = makeReporter(boundary as unknown as Parameters<typeof makeReporter>[0], { json })
  const job = { jobId: '1', jobName: EVIL } as Parameters<typeof reporter.jobStarted>[0]
  const error = new Error(EVIL)
  reporter.jobStarted(job)
  reporter.logger.warn(EVIL)
  reporter.event(job, { type: 'job.status', status: 'FAILING', atMs: 0, error })
  reporter.event(job, { type: 'task.status', vertex: EVIL, subtask: 0, attempt: 1, status: 'FAILED', atMs: 0, error })
  reporter.error(error)
  reporter.jobEnded(job, 'failed', 1)
  return text
}

describe('A run', () => {
  it('prints no character that means something to a terminal, and no line that passes for one of its own', () => {
    const lines = printed(false).trimEnd().split('\n')
    expect(lines.filter((line) => /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(line))).toEqual([])
    expect(lines[0]).toBe('a\\u{1b}[2Jb')
    expect(lines[1]).toBe('    error FAKED\\u{2028}\\u{202e}\\u{7}: started, job 1')
    expect(lines.filter((line) => line.startsWith('error'))).toEqual(['error a\\u{1b}[2Jb'])
  })

  it('writes one line of JSON for each thing that it tells', () => {
    const lines = printed(true).trimEnd().split('\n')
    expect(lines).toHaveLength(6)
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ jobName: EVIL })
    expect(lines.filter((line) => /\p{Cc}/u.test(line))).toEqual([])
  })

  it('keeps its live line on one line', () => {
    const sample = { jobName: EVIL, status: 'RUNNING', recordsInPerSecond: 0, recordsOutPerSecond: 0, metrics }
    expect(statusLine([sample], 200)).toMatch(/^a\\u\{1b\}\[2Jb\\u\{d\}\\u\{a\}error FAKED\P{C}+$/u)
  })
})
