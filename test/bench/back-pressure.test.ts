/** The benchmark of checkpoints under back-pressure measures what it says: on virtual time, where its figures are exact. */
import { describe, expect, it } from 'vitest'
import { World } from '../jobs/harness.ts'
import { declareBackPressure } from './back-pressure.mjs'

const SLEEP_MS = 10
const ALIGNED_TIMEOUT_MS = 100
const SECONDS = 3

async function figuresOf(mode: string) {
  const world = new World()
  const env = world.env()
  const counted = { emitted: 0 }
  const sink = declareBackPressure(
    env,
    { records: 2 ** 31 - 1, keys: 1000, parallelism: 1, sleeps: 'promise', sleepMs: SLEEP_MS, counted },
    { mode, intervalMs: 1000, alignedTimeoutMs: ALIGNED_TIMEOUT_MS },
  )
  const client = await world.until(env.executeAsync('S5'))
  await world.until(world.sleep(SECONDS * 1000 + 900))
  const { counts, history } = client.checkpoints()
  const inFlight = counted.emitted - Number(sink.checksum().split(':', 1)[0])
  await world.until(client.cancel())
  return { ...counts, inFlight, checkpoints: history.filter(({ status }) => status === 'COMPLETED') }
}

describe('Behind a place that takes 10 ms a record', () => {
  it('no checkpoint completes that has to align, since thousands of records lie before its barriers', async () => {
    const { completed, inProgress, failed, inFlight } = await figuresOf('aligned')
    expect({ completed, inProgress, failed }).toEqual({ completed: 0, inProgress: 1, failed: 0 })
    expect(inFlight * SLEEP_MS).toBeGreaterThan(20_000)
  })

  it('each completes that may overtake them at once, after one record at most and with the others stored', async () => {
    const { failed, checkpoints } = await figuresOf('unaligned')
    expect({ completed: checkpoints.length, failed }).toEqual({ completed: SECONDS, failed: 0 })
    for (const { endToEndMs, persistedBytes } of checkpoints) {
      expect(endToEndMs).toBeLessThan(5 * SLEEP_MS)
      expect(persistedBytes).toBeGreaterThan(100_000)
    }
  })

  it('each completes that first tries to align, when that has taken too long', async () => {
    const { failed, checkpoints } = await figuresOf('alternating')
    expect({ completed: checkpoints.length, failed }).toEqual({ completed: SECONDS, failed: 0 })
    for (const { endToEndMs, persistedBytes } of checkpoints) {
      expect(endToEndMs).toBeGreaterThanOrEqual(ALIGNED_TIMEOUT_MS)
      expect(endToEndMs).toBeLessThan(ALIGNED_TIMEOUT_MS + 5 * SLEEP_MS)
      expect(persistedBytes).toBeGreaterThan(100_000)
    }
  })
})
