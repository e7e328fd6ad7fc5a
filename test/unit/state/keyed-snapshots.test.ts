/** Snapshots of keyed state while records go on: several at once, at any step, with inserts, changes and deletes racing. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { VirtualClock } from '../../../src/base/virtual-clock.ts'
import type { Serializer } from '../../../src/elements/serializer.ts'
import { MapStateDescriptor, ValueStateDescriptor } from '../../../src/state/descriptors.ts'
import type { FrozenTables } from '../../../src/state/frozen-tables.ts'
import { keyGroupOf, keyGroupRanges } from '../../../src/state/key-groups.ts'
import { memoryStateBackend } from '../../../src/state/memory/memory-state-backend.ts'
import type { SnapshotStream } from '../../../src/state/snapshot.ts'
import type { KeyedStateBackend } from '../../../src/state/state-backend.ts'
import { finishSnapshot, keyedSnapshot, storedBytes } from '../../../src/testing/keyed-snapshot.ts'

const MAX_PARALLELISM = 8
const WHOLE = { first: 0, last: MAX_PARALLELISM - 1 }
const VALUE = new ValueStateDescriptor<number>('value')
const MAP = new MapStateDescriptor<number, number>('map')
const clock = new VirtualClock()
const newBackend = (keyGroups = WHOLE) => memoryStateBackend({ maxParallelism: MAX_PARALLELISM, keyGroups, clock })

type Key = string | number | readonly number[]
const KEYS: readonly Key[] = [...Array.from({ length: 12 }, (_, i) => `k${i}`), 0, 1, Number.NaN, [1], [2]]

type Step =
  | { readonly do: 'put' | 'remove' | 'putInMap'; readonly key: number; readonly value: number }
  | { readonly do: 'freeze' }
  | { readonly do: 'finish' }
  | { readonly do: 'abandon' }
  | { readonly do: 'walk'; readonly which: number; readonly budget: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom('put', 'put', 'remove', 'putInMap'),
      key: fc.nat(KEYS.length - 1),
      value: fc.nat(9),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('freeze', 'freeze', 'freeze', 'finish', 'abandon') }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('walk'), which: fc.nat(2), budget: fc.integer({ min: 1, max: 5 }) }),
  },
) as fc.Arbitrary<Step>

type Contents = Record<string, { value: number | undefined; map: Record<string, number> }>

const nameOf = (key: Key) => (typeof key === 'object' ? JSON.stringify(key) : `${typeof key} ${key}`)

function contentsOf(backend: KeyedStateBackend): Contents {
  const contents: Contents = {}
  for (const key of KEYS) {
    backend.setCurrentKey(key)
    const value = backend.getState(VALUE).value()
    const map = Object.fromEntries(backend.getMapState(MAP))
    if (value !== undefined || Object.keys(map).length > 0) contents[nameOf(key)] = { value, map }
  }
  return contents
}

/** Restores at a parallelism and puts the parts together. */
function restored(bytes: Uint8Array, parallelism: number): Contents {
  const all: Contents = {}
  for (const keyGroups of keyGroupRanges(MAX_PARALLELISM, parallelism)) {
    const backend = newBackend(keyGroups)
    backend.restore([storedBytes(bytes, WHOLE)])
    const contents = contentsOf(backend)
    for (const key of KEYS) {
      const group = keyGroupOf(key, MAX_PARALLELISM)
      const found = contents[nameOf(key)]
      if (found === undefined) continue
      expect(group).toBeGreaterThanOrEqual(keyGroups.first)
      expect(group).toBeLessThanOrEqual(keyGroups.last)
      all[nameOf(key)] = found
    }
  }
  return all
}

