/** Attacks on the time-to-live: a clock that jumps, a state that is changed while it is walked. */
import { describe, expect, test } from 'vitest'
import type { Clock } from '../../../src/base/clock.ts'
import { VirtualClock } from '../../../src/base/virtual-clock.ts'
import { MapStateDescriptor, ValueStateDescriptor } from '../../../src/state/descriptors.ts'
import { memoryStateBackend } from '../../../src/state/memory/memory-state-backend.ts'

const TTL_MS = 1_000
const YEARS_MS = 70 * 365 * 24 * 3_600_000

/** Wall time that can be set; timers go by the time that passes. */
function clockThatIsSet() {
  const passing = new VirtualClock()
  let offsetMs = 0
  const clock: Clock = {
    now: () => passing.now() + offsetMs,
    monotonic: () => passing.monotonic(),
    setTimer: (delayMs, fired) => passing.setTimer(delayMs, fired),
  }
  return {
    clock,
    passing,
    set: (ms: number) => {
      offsetMs = ms - passing.now()
    },
  }
}

function opened(clock: Clock) {
  const backend = memoryStateBackend({ maxParallelism: 1, keyGroups: { first: 0, last: 0 }, clock })
  const values = backend.getState(new ValueStateDescriptor<number>('v', { ttl: { ttl: TTL_MS } }))
  const put = (from: number, to: number) => {
    for (let key = from; key < to; key++) {
      backend.setCurrentKey(key)
      values.update(key)
    }
  }
  return { backend, values, put, stored: () => backend.keysOf('v').length }
}

describe('A clock that was wrong by decades and is set right', () => {
  test.each(['used', 'unused'] as const)(
    'stops no clean-up: what comes afterwards is removed where the state is %s',
    (how) => {
      const { clock, passing, set } = clockThatIsSet()
      set(YEARS_MS)
      const { backend, values, put, stored } = opened(clock)
      put(0, 100)
      passing.advance(TTL_MS / 2)
      // A round has ended by now, and the next one is due in the future of the wrong clock.
      set(1_000_000)
      put(100, 200)
      backend.setCurrentKey('another')
      for (let second = 0; second < 20; second++) {
        passing.advance(TTL_MS)
        for (let use = 0; how === 'used' && use < 100; use++) values.value()
      }
      // What was touched in the future waits for it; nothing else does.
      expect(stored()).toBeLessThanOrEqual(100)
      backend.close()
      expect(passing.nextDeadlineMs()).toBeUndefined()
    },
  )
})

describe('A map that may show what has expired', () => {
  test('shows each entry once in a walk that sets every entry it meets', () => {
    const clock = new VirtualClock()
    const backend = memoryStateBackend({ maxParallelism: 1, keyGroups: { first: 0, last: 0 }, clock })
    backend.setCurrentKey('k')
    const ttl = { ttl: TTL_MS, stateVisibility: 'ReturnExpiredIfNotCleanedUp', cleanupInBackground: false } as const
    const counts = backend.getMapState(new MapStateDescriptor<string, number>('m', { ttl }))
    for (const name of ['a', 'b', 'c']) counts.set(name, 1)
    clock.skip(TTL_MS)
    for (const [name, count] of counts) counts.set(name, count + 1)
    expect([...counts]).toEqual([
      ['a', 2],
      ['b', 2],
      ['c', 2],
    ])
  })

  test('removes what a walk has shown, also where the walk is left early', () => {
    const clock = new VirtualClock()
    const backend = memoryStateBackend({ maxParallelism: 1, keyGroups: { first: 0, last: 0 }, clock })
    backend.setCurrentKey('k')
    const ttl = { ttl: TTL_MS, stateVisibility: 'ReturnExpiredIfNotCleanedUp', cleanupInBackground: false } as const
    const counts = backend.getMapState(new MapStateDescriptor<string, number>('m', { ttl }))
    for (const name of ['a', 'b', 'c']) counts.set(name, 1)
    clock.skip(TTL_MS)
    for (const _ of counts) break
    expect([...counts.keys()]).toEqual(['b', 'c'])
    expect(counts.isEmpty()).toBe(true)
  })
})
