import { describe, expect, test } from 'vitest'
import type { Serializer } from '../../../src/elements/serializer.ts'
import { ListStateDescriptor } from '../../../src/state/descriptors.ts'
import { operatorStateStore } from '../../../src/state/operator-state.ts'
import {
  decodeOperatorState,
  encodeOperatorState,
  type StoredOperatorState,
} from '../../../src/state/operator-state-format.ts'
import { redistributeOperatorState } from '../../../src/state/redistribution.ts'

const SPLITS = new ListStateDescriptor<unknown>('splits')
const numbered = (version: number): Serializer<number> => ({
  id: 'numbered',
  version,
  serialize: (value) => Uint8Array.of(value),
  deserialize: (bytes, from) => (bytes[0] as number) + from * 100,
})
const saved = (
  subtask: number,
  fill: (store: ReturnType<typeof operatorStateStore>) => void,
  restored?: readonly StoredOperatorState[],
) => {
  const store = operatorStateStore({ subtask, restored })
  fill(store)
  const bytes = store.snapshot()
  return bytes === undefined ? undefined : decodeOperatorState(bytes)
}

describe('operator state', () => {
  test('is a list that belongs to the subtask', () => {
    const store = operatorStateStore({ subtask: 0 })
    const list = store.getListState(SPLITS)
    expect([...list.get()]).toEqual([])
    list.add('a')
    const got = list.get()
    list.addAll(['b', undefined])
    expect([[...got], [...list.get()]]).toEqual([['a'], ['a', 'b', undefined]])
    list.update(['c'])
    expect([...store.getListState(SPLITS).get()]).toEqual(['c'])
    list.clear()
    expect([...list.get()]).toEqual([])
  })

  test('without any list has nothing to snapshot', () => {
    expect(operatorStateStore({ subtask: 0 }).snapshot()).toBeUndefined()
  })

  test('comes back at another parallelism: split lists dealt out, union lists whole', () => {
    const fill = (elements: readonly unknown[]) => (store: ReturnType<typeof operatorStateStore>) => {
      store.getListState(SPLITS).addAll(elements)
      store.getUnionListState(new ListStateDescriptor<unknown>('offsets')).addAll(elements)
    }
    const reported = [saved(0, fill([1, -0, { a: new Date(3) }])), saved(1, fill([4n])), undefined]
    const lists = redistributeOperatorState(reported, 2).map((restored, subtask) => {
      const store = operatorStateStore({ subtask, restored })
      return {
        splits: [...store.getListState(SPLITS).get()],
        offsets: [...store.getUnionListState(new ListStateDescriptor<unknown>('offsets')).get()],
      }
    })
    const all = [1, -0, { a: new Date(3) }, 4n]
    expect(lists).toEqual([
      { splits: [1, -0], offsets: all },
      { splits: [{ a: new Date(3) }, 4n], offsets: all },
    ])
  })

  test('that the program does not ask for goes into the next snapshot, and a union does not multiply', () => {
    const before = [0, 1].map((subtask) =>
      saved(subtask, (store) => {
        store.getListState(SPLITS).add(subtask)
        store.getUnionListState(new ListStateDescriptor<number>('union')).add(subtask)
      }),
    )
    const passOn = (reported: readonly (readonly StoredOperatorState[] | undefined)[]) =>
      redistributeOperatorState(reported, 2).map((restored, subtask) => saved(subtask, () => {}, restored))
    const after = redistributeOperatorState(passOn(passOn(before)), 2).map((restored) => {
      const store = operatorStateStore({ subtask: 0, restored })
      return [
        [...store.getListState(SPLITS).get()],
        [...store.getUnionListState(new ListStateDescriptor<number>('union')).get()],
      ]
    })
    expect(after).toEqual([
      [[0], [0, 1]],
      [[1], [0, 1]],
    ])
  })

  test('is read with the version that wrote it; a newer version, another serializer and another mode are refused', () => {
    const restored = saved(0, (store) =>
      store.getListState(new ListStateDescriptor('n', { serializer: numbered(2) })).add(7),
    )
    const open = () => operatorStateStore({ subtask: 0, restored })
    expect([
      ...open()
        .getListState(new ListStateDescriptor('n', { serializer: numbered(3) }))
        .get(),
    ]).toEqual([207])
    const refused = expect.objectContaining({ code: 'STATE_INCOMPATIBLE' })
    expect(() => open().getListState(new ListStateDescriptor('n', { serializer: numbered(1) }))).toThrow(refused)
    expect(() => open().getListState(new ListStateDescriptor('n'))).toThrow(refused)
    expect(() => open().getUnionListState(new ListStateDescriptor('n', { serializer: numbered(2) }))).toThrow(refused)
  })

  test('has one mode and serializer a name', () => {
    const store = operatorStateStore({ subtask: 0 })
    store.getListState(SPLITS)
    const refused = expect.objectContaining({ code: 'STATE_CONFLICT' })
    expect(() => store.getUnionListState(SPLITS)).toThrow(refused)
    expect(() => store.getListState(new ListStateDescriptor('splits', { serializer: numbered(1) }))).toThrow(refused)
  })

  test('that cannot be serialised is named with its place', () => {
    const store = operatorStateStore({ subtask: 0 })
    store.getListState(SPLITS).addAll([1, { run: () => 1 }])
    expect(() => store.snapshot()).toThrow(
      expect.objectContaining({
        code: 'NOT_SERIALIZABLE',
        message: expect.stringMatching(/Element 1 .*'splits'.*value\.run/s),
      }),
    )
  })

  test('of subtasks that disagree about a mode is refused', () => {
    const state = (mode: 'split' | 'union') => [{ name: 's', mode, elements: ['a'] }]
    expect(() => redistributeOperatorState([state('split'), state('union')], 2)).toThrow(
      expect.objectContaining({ code: 'STATE_INCOMPATIBLE' }),
    )
  })
})

test('operator state of subtasks that wrote it with different serializers is refused, not read with one of them', () => {
  const state = (version: number) => [
    { name: 's', mode: 'split' as const, serializer: { id: 'numbered', version }, elements: [Uint8Array.of(1)] },
  ]
  expect(() => redistributeOperatorState([state(1), undefined, state(2)], 2)).toThrow(
    expect.objectContaining({ code: 'STATE_INCOMPATIBLE' }),
  )
  expect(redistributeOperatorState([state(2), undefined, state(2)], 1)).toHaveLength(1)
})

describe('the bytes of operator state', () => {
  const bytes = encodeOperatorState([
    { name: 'n', mode: 'split', serializer: { id: 'x', version: 1 }, elements: [Uint8Array.of(1, 2)] },
  ])

  test('are refused when any of them is changed or missing, or one is added', () => {
    const refused = { code: expect.stringMatching(/^STATE_(CORRUPT|INCOMPATIBLE)$/) }
    const damaged = [
      ...Array.from(bytes, (byte, i) => bytes.with(i, byte ^ 1)),
      ...Array.from(bytes, (_, i) => bytes.subarray(0, i)),
      Uint8Array.of(...bytes, 0),
    ]
    for (const wrong of damaged) expect(() => decodeOperatorState(wrong)).toThrow(expect.objectContaining(refused))
    expect(decodeOperatorState(bytes)).toHaveLength(1)
  })
})
