/** The simulation finds mistakes: each of these is made on purpose, and one of the plans that are exact without it shows it. */
import { describe, expect, test } from 'vitest'
import { runHistory } from './history.ts'
import { planOf, SAMPLE } from './plan.ts'
import { SABOTAGES, type Sabotage } from './sabotage.ts'
import { SimulatedHost } from './simulated-host.ts'

/** What is complained of: a mistake that is found by something else shows nothing. */
const SHOWS: Readonly<Record<Sabotage, RegExp>> = {
  'a repeated trigger is another operation': /savepoints were triggered for/,
  'an older savepoint': /lines doubled or wrong/,
  'a stop that is told too early': /a (stop|drain) reports .*, and the job is/,
  'a cancel that does not cancel': /a cancel reports .*, and the job is/,
  'a result that is forgotten': /poll of checkpoint .* it is refused with 404/,
  'counts that go backwards': /numRecordsIn of .* went from/,
}

describe('An operated job', () => {
  test.for(SABOTAGES)('shows the mistake "%s"', { timeout: 60_000 }, async (sabotage) => {
    for (const seed of SAMPLE) {
      const problems = await runHistory(planOf(seed), { sabotage })
      if (problems.some((what) => SHOWS[sabotage].test(what))) return
    }
    expect.fail('no plan has shown it')
  })

  test('goes the same way again, event for event', async () => {
    const logs: [string[], string[]] = [[], []]
    for (const log of logs) await runHistory(planOf(43), { host: new SimulatedHost(log) })
    expect(logs[0].length).toBeGreaterThan(500)
    expect(logs[1]).toEqual(logs[0])
  })
})
