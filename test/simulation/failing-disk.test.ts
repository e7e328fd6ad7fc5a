import { describe, expect, it } from 'vitest'
import { runCases, say } from './cases.ts'
import { failures, resumedBehind, wentOn } from './disk-failures.ts'
import { CHECKPOINTS, type JobSettings } from './kill-test-job.ts'
import { input, operationsOf, settings } from './kill-test-settings.ts'
import type { Life } from './lives.ts'

const FILE = 'failing-disk.test.ts'

describe('A disk that fails once', () => {
  it('costs a checkpoint or an attempt and never a record, wherever it fails', { timeout: 300_000 }, async () => {
    const operations = await operationsOf({ settings, seed: 1 })
    const { cases, lives } = await runCases(FILE, failures(operations, settings, input))
    say(
      `ENOSPC, EIO or EMFILE at each of ${operations.length} operations, ${cases} cases, ${lives - cases} resumed, 0 wrong`,
    )
  })

  it('costs nothing that was there before when it fails while a job is resumed', { timeout: 300_000 }, async () => {
    const crashed: Life = { settings, seed: 1, crash: { before: 215, loss: 'kill' } }
    const resuming = (await resumedBehind(crashed, settings, input)).slice(0, 200)
    const { cases } = await runCases(FILE, failures(resuming, settings, input, { before: [crashed] }))
    say(`the same at each of the first ${resuming.length} operations of a resumed job, ${cases} cases, 0 wrong`)
  })

  it('stops no job that tolerates failed checkpoints, when it fails in one', { timeout: 300_000 }, async () => {
    const tolerant: JobSettings = {
      ...settings,
      options: { ...settings.options, 'execution.checkpointing.tolerable-failed-checkpoints': 2 ** 31 - 1 },
    }
    const inCheckpoints = (await operationsOf({ settings: tolerant, seed: 1 })).filter(
      // Whether a publish whose rename failed is visible, nobody knows: then the attempt fails and the store is read again.
      ({ type, path, to = '' }) =>
        path.startsWith(CHECKPOINTS) && /\/chk-\d+/.test(path) && !(type === 'rename' && /\/chk-\d+$/.test(to)),
    )
    const { cases } = await runCases(FILE, failures(inCheckpoints, tolerant, input, { check: wentOn(0) }))
    expect(cases).toBeGreaterThan(0)
    say(`the same in checkpoints of a tolerant job, ${cases} cases, all went on`)
  })
})