describe('a snapshot equals a copy taken at its freeze', () => {
  test('with up to three walking at once while entries come, change and go, restored at any parallelism', () => {
    let overlapping = 0
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 20, maxLength: 150 }),
        fc.integer({ min: 1, max: MAX_PARALLELISM }),
        (steps, parallelism) => {
          const backend = newBackend()
          const state = backend.getState(VALUE)
          const map = backend.getMapState(MAP)
          const walking: { readonly frozen: FrozenTables; readonly copy: Contents }[] = []
          const finish = () => {
            const [oldest] = walking.splice(0, 1)
            if (oldest !== undefined) expect(restored(finishSnapshot(oldest.frozen), parallelism)).toEqual(oldest.copy)
          }
          for (const step of steps) {
            if (step.do === 'freeze') {
              if (walking.length === 3) finish()
              walking.push({ frozen: backend.freeze(1), copy: contentsOf(backend) })
              if (walking.length === 3) overlapping++
            } else if (step.do === 'finish') finish()
            else if (step.do === 'abandon') walking.pop()?.frozen.release()
            else if (step.do === 'walk') walking[step.which]?.frozen.step(step.budget)
            else {
              backend.setCurrentKey(KEYS[step.key])
              if (step.do === 'put') state.update(step.value)
              else if (step.do === 'putInMap') map.set(step.value, step.value)
              else {
                state.clear()
                map.clear()
              }
            }
          }
          while (walking.length > 0) finish()
        },
      ),
      { numRuns: 400, seed: 1 },
    )
    expect(overlapping).toBeGreaterThan(100)
  })
})

function counting(): { readonly descriptor: ValueStateDescriptor<string>; count(): number } {
  let count = 0
  const serializer: Serializer<string> = {
    id: 'counting',
    version: 1,
    serialize(value) {
      count++
      return Buffer.from(value)
    },
    deserialize: (bytes) => Buffer.from(bytes).toString(),
  }
  return { descriptor: new ValueStateDescriptor<string>('s', { serializer }), count: () => count }
}

function filled(descriptor: ValueStateDescriptor<string>, keys: number) {
  const backend = newBackend()
  const state = backend.getState(descriptor)
  for (let i = 0; i < keys; i++) {
    backend.setCurrentKey(i)
    state.update(`v${i}`)
  }
  return { backend, state }
}

describe('what a snapshot costs', () => {
  test('three that overlap serialise each entry once, whichever of them is stepped', () => {
    const { descriptor, count } = counting()
    const { backend } = filled(descriptor, 100)
    const frozen = [backend.freeze(1), backend.freeze(2), backend.freeze(3)]
    while (!(frozen[1] as FrozenTables).step(7));
    const bytes = frozen.map(finishSnapshot)
    expect(count()).toBe(100)
    expect(bytes[0]).toEqual(bytes[1])
    expect(bytes[1]).toEqual(bytes[2])
  })

  test('one that joins a walk takes the rest of it along, and comes round for what it missed', () => {
    const { descriptor, count } = counting()
    const { backend } = filled(descriptor, 100)
    const first = backend.freeze(1)
    first.step(60)
    const second = backend.freeze(2)
    while (!second.step(9));
    expect(count()).toBe(160)
    expect(first.step(1)).toBe(true)
  })

  test('an entry that is about to change is serialised once for all, one that changes again not at all', () => {
    const { descriptor, count } = counting()
    const { backend, state } = filled(descriptor, 10)
    const frozen = [backend.freeze(1), backend.freeze(2), backend.freeze(3)]
    backend.setCurrentKey(3)
    for (let i = 0; i < 5; i++) state.update(`new ${i}`)
    expect(count()).toBe(1)
    frozen.forEach(finishSnapshot)
    expect(count()).toBe(10)
  })

  test('entries that come after the freeze are not serialised', () => {
    const { descriptor, count } = counting()
    const { backend, state } = filled(descriptor, 10)
    const frozen = backend.freeze(1)
    for (let i = 10; i < 1000; i++) {
      backend.setCurrentKey(i)
      state.update('late')
    }
    finishSnapshot(frozen)
    expect(count()).toBe(10)
  })

  test('a step serialises no more than its budget', () => {
    const { descriptor, count } = counting()
    const frozen = filled(descriptor, 10).backend.freeze(1)
    expect(frozen.step(4)).toBe(false)
    expect(count()).toBe(4)
    frozen.step(4)
    expect(count()).toBe(8)
  })

  test('once a walk is over, changes are as cheap as before', () => {
    const { descriptor, count } = counting()
    const { backend, state } = filled(descriptor, 10)
    finishSnapshot(backend.freeze(1))
    backend.setCurrentKey(3)
    state.update('later')
    expect(count()).toBe(10)
  })
})

