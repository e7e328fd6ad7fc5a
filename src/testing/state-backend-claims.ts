/** What every keyed state backend must do while records are processed. */
import assert from 'node:assert/strict'
import {
  ListStateDescriptor,
  MapStateDescriptor,
  ReducingStateDescriptor,
  ValueStateDescriptor,
} from '../state/descriptors.ts'
import { COUNT, meanOf, type OpenBackend, text } from './state-backend-fixtures.ts'

export function stateClaims(open: OpenBackend): Record<string, () => Promise<void>> {
  return {
    'a value belongs to its key, and there is none before the first update': async () => {
      const backend = await open()
      const state = backend.getState(COUNT)
      backend.setCurrentKey('a')
      state.update(1)
      backend.setCurrentKey('b')
      assert.equal(state.value(), undefined)
      state.update(2)
      backend.setCurrentKey('a')
      assert.equal(state.value(), 1)
      state.clear()
      assert.equal(state.value(), undefined)
    },
    'a default is made anew for each key, and update(undefined) clears': async () => {
      const backend = await open()
      const state = backend.getState(new ValueStateDescriptor<number[]>('list', { default: () => [] }))
      backend.setCurrentKey('a')
      const first = state.value()
      assert.deepEqual(first, [])
      backend.setCurrentKey('b')
      assert.notEqual(state.value(), first)
      state.update([1])
      state.update(undefined)
      assert.deepEqual(state.value(), [])
    },
    'keys are equal by encoded value': async () => {
      const backend = await open()
      const state = backend.getState(COUNT)
      const same: readonly (readonly [unknown, unknown])[] = [
        [Number.NaN, Number.NaN],
        [-0, 0],
        [
          [1, 'a'],
          [1, 'a'],
        ],
        [
          { a: 1, b: [true, 2n] },
          { b: [true, 2n], a: 1 },
        ],
        [[-0], [0]],
        ['\u0000c', '\u0000c'],
      ]
      same.forEach(([one, other], index) => {
        backend.setCurrentKey(one)
        state.update(index)
        backend.setCurrentKey(other)
        assert.equal(state.value(), index)
      })
      const different: readonly unknown[] = [
        1,
        '1',
        1n,
        true,
        'true',
        [1],
        ['1'],
        [[1]],
        { a: 1 },
        {},
        [],
        '',
        '\u0000',
        '\u0000s',
        '\ud800',
        '\ufffd',
      ]
      different.forEach((key, index) => {
        backend.setCurrentKey(key)
        state.update(100 + index)
      })
      different.forEach((key, index) => {
        backend.setCurrentKey(key)
        assert.equal(state.value(), 100 + index)
        assert.deepEqual(backend.currentKey(), key)
      })
    },
    'what cannot be a key is refused, and the former key stays': async () => {
      const backend = await open()
      const state = backend.getState(COUNT)
      backend.setCurrentKey('a')
      state.update(1)
      for (const key of [
        undefined,
        null,
        new Date(0),
        Symbol('s'),
        () => 1,
        new Map(),
        [undefined],
        { a: { b: new Date(0) } },
        Promise.resolve(),
      ])
        assert.throws(() => backend.setCurrentKey(key), { code: 'INVALID_KEY' })
      assert.equal(backend.currentKey(), 'a')
      assert.equal(state.value(), 1)
    },
    'using a state without a key is an error': async () => {
      const backend = await open()
      const state = backend.getState(COUNT)
      const list = backend.getListState(new ListStateDescriptor<number>('list'))
      const map = backend.getMapState(new MapStateDescriptor<string, number>('map'))
      const uses = [
        () => state.value(),
        () => state.update(1),
        () => list.get(),
        () => list.add(1),
        () => map.get('x'),
        () => map.set('x', 1),
        () => backend.currentKey(),
      ]
      for (const use of uses) assert.throws(use, { code: 'NO_CURRENT_KEY' })
      backend.setCurrentKey('a')
      for (const use of uses) use()
      backend.clearCurrentKey()
      for (const use of uses) assert.throws(use, { code: 'NO_CURRENT_KEY' })
    },
    'a list is never undefined, and one that was got does not change': async () => {
      const backend = await open()
      const list = backend.getListState(new ListStateDescriptor<string>('l'))
      backend.setCurrentKey(1)
      assert.deepEqual([...list.get()], [])
      list.add('a')
      list.addAll(['b', 'c'])
      const got = list.get()
      list.add('d')
      assert.deepEqual([...got], ['a', 'b', 'c'])
      list.update(['x'])
      assert.deepEqual([...list.get()], ['x'])
      list.update([])
      assert.deepEqual([...list.get()], [])
      list.add('y')
      list.clear()
      assert.deepEqual([...list.get()], [])
    },
    'a map state has what a Map has, and the names of Flink': async () => {
      const backend = await open()
      const map = backend.getMapState(new MapStateDescriptor<unknown, number>('m'))
      backend.setCurrentKey('k')
      assert.equal(map.isEmpty(), true)
      assert.equal(map.set('a', 1).set(2, 2).set([3], 3), map)
      map.put('b', 4)
      assert.deepEqual([map.get('a'), map.get(2), map.get([3]), map.get('z')], [1, 2, 3, undefined])
      assert.deepEqual([map.has([3]), map.contains('b'), map.has('z')], [true, true, false])
      assert.deepEqual(
        new Map(map),
        new Map<unknown, number>([
          ['a', 1],
          [2, 2],
          [[3], 3],
          ['b', 4],
        ]),
      )
      assert.deepEqual([...map.entries()].length, 4)
      assert.deepEqual([...map.values()].sort(), [1, 2, 3, 4])
      assert.deepEqual([map.delete('a'), map.delete('a')], [true, false])
      map.remove(2)
      assert.deepEqual([...map.keys()], [[3], 'b'])
      assert.throws(() => map.set(new Date(0), 1), { code: 'INVALID_KEY' })
      backend.setCurrentKey('other')
      assert.equal(map.isEmpty(), true)
      backend.setCurrentKey('k')
      map.clear()
      assert.equal(map.isEmpty(), true)
    },
    'reducing and aggregating states fold what is added': async () => {
      const backend = await open()
      const sum = backend.getReducingState(new ReducingStateDescriptor<number>('sum', (a, b) => a + b))
      const mean = backend.getAggregatingState(meanOf)
      backend.setCurrentKey('k')
      assert.deepEqual([sum.get(), mean.get()], [undefined, undefined])
      for (const n of [1, 2, 6]) {
        sum.add(n)
        mean.add(n)
      }
      assert.deepEqual([sum.get(), mean.get()], [9, 3])
      sum.clear()
      mean.clear()
      assert.deepEqual([sum.get(), mean.get()], [undefined, undefined])
    },
    'one name is one state: the same values again, and no other kind or serializer': async () => {
      const backend = await open()
      backend.setCurrentKey('k')
      backend.getState(COUNT).update(7)
      assert.equal(backend.getState(new ValueStateDescriptor<number>('count')).value(), 7)
      assert.throws(() => backend.getListState(new ListStateDescriptor<number>('count')), { code: 'STATE_CONFLICT' })
      assert.throws(() => backend.getState(new ValueStateDescriptor('count', { serializer: text(1) })), {
        code: 'STATE_CONFLICT',
      })
    },
  }
}
