/** What removing expired entries in the background costs, and when it happens. */
import { describe, expect, test } from 'vitest'
import { VirtualClock } from '../../../src/base/virtual-clock.ts'
import { ListStateDescriptor, MapStateDescriptor, ValueStateDescriptor } from '../../../src/state/descriptors.ts'
import { memoryStateBackend } from '../../../src/state/memory/memory-state-backend.ts'
import type { KeyedStateBackend } from '../../../src/state/state-backend.ts'
import type { StateTtlConfig } from '../../../src/state/state-ttl.ts'
import { finishSnapshot, keyedSnapshot, storedBytes } from '../../../src/testing/keyed-snapshot.ts'

const WHOLE = { first: 0, last: 0 }
const open = (clock: VirtualClock) => memoryStateBackend({ maxParallelism: 1, keyGroups: WHOLE, clock })
const stateOf = (backend: KeyedStateBackend, ttl: StateTtlConfig = { ttl: 1000 }) =>
  backend.getState(new ValueStateDescriptor<number>('v', { ttl }))

function filled(keys: number, ttl?: StateTtlConfig) {
  const clock = new VirtualClock()
  const backend = open(clock)
  const state = stateOf(backend, ttl)
  for (let i = 0; i < keys; i++) {
    backend.setCurrentKey(i)
    state.update(i)
  }
  return { clock, backend, state, stored: () => backend.keysOf('v').length }
}

