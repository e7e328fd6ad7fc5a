import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Serializer } from '../../../src/elements/serializer.ts'
import type { BroadcastState } from '../../../src/state/broadcast-state.ts'
import { ListStateDescriptor, MapStateDescriptor } from '../../../src/state/descriptors.ts'
import { operatorStateStore } from '../../../src/state/operator-state.ts'
import { decodeOperatorState, type StoredOperatorState } from '../../../src/state/operator-state-format.ts'
import { ReadOnlyView } from '../../../src/state/read-only-broadcast-state.ts'
import { redistributeOperatorState } from '../../../src/state/redistribution.ts'

const RULES = new MapStateDescriptor<unknown, unknown>('rules')

type Fill = (state: BroadcastState<unknown, unknown>) => void
type Reported = readonly (readonly StoredOperatorState[] | undefined)[]

const fresh = () => operatorStateStore({ subtask: 0 }).getBroadcastState(RULES)

/** What `parallelism` subtasks report that were restored from `before`. */
function reported(parallelism: number, fill: Fill | undefined, before: Reported = []): Reported {
  const shares = before.length === 0 ? [] : redistributeOperatorState(before, parallelism)
  return Array.from({ length: parallelism }, (_, subtask) => {
    const store = operatorStateStore({ subtask, restored: shares[subtask] })
    if (fill !== undefined) fill(store.getBroadcastState(RULES))
    const bytes = store.snapshot()
    return bytes === undefined ? undefined : decodeOperatorState(bytes)
  })
}

/** By subtask, what it has after a restore. */
function restored(before: Reported, parallelism: number) {
  return redistributeOperatorState(before, parallelism).map((share, subtask) => [
    ...operatorStateStore({ subtask, restored: share }).getBroadcastState(RULES),
  ])
}