describe('the payload', () => {
  test('goes to the stream in order, and waits where the stream asks to', async () => {
    const { backend } = filled(counting().descriptor, 500)
    const expected = keyedSnapshot(backend, 1)
    const frozen = backend.freeze(2)
    while (!frozen.step(100));
    const chunks: Uint8Array[] = []
    let waiting = 0
    const stream: SnapshotStream = {
      async append(bytes) {
        waiting++
        await Promise.resolve()
        expect(waiting--).toBe(1)
        chunks.push(bytes.slice())
      },
      finish: () => Promise.reject(new Error('not called')),
      abandon: () => Promise.resolve(),
    }
    await frozen.writeTo(stream)
    expect(new Uint8Array(Buffer.concat(chunks))).toEqual(expected)
  })

  test('is right for a stream that copies, although the chunks are used again at once by another snapshot', async () => {
    const { backend, state } = filled(counting().descriptor, 500)
    const before = keyedSnapshot(backend, 1)
    const first = backend.freeze(2)
    while (!first.step(100));
    for (let i = 0; i < 500; i++) {
      backend.setCurrentKey(i)
      state.update(`changed ${i}`)
    }
    const after = keyedSnapshot(backend, 3)
    const written = async (frozen: FrozenTables) => {
      const copies: Uint8Array[] = []
      await frozen.writeTo({
        async append(bytes) {
          await Promise.resolve()
          copies.push(bytes.slice())
        },
        finish: () => Promise.reject(new Error('not called')),
        abandon: () => Promise.resolve(),
      })
      frozen.release()
      return new Uint8Array(Buffer.concat(copies))
    }
    const second = backend.freeze(4)
    const firstWritten = written(first)
    // Filled while the first one gives its chunks back.
    while (!second.step(10)) await Promise.resolve()
    expect(await firstWritten).toEqual(before)
    expect(await written(second)).toEqual(after)
  })

  test('of a released snapshot is not to be had, nor that of one that is not done', async () => {
    const { backend } = filled(counting().descriptor, 500)
    const frozen = backend.freeze(1)
    expect(() => [...frozen.payload()]).toThrow(expect.objectContaining({ code: 'INTERNAL' }))
    frozen.release()
    expect(() => [...frozen.payload()]).toThrow(expect.objectContaining({ code: 'INTERNAL' }))
  })

  test('larger than a chunk is whole, also within one key group', () => {
    const backend = memoryStateBackend({ maxParallelism: 1, keyGroups: { first: 0, last: 0 }, clock })
    const state = backend.getState(new ValueStateDescriptor<string>('text'))
    for (let i = 0; i < 3000; i++) {
      backend.setCurrentKey(i)
      state.update('x'.repeat(i % 700))
    }
    backend.setCurrentKey('large')
    state.update('y'.repeat(300_000))
    const other = memoryStateBackend({ maxParallelism: 1, keyGroups: { first: 0, last: 0 }, clock })
    other.restore([storedBytes(keyedSnapshot(backend, 1), { first: 0, last: 0 })])
    const copy = other.getState(new ValueStateDescriptor<string>('text'))
    for (let i = 0; i < 3000; i++) {
      other.setCurrentKey(i)
      expect(copy.value()).toHaveLength(i % 700)
    }
    other.setCurrentKey('large')
    expect(copy.value()).toHaveLength(300_000)
  })

  test('names state and key of a value that cannot be serialised, with the path inside', () => {
    const backend = newBackend()
    const state = backend.getState(new ValueStateDescriptor<unknown>('sessions'))
    backend.setCurrentKey(['user', 7n])
    state.update({ steps: [{ onClick: () => 1 }] })
    const frozen = backend.freeze(3)
    expect(() => frozen.step(1)).toThrow(
      expect.objectContaining({
        code: 'NOT_SERIALIZABLE',
        message: expect.stringMatching(/'sessions' of key \["user","7n"\].*checkpoint 3.*value\.steps\[0\]\.onClick/s),
      }),
    )
  })

  test('never takes in a key of another subtask, which the next restore would lose', () => {
    const backend = newBackend({ first: 0, last: 3 })
    const state = backend.getState(VALUE)
    const foreign = Array.from({ length: 50 }, (_, i) => i).find((key) => keyGroupOf(key, MAX_PARALLELISM) > 3)
    backend.setCurrentKey(foreign)
    state.update(1)
    expect(() => backend.freeze(1).step(1)).toThrow(
      expect.objectContaining({ code: 'INVALID_KEY', message: expect.stringContaining('0 to 3') }),
    )
  })
})