describe('the clean-up', () => {
  test('looks at five entries each time the state is used, whatever there is to remove', () => {
    const { clock, backend, state, stored } = filled(100)
    clock.skip(1000)
    backend.setCurrentKey('another')
    for (let uses = 1; uses <= 20; uses++) {
      state.value()
      expect(stored()).toBe(100 - 5 * uses)
    }
  })

  test('counts the entries of a map, and the elements of a list as one', () => {
    const clock = new VirtualClock()
    const backend = open(clock)
    const map = backend.getMapState(new MapStateDescriptor<number, number>('m', { ttl: { ttl: 1000 } }))
    const list = backend.getListState(new ListStateDescriptor<number>('l', { ttl: { ttl: 1000 } }))
    for (const key of ['a', 'b', 'c', 'd', 'e', 'f']) {
      backend.setCurrentKey(key)
      for (let i = 0; i < 10; i++) {
        map.set(i, i)
        list.add(i)
      }
    }
    clock.skip(1000)
    backend.setCurrentKey('another')
    map.get(0)
    expect(backend.keysOf('m')).toHaveLength(6)
    map.get(0)
    expect(backend.keysOf('m')).toHaveLength(5)
    list.get()
    expect(backend.keysOf('l')).toHaveLength(1)
  })

  test('takes from a list what has expired, and leaves the rest', () => {
    const clock = new VirtualClock()
    const backend = open(clock)
    const ttl = { ttl: 1000, stateVisibility: 'ReturnExpiredIfNotCleanedUp' } as const
    const list = backend.getListState(new ListStateDescriptor<number>('l', { ttl }))
    backend.setCurrentKey('k')
    list.addAll([1, 2])
    clock.skip(600)
    list.addAll([3, 4])
    clock.skip(400)
    const frozen = backend.freeze(1)
    backend.setCurrentKey('another')
    list.get()
    backend.setCurrentKey('k')
    expect([...list.get()]).toEqual([3, 4])
    // A snapshot that was frozen before has it still.
    const other = open(new VirtualClock())
    other.restore([storedBytes(finishSnapshot(frozen), WHOLE)])
    other.setCurrentKey('k')
    expect([...other.getListState(new ListStateDescriptor<number>('l', { ttl })).get()]).toEqual([1, 2, 3, 4])
  })

  test('leaves alone a map that was made anew while it was going through the former one', () => {
    const clock = new VirtualClock()
    const backend = open(clock)
    const map = backend.getMapState(new MapStateDescriptor<number, number>('m', { ttl: { ttl: 1000 } }))
    backend.setCurrentKey('k')
    for (let i = 0; i < 20; i++) map.set(i, i)
    clock.skip(1000)
    backend.setCurrentKey('another')
    map.get(0)
    backend.setCurrentKey('k')
    map.clear()
    map.set(99, 99)
    for (let uses = 0; uses < 20; uses++) expect(map.get(99)).toBe(99)
  })

  test('does not look again before the oldest entry that lives can have expired', () => {
    const { clock, backend, state, stored } = filled(10)
    clock.skip(500)
    backend.setCurrentKey('late')
    state.update(0)
    clock.skip(499)
    for (let uses = 0; uses < 50; uses++) state.value()
    expect(stored()).toBe(11)
    clock.skip(1)
    // Two uses go through the ten, a third one sees the end: a round is over, and the next is due at 1500.
    for (let uses = 0; uses < 3; uses++) state.value()
    expect(stored()).toBe(1)
    backend.setCurrentKey('another')
    clock.skip(499)
    for (let uses = 0; uses < 50; uses++) state.value()
    expect(stored()).toBe(1)
    clock.skip(1)
    state.value()
    expect(stored()).toBe(0)
  })

  test('rests for a sixteenth of the time-to-live between two rounds', () => {
    const clock = new VirtualClock()
    const backend = open(clock)
    const state = stateOf(backend, { ttl: 1600 })
    for (let i = 0; i < 3; i++) {
      backend.setCurrentKey(i)
      state.update(i)
      clock.skip(10)
    }
    clock.skip(1570)
    backend.setCurrentKey('another')
    state.value()
    expect(backend.keysOf('v')).toEqual([1, 2])
    clock.skip(99)
    state.value()
    expect(backend.keysOf('v')).toEqual([1, 2])
    clock.skip(1)
    state.value()
    expect(backend.keysOf('v')).toEqual([])
  })

  test('goes on by a timer where the state is not used, in pieces, until nothing is left', () => {
    const { clock, stored } = filled(1200)
    clock.advance(1000)
    expect(stored()).toBe(700)
    clock.advance(10)
    expect(stored()).toBe(200)
    clock.advance(10)
    expect(stored()).toBe(0)
    expect(clock.nextDeadlineMs()).toBeUndefined()
  })

  test('comes by for restored state that is never used', () => {
    const { clock, backend } = filled(20)
    const other = open(clock)
    other.restore([storedBytes(keyedSnapshot(backend, 1), WHOLE)])
    backend.close()
    stateOf(other)
    clock.advance(5000)
    expect(other.keysOf('v')).toEqual([])
    expect(clock.nextDeadlineMs()).toBeUndefined()
  })

  test('of a state that was asked for twice is one', () => {
    const { clock, backend, state, stored } = filled(100)
    const again = stateOf(backend)
    clock.skip(1000)
    backend.setCurrentKey('another')
    state.value()
    again.value()
    expect(stored()).toBe(90)
  })

  test('does nothing where it is switched off, and sets no timer', () => {
    const { clock, backend, state, stored } = filled(20, { ttl: 1000, cleanupInBackground: false })
    expect(clock.nextDeadlineMs()).toBeUndefined()
    clock.skip(5000)
    backend.setCurrentKey('another')
    for (let uses = 0; uses < 50; uses++) state.value()
    expect(stored()).toBe(20)
  })

  test('ends with the backend', () => {
    const { clock, backend } = filled(20)
    expect(clock.nextDeadlineMs()).toBe(1000)
    backend.close()
    expect(clock.nextDeadlineMs()).toBeUndefined()
  })

  test('is not misled for good by a clock that is set back', () => {
    const { clock, stored } = filled(20)
    clock.advance(900)
    clock.skip(-800)
    clock.advance(1000)
    expect(stored()).toBe(0)
  })
})

test('a state without a time-to-live reads no clock', () => {
  const clock = new VirtualClock()
  let reads = 0
  clock.now = () => reads++
  const backend = open(clock)
  const state = backend.getState(new ValueStateDescriptor<number>('plain'))
  backend.setCurrentKey('k')
  state.update(1)
  expect([state.value(), reads, clock.nextDeadlineMs()]).toEqual([1, 0, undefined])
})
