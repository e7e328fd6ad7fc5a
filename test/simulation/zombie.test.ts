import { describe, expect, it } from 'vitest'
import { StreamError } from '../../src/base/errors.ts'
import type { SimulatedDisk } from '../../src/base/simulated-disk.ts'
import { SimulatedLocks } from '../../src/base/simulated-locks.ts'
import { say } from './cases.ts'
import { compareOutput } from './disk-contents.ts'
import { type JobSettings, runJob } from './kill-test-job.ts'
import { input, settings } from './kill-test-settings.ts'
import { SimulatedWorld } from './simulated-world.ts'

const job: JobSettings = {
  ...settings,
  // Found by name alone, two first starts at the same moment would be two jobs.
  options: { ...settings.options, 'pipeline.fixed-job-id': '0123456789abcdef0123456789abcdef' },
}

function processOn(disk: SimulatedDisk, host: SimulatedLocks, seed: number): SimulatedWorld {
  return new SimulatedWorld({ seed, disk, locks: host.another(), startMs: 1_700_000_000_000 + seed * 60_000 })
}

const run = (world: SimulatedWorld, takeover = false) =>
  runJob(world, job, { resume: 'latest', takeover, watch: () => {} })

describe('A process that is stopped and goes on after another has taken its job over', () => {
  it('adds nothing and takes nothing away, wherever it was stopped', { timeout: 300_000 }, async () => {
    const nothing = { lost: 0, duplicated: 0, outOfOrder: 0, wrong: 0 }
    let stops = 0
    let fenced = 0
    for (let stopAfter = 1; ; stopAfter += 2) {
      const disk = await input.disk()
      const host = new SimulatedLocks()
      const zombie = processOn(disk, host, 1)
      zombie.start(() => run(zombie))
      let events = 0
      if ((await zombie.drive(() => ++events > stopAfter)) !== undefined) break
      stops++
      const heir = processOn(disk, host, 2)
      expect(await heir.run(() => run(heir, true)), `stopped after ${stopAfter} events`).toMatchObject({
        type: 'returned',
      })
      expect(compareOutput(disk, input.expected()), `stopped after ${stopAfter} events`).toEqual(nothing)
      const end = await zombie.drive()
      expect(compareOutput(disk, input.expected()), `stopped after ${stopAfter} events, gone on`).toEqual(nothing)
      expect(end?.type, `stopped after ${stopAfter} events: ${JSON.stringify(end)}`).not.toBe('hung')
      if (end?.type === 'threw' && StreamError.is(end.error)) fenced++
    }
    say(`a stopped process goes on after a takeover, ${stops} moments, ${fenced} refused by name, 0 wrong`)
  })
})
