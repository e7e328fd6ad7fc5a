/** Large keyed state on its way back: decoded in slices before the program asks, and the same as small state in the end. */
import { describe, expect, test } from 'vitest'
import { VirtualClock } from '../../../src/base/virtual-clock.ts'
import type { Serializer } from '../../../src/elements/serializer.ts'
import {
  AggregatingStateDescriptor,
  ListStateDescriptor,
  MapStateDescriptor,
  ReducingStateDescriptor,
  ValueStateDescriptor,
} from '../../../src/state/descriptors.ts'
import { keyGroupOf } from '../../../src/state/key-groups.ts'
import { type MemoryStateBackend, memoryStateBackend } from '../../../src/state/memory/memory-state-backend.ts'
import type { StateTtlConfig } from '../../../src/state/state-ttl.ts'
import { createTimerService } from '../../../src/state/timers.ts'
import {
  finishSnapshot,
  keyedSnapshot,
  snapshotOf,
  storedBytes,
  writtenOf,
} from '../../../src/testing/keyed-snapshot.ts'
import { SnapshotShelf } from '../../../src/testing/snapshot-shelf.ts'
import { CanonicalWriter } from './canonical-writer.ts'

const WHOLE = { first: 0, last: 15 }
const KEYS: readonly unknown[] = [...Array.from({ length: 400 }, (_, i) => `k${i}`), 7, [1, { x: 'y' }], -0, 2n ** 70n]
const TTL: StateTtlConfig = { ttl: 100, cleanupInBackground: false }

function open(clock = new VirtualClock(), turns?: { next(turn: () => void): void }): MemoryStateBackend {
  return memoryStateBackend({ maxParallelism: 16, keyGroups: WHOLE, clock, turns })
}

const upper: Serializer<string> = {
  id: 'upper',
  version: 1,
  serialize: (value) => new TextEncoder().encode(value.toUpperCase()),
  deserialize: (bytes) => new TextDecoder().decode(bytes),
}

function statesOf(backend: MemoryStateBackend, ttl?: StateTtlConfig) {
  const length = {
    createAccumulator: (): number[] => [],
    add: (value: number, all: number[]) => {
      all.push(value)
      return all
    },
    getResult: (all: number[]) => all.length,
    merge: (a: number[], b: number[]) => [...a, ...b],
  }
  return {
    value: backend.getState(new ValueStateDescriptor<unknown>('v', { ttl })),
    list: backend.getListState(new ListStateDescriptor<number>('l', { ttl })),
    map: backend.getMapState(new MapStateDescriptor<string, number>('m', { ttl })),
    sum: backend.getReducingState(new ReducingStateDescriptor<number>('r', (a, b) => a + b, { ttl })),
    length: backend.getAggregatingState(new AggregatingStateDescriptor('g', length, { ttl })),
    own: backend.getState(new ValueStateDescriptor<string>('own', { serializer: upper })),
  }
}

function fill(backend: MemoryStateBackend, ttl?: StateTtlConfig): void {
  const { value, list, map, sum, length, own } = statesOf(backend, ttl)
  KEYS.forEach((key, i) => {
    backend.setCurrentKey(key)
    value.update({ i, at: new Date(i) })
    list.addAll([i, i + 1])
    map.set('x', i)
    sum.add(i)
    length.add(i)
    own.update('abc')
  })
}

function contents(backend: MemoryStateBackend, ttl?: StateTtlConfig) {
  const { value, list, map, sum, length, own } = statesOf(backend, ttl)
  return KEYS.map((key) => {
    backend.setCurrentKey(key)
    return [value.value(), [...list.get()], [...map], sum.get(), length.get(), own.value()]
  })
}

const FULL = KEYS.map((_, i) => [{ i, at: new Date(i) }, [i, i + 1], [['x', i]], i, 1, 'ABC'])
const EXPIRED = KEYS.map(() => [undefined, [], [], undefined, undefined, 'ABC'])

function filled(ttl?: StateTtlConfig, clock = new VirtualClock()) {
  const backend = open(clock)
  fill(backend, ttl)
  return backend
}