describe('Broadcast state', () => {
  test('is a map, under the names of a Map and those of Flink', () => {
    const state = fresh()
    expect(state.isEmpty()).toBe(true)
    state.set('a', 1).set('b', 2)
    state.put('c', undefined)
    expect([state.get('a'), state.get('x'), state.has('c'), state.contains('x')]).toEqual([1, undefined, true, false])
    expect([[...state.keys()], [...state.values()], [...state.entries()]]).toEqual([
      ['a', 'b', 'c'],
      [1, 2, undefined],
      [...state],
    ])
    expect([state.delete('a'), state.delete('a')]).toEqual([true, false])
    state.remove('b')
    expect([...state]).toEqual([['c', undefined]])
    state.clear()
    expect(state.isEmpty()).toBe(true)
  })

  test('compares keys by their encoded value, and gives them back as they were', () => {
    const state = fresh()
    state.set([1, 'x'], 'array').set({ b: 1, a: 2 }, 'object').set(Number.NaN, 'nan').set(0, 'zero').set(1n, 'bigint')
    expect(state.get([1, 'x'])).toBe('array')
    expect(state.get({ a: 2, b: 1 })).toBe('object')
    expect([state.get(Number.NaN), state.get(-0), state.get(1)]).toEqual(['nan', 'zero', undefined])
    expect([...state.keys()].slice(2)).toEqual([Number.NaN, 0, 1n])
    expect(() => state.set(new Date(0), 1)).toThrow(expect.objectContaining({ code: 'INVALID_KEY' }))
    expect(() => state.get(undefined)).toThrow(expect.objectContaining({ code: 'INVALID_KEY' }))
  })

  test('is whole in every subtask after a restore at any parallelism, in the order in which keys were first set', () => {
    const fill: Fill = (state) => {
      state
        .set('z', 1)
        .set(['k', 2n], new Date(5))
        .set('a', -0)
        .set('z', { deep: [undefined] })
      state.delete('a')
      state.set('a', new Map([[1, 2]]))
    }
    const whole = [
      ['z', { deep: [undefined] }],
      [['k', 2n], new Date(5)],
      ['a', new Map([[1, 2]])],
    ]
    for (const from of [1, 2, 3])
      for (const to of [1, 2, 3, 5])
        expect({ from, to, states: restored(reported(from, fill), to) }).toEqual({
          from,
          to,
          states: Array.from({ length: to }, () => whole),
        })
  })

  test('an empty one stays declared', () => {
    expect(
      restored(
        reported(2, () => {}),
        3,
      ),
    ).toEqual([[], [], []])
  })

  test('that the program no longer declares is kept, and does not multiply with restores', () => {
    let passed = reported(2, (state) => void state.set('a', 1).set('b', 2))
    for (const parallelism of [3, 1, 2, 2]) passed = reported(parallelism, undefined, passed)
    expect(passed.map((states) => states?.map(({ elements }) => elements.length))).toEqual([[2], [2]])
    expect(restored(passed, 2)).toEqual([1, 2].map(() => [...new Map(Object.entries({ a: 1, b: 2 }))]))
  })

  test('goes through any number of snapshots, restores and changes as a Map would', () => {
    const key = fc.oneof(fc.string({ maxLength: 2 }), fc.integer({ min: 0, max: 3 }), fc.tuple(fc.nat(1), fc.nat(1)))
    const change = fc.oneof(
      fc.record({ type: fc.constant('set' as const), key, value: fc.anything({ maxDepth: 1 }).filter(isPlain) }),
      fc.record({ type: fc.constant('delete' as const), key }),
      fc.record({ type: fc.constant('restore' as const), parallelism: fc.integer({ min: 1, max: 3 }) }),
    )
    fc.assert(
      fc.property(fc.array(change, { maxLength: 30 }), (changes) => {
        const oracle = new Map<string, readonly [unknown, unknown]>()
        let before = reported(1, () => {})
        for (const each of changes) {
          if (each.type === 'restore') before = reported(each.parallelism, () => {}, before)
          else {
            const name = JSON.stringify(each.key)
            if (each.type === 'delete') oracle.delete(name)
            else oracle.set(name, [each.key, each.value])
            const change: Fill = (state) =>
              each.type === 'delete' ? void state.delete(each.key) : void state.set(each.key, each.value)
            before = reported(before.length, change, before)
          }
        }
        for (const entries of restored(before, 2)) expect(entries).toEqual([...oracle.values()])
      }),
    )
  })

  test('reads values with the version of the serializer that wrote them, and refuses a newer one and another kind', () => {
    const serializer = (version: number): Serializer<number> => ({
      id: 'n',
      version,
      serialize: (value) => Uint8Array.of(value),
      deserialize: (bytes, from) => (bytes[0] as number) + from * 100,
    })
    const declared = (version: number) =>
      new MapStateDescriptor<string, number>('n', { serializer: serializer(version) })
    const store = operatorStateStore({ subtask: 0 })
    store.getBroadcastState(declared(2)).set('a', 7)
    const share = decodeOperatorState(store.snapshot() as Uint8Array)
    const open = () => operatorStateStore({ subtask: 0, restored: share })
    expect([...open().getBroadcastState(declared(3))]).toEqual([['a', 207]])
    const refused = expect.objectContaining({ code: 'STATE_INCOMPATIBLE' })
    expect(() => open().getBroadcastState(declared(1))).toThrow(refused)
    expect(() => open().getBroadcastState(new MapStateDescriptor('n'))).toThrow(refused)
    expect(() => open().getListState(new ListStateDescriptor('n', { serializer: serializer(2) }))).toThrow(refused)
  })

  test('shares its names with the lists, and has no time-to-live', () => {
    const store = operatorStateStore({ subtask: 0 })
    const state = store.getBroadcastState(RULES)
    expect(store.getBroadcastState(new MapStateDescriptor('rules'))).toBe(state)
    expect(() => store.getListState(new ListStateDescriptor('rules'))).toThrow(
      expect.objectContaining({ code: 'STATE_CONFLICT' }),
    )
    expect(() => store.getBroadcastState(new MapStateDescriptor('ttl', { ttl: { ttl: '1 s' } }))).toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED' }),
    )
  })

  test('names the state and the key of a value that cannot be serialised', () => {
    const store = operatorStateStore({ subtask: 0 })
    store.getBroadcastState(RULES).set(['k', 1n], () => {})
    expect(() => store.snapshot()).toThrow(
      expect.objectContaining({ code: 'NOT_SERIALIZABLE', message: expect.stringMatching(/\["k","1n"\].*'rules'/) }),
    )
  })

  test('shown to be read follows what is written, and refuses every change', () => {
    const state = fresh()
    const view = new ReadOnlyView(state, 'rules')
    state.set('a', 1).set([2], 2)
    expect([view.get('a'), view.has([2]), view.contains('b'), view.isEmpty()]).toEqual([1, true, false, false])
    expect([...view]).toEqual([...state])
    expect([[...view.keys()], [...view.values()], [...view.entries()]]).toEqual([['a', [2]], [1, 2], [...state]])
    for (const method of ['set', 'put', 'delete', 'remove', 'clear'])
      expect(() => Reflect.apply(Reflect.get(view, method), view, ['a', 2])).toThrow(
        expect.objectContaining({ code: 'STATE_READ_ONLY', message: expect.stringContaining("'rules'") }),
      )
    expect([...state]).toHaveLength(2)
  })
})

/** What the default serializer keeps. */
function isPlain(value: unknown): boolean {
  try {
    structuredClone(value)
    return typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== null
  } catch {
    // Functions and symbols.
    return false
  }
}