describe('large state that comes back', () => {
  test('is the same as small state, of every kind, also of a serializer of the program', async () => {
    const large = open()
    await large.restore([await snapshotOf(filled(), 1)])
    expect(contents(large)).toEqual(FULL)
    const small = open()
    expect(small.restore([storedBytes(keyedSnapshot(filled(), 1), WHOLE)])).toBeUndefined()
    expect(contents(small)).toEqual(FULL)
  })

  test('gives the event loop its turns while it is decoded', async () => {
    let turns = 0
    let now = 0
    const clock = new VirtualClock()
    // Each look at the clock finds it two milliseconds on.
    const slow = Object.assign(Object.create(clock) as VirtualClock, { monotonic: () => (now += 2) })
    const backend = open(slow, {
      next(turn) {
        turns++
        setImmediate(turn)
      },
    })
    await backend.restore([await snapshotOf(filled(), 1)])
    expect(turns).toBeGreaterThan(3)
    expect(contents(backend)).toEqual(FULL)
  })

  test('that the program does not ask for goes on, while a snapshot walks and when it is asked for late', async () => {
    const first = open()
    await first.restore([await snapshotOf(filled(), 1)])
    expect(first.keysOf('v')).toEqual([])
    const second = open()
    await second.restore([await snapshotOf(first, 2)])
    const frozen = second.freeze(3)
    frozen.step(100)
    expect(contents(second)).toEqual(FULL)
    const { value, list, length } = statesOf(second)
    for (const key of KEYS) {
      second.setCurrentKey(key)
      value.update('changed')
      list.add(99)
      length.add(99)
    }
    const third = open()
    await third.restore([await writtenOf(second, frozen)])
    expect(contents(third)).toEqual(FULL)
  })

  test('gets a time-to-live that begins when the program asks, and changes nothing in a snapshot that walks', async () => {
    const clock = new VirtualClock({ startMs: 5000 })
    const backend = open(clock)
    await backend.restore([await snapshotOf(filled(), 1)])
    const frozen = backend.freeze(2)
    frozen.step(50)
    clock.skip(1000)
    expect(contents(backend, TTL)).toEqual(FULL)
    backend.setCurrentKey('k1')
    statesOf(backend, TTL).length.add(5)
    clock.skip(99)
    expect(contents(backend, TTL).slice(2)).toEqual(FULL.slice(2))
    clock.skip(1)
    expect(contents(backend, TTL)).toEqual(EXPIRED)
    const other = open()
    other.restore([storedBytes(finishSnapshot(frozen), WHOLE)])
    expect(contents(other)).toEqual(FULL)
  })

  test('keeps its ages, or loses them to a program without a time-to-live', async () => {
    const clock = new VirtualClock({ startMs: 1000 })
    const stored = await snapshotOf(filled(TTL, clock), 1)
    clock.skip(99)
    const aged = open(clock)
    await aged.restore([stored])
    expect(contents(aged, TTL)).toEqual(FULL)
    clock.skip(1)
    expect(contents(aged, TTL)).toEqual(EXPIRED)
    const plain = open(clock)
    await plain.restore([stored])
    expect(contents(plain)).toEqual(FULL)
  })

  test('leaves out of its next savepoint what has expired, where the program asks for that', async () => {
    const clock = new VirtualClock()
    const backend = open(clock)
    await backend.restore([await snapshotOf(filled(TTL, clock), 1)])
    const cleaned: StateTtlConfig = { ...TTL, cleanupFullSnapshot: true }
    contents(backend, cleaned)
    clock.skip(100)
    const next = await snapshotOf(backend, 2)
    const seeing: StateTtlConfig = { ...TTL, stateVisibility: 'ReturnExpiredIfNotCleanedUp' }
    const other = open(clock)
    await other.restore([next])
    expect(contents(other, seeing)).toEqual(EXPIRED)
  })

  test('has its timers', async () => {
    const clock = new VirtualClock()
    const target = { onEventTime() {}, onProcessingTime() {} }
    const backend = open(clock)
    const timers = createTimerService({ backend, clock, target, due() {} })
    for (const key of KEYS) {
      backend.setCurrentKey(key)
      timers.registerEventTimeTimer('n', 5)
      timers.registerEventTimeTimer(undefined, 7)
    }
    const other = open(clock)
    await other.restore([await snapshotOf(backend, 1)])
    const restored = createTimerService({ backend: other, clock, target, due() {} })
    expect(restored.numEventTimeTimers()).toBe(2 * KEYS.length)
  })

  test('whose file is found damaged at its end gives nothing', async () => {
    const { handle, keyGroups, reader } = await snapshotOf(filled(), 1)
    const backend = open()
    const damaged = {
      read: reader.read,
      async scan(...args: Parameters<typeof reader.scan>) {
        await reader.scan(...args)
        throw new Error('the hash differs')
      },
    }
    await expect(backend.restore([{ handle, keyGroups, reader: damaged }])).rejects.toThrow('the hash differs')
    expect(contents(backend)).toEqual(KEYS.map(() => [undefined, [], [], undefined, undefined, undefined]))
  })
})

describe('an entry that does not take the bytes that it has', () => {
  const stored = async (value: Uint8Array, inline: boolean) => {
    const shelf = new SnapshotShelf()
    const stream = shelf.target(1, WHOLE).open()
    const serializers = [{ id: 'millrace.value', version: 1 }]
    const writer = new CanonicalWriter(stream, {
      maxParallelism: 16,
      tables: [{ kind: 'value', name: 'v', serializers }],
    })
    await writer.add(keyGroupOf('k', 16), 0, Uint8Array.of(0x41, 0x6b), value)
    await writer.end()
    const handle = await stream.finish()
    return inline ? storedBytes(await shelf.read(handle), WHOLE) : { keyGroups: WHOLE, handle, reader: shelf }
  }

  test('is refused with the names of its state and key, however it comes back', async () => {
    for (const value of [Uint8Array.of(0x81, 0x82), Uint8Array.of()])
      for (const inline of [true, false]) {
        const restoring = async () => {
          const backend = open()
          await backend.restore([await stored(value, inline)])
          statesOf(backend)
        }
        await expect(restoring(), `${value.length} bytes`).rejects.toThrow(
          expect.objectContaining({ code: 'STATE_CORRUPT', message: expect.stringContaining('\'v\' of key "k"') }),
        )
        if (value.length > 0)
          await expect(restoring()).rejects.toThrow(
            expect.objectContaining({
              message: expect.stringMatching(/'v' of key "k" takes 2 bytes, and 1 of them/),
              hint: expect.stringContaining('reads another length than it wrote'),
            }),
          )
      }
  })
})
