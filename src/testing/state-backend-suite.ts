/**
 * What every keyed state backend must do, as claims that any test runner can run: each throws when the claim does not
 * hold. `for (const { claim, run } of stateBackendSuite(create)) test(claim, run)`.
 */
import assert from 'node:assert/strict'
import type { Serializer } from '../elements/serializer.ts'
import {
  AggregatingStateDescriptor,
  ListStateDescriptor,
  MapStateDescriptor,
  ReducingStateDescriptor,
  ValueStateDescriptor,
} from '../state/descriptors.ts'
import type { KeyGroupRange } from '../state/key-group-range.ts'
import { keyGroupOf, keyGroupRanges } from '../state/key-groups.ts'
import type { KeyedStateBackend, KeyedStatePayload } from '../state/state-backend.ts'
import { finishSnapshot, keyedSnapshot } from './keyed-snapshot.ts'

export interface StateBackendCase {
  readonly claim: string
  run(): Promise<void>
}

export interface StateBackendSuiteOptions {
  /** A new, empty backend. */
  create(options: { readonly maxParallelism: number; readonly keyGroups: KeyGroupRange }): KeyedStateBackend | Promise<KeyedStateBackend>
}

const MAX_PARALLELISM = 16
const WHOLE: KeyGroupRange = { first: 0, last: MAX_PARALLELISM - 1 }
const COUNT = new ValueStateDescriptor<number>('count')

export function stateBackendSuite({ create }: StateBackendSuiteOptions): readonly StateBackendCase[] {
  const open = async (payloads: readonly KeyedStatePayload[] = [], keyGroups = WHOLE): Promise<KeyedStateBackend> => {
    const backend = await create({ maxParallelism: MAX_PARALLELISM, keyGroups })
    if (payloads.length > 0) await backend.restore(payloads)
    return backend
  }
  const reopened = (backend: KeyedStateBackend, id = 1) => open([{ bytes: keyedSnapshot(backend, id), keyGroups: WHOLE }])

  const claims: Record<string, () => Promise<void>> = {
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
        [[1, 'a'], [1, 'a']],
        [{ a: 1, b: [true, 2n] }, { b: [true, 2n], a: 1 }],
        [[-0], [0]],
        ['\u0000c', '\u0000c'],
      ]
      same.forEach(([one, other], index) => {
        backend.setCurrentKey(one)
        state.update(index)
        backend.setCurrentKey(other)
        assert.equal(state.value(), index)
      })
      const different: readonly unknown[] = [1, '1', 1n, true, 'true', [1], ['1'], [[1]], { a: 1 }, {}, [], '', '\u0000', '\u0000s', '\ud800', '\ufffd']
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
      for (const key of [undefined, null, new Date(0), Symbol('s'), () => 1, new Map(), [undefined], { a: { b: new Date(0) } }, Promise.resolve()])
        assert.throws(() => backend.setCurrentKey(key), { code: 'INVALID_KEY' })
      assert.equal(backend.currentKey(), 'a')
      assert.equal(state.value(), 1)
    },
    'using a state without a key is an error': async () => {
      const backend = await open()
      const state = backend.getState(COUNT)
      const list = backend.getListState(new ListStateDescriptor<number>('list'))
      const map = backend.getMapState(new MapStateDescriptor<string, number>('map'))
      const uses = [() => state.value(), () => state.update(1), () => list.get(), () => list.add(1), () => map.get('x'), () => map.set('x', 1), () => backend.currentKey()]
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
      assert.deepEqual(new Map(map), new Map<unknown, number>([['a', 1], [2, 2], [[3], 3], ['b', 4]]))
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
      assert.throws(() => backend.getState(new ValueStateDescriptor('count', { serializer: text(1) })), { code: 'STATE_CONFLICT' })
    },
    'every kind of state comes back from a snapshot': async () => {
      const backend = await open()
      const fill = (key: unknown, n: number) => {
        backend.setCurrentKey(key)
        backend.getState(COUNT).update(n)
        backend.getListState(new ListStateDescriptor<unknown>('l')).addAll([n, undefined, { n }])
        backend.getMapState(new MapStateDescriptor<unknown, Date>('m')).set([n], new Date(n)).set(Number.NaN, new Date(-1))
        backend.getReducingState(new ReducingStateDescriptor<bigint>('r', (a, b) => a + b)).add(BigInt(n))
        backend.getAggregatingState(meanOf).add(n)
      }
      const keys: readonly unknown[] = ['a', 1, 2.5, -7n, true, [1, { x: 'y' }], '\u0000c', 2n ** 80n, '']
      keys.forEach(fill)
      const other = await reopened(backend)
      keys.forEach((key, n) => {
        other.setCurrentKey(key)
        assert.equal(other.getState(COUNT).value(), n)
        assert.deepEqual([...other.getListState(new ListStateDescriptor<unknown>('l')).get()], [n, undefined, { n }])
        const map = other.getMapState(new MapStateDescriptor<unknown, Date>('m'))
        assert.deepEqual([...map], [[[n], new Date(n)], [Number.NaN, new Date(-1)]])
        assert.equal(other.getReducingState(new ReducingStateDescriptor<bigint>('r', (a, b) => a + b)).get(), BigInt(n))
        assert.equal(other.getAggregatingState(meanOf).get(), n)
      })
    },
    'a snapshot holds what was stored at its freeze, whatever comes after': async () => {
      const backend = await open()
      const state = backend.getState(COUNT)
      const list = backend.getListState(new ListStateDescriptor<number>('l'))
      const map = backend.getMapState(new MapStateDescriptor<string, number>('m'))
      const put = (key: string, n: number) => {
        backend.setCurrentKey(key)
        state.update(n)
        list.add(n)
        map.set('x', n)
      }
      for (let i = 0; i < 20; i++) put(`k${i}`, i)
      const frozen = backend.freeze(1)
      frozen.step(7)
      for (let i = 0; i < 20; i += 2) put(`k${i}`, 1000)
      backend.setCurrentKey('k1')
      state.clear()
      map.delete('x')
      list.clear()
      put('k1', 2000)
      put('new', 3000)
      const other = await open([{ bytes: finishSnapshot(frozen), keyGroups: WHOLE }])
      for (let i = 0; i < 20; i++) {
        other.setCurrentKey(`k${i}`)
        assert.equal(other.getState(COUNT).value(), i)
        assert.deepEqual([...other.getListState(new ListStateDescriptor<number>('l')).get()], [i])
        assert.equal(other.getMapState(new MapStateDescriptor<string, number>('m')).get('x'), i)
      }
      other.setCurrentKey('new')
      assert.equal(other.getState(COUNT).value(), undefined)
      backend.setCurrentKey('k1')
      assert.equal(state.value(), 2000)
    },
    'a function that changes its accumulator in place does not change a snapshot': async () => {
      const backend = await open()
      const mean = backend.getAggregatingState(meanOf)
      backend.setCurrentKey('k')
      mean.add(1)
      const frozen = backend.freeze(1)
      mean.add(99)
      const other = await open([{ bytes: finishSnapshot(frozen), keyGroups: WHOLE }])
      other.setCurrentKey('k')
      assert.equal(other.getAggregatingState(meanOf).get(), 1)
    },
    'a released snapshot serialises nothing any more, and the others go on': async () => {
      let serialised = 0
      const counted = new ValueStateDescriptor<string>('s', { serializer: text(1, () => void serialised++) })
      const backend = await open()
      const state = backend.getState(counted)
      for (const key of ['a', 'b', 'c']) {
        backend.setCurrentKey(key)
        state.update(key)
      }
      const given = backend.freeze(1)
      const kept = backend.freeze(2)
      given.release()
      given.release()
      const bytes = finishSnapshot(kept)
      const before = serialised
      backend.setCurrentKey('a')
      state.update('later')
      assert.equal(serialised, before)
      const other = await open([{ bytes, keyGroups: WHOLE }])
      other.setCurrentKey('a')
      assert.equal(other.getState(counted).value(), 'a')
    },
    'state comes back at another parallelism, both ways': async () => {
      const keys = Array.from({ length: 200 }, (_, i) => `key-${i}`)
      let parts: { readonly backend: KeyedStateBackend; readonly keyGroups: KeyGroupRange }[] = [{ backend: await open(), keyGroups: WHOLE }]
      keys.forEach((key, i) => {
        const [{ backend }] = parts as [(typeof parts)[0]]
        backend.setCurrentKey(key)
        backend.getState(COUNT).update(i)
      })
      for (const parallelism of [3, 5, 2, 16, 1]) {
        const payloads = parts.map(({ backend, keyGroups }) => ({ bytes: keyedSnapshot(backend, 1), keyGroups }))
        parts = await Promise.all(
          keyGroupRanges(MAX_PARALLELISM, parallelism).map(async (keyGroups) => ({ backend: await open(payloads, keyGroups), keyGroups })),
        )
        for (const { backend, keyGroups } of parts)
          keys.forEach((key, i) => {
            const group = keyGroupOf(key, MAX_PARALLELISM)
            backend.setCurrentKey(key)
            const own = group >= keyGroups.first && group <= keyGroups.last
            assert.equal(backend.getState(COUNT).value(), own ? i : undefined, `${key} at parallelism ${parallelism}`)
          })
      }
    },
    'restored state that the program does not ask for is kept for the next snapshot': async () => {
      const backend = await open()
      backend.setCurrentKey('k')
      backend.getState(COUNT).update(5)
      const second = await reopened(backend, 1)
      const third = await reopened(second, 2)
      third.setCurrentKey('k')
      assert.equal(third.getState(COUNT).value(), 5)
    },
    'a lower version of a serializer is read with its version; a higher one, another id and another kind are refused': async () => {
      const backend = await open()
      backend.setCurrentKey('k')
      backend.getState(new ValueStateDescriptor<string>('s', { serializer: text(2) })).update('v')
      const newer = await reopened(backend)
      newer.setCurrentKey('k')
      assert.equal(newer.getState(new ValueStateDescriptor<string>('s', { serializer: text(3) })).value(), 'v, of version 2')
      const refused = { code: 'STATE_INCOMPATIBLE' }
      const older = await reopened(backend)
      assert.throws(() => older.getState(new ValueStateDescriptor<string>('s', { serializer: text(1) })), refused)
      assert.throws(() => older.getState(new ValueStateDescriptor<string>('s')), refused)
      assert.throws(() => older.getListState(new ListStateDescriptor<string>('s', { serializer: text(2) })), refused)
    },
    'damaged bytes and another max parallelism are refused': async () => {
      const backend = await open()
      backend.setCurrentKey('k')
      backend.getState(COUNT).update(5)
      const bytes = keyedSnapshot(backend, 1)
      for (let i = 0; i < bytes.length; i++)
        for (const bit of [1, 16]) {
          const damaged = bytes.slice()
          damaged[i] = (damaged[i] as number) ^ bit
          await assert.rejects(open([{ bytes: damaged, keyGroups: WHOLE }]), { code: /^STATE_(CORRUPT|INCOMPATIBLE)$/ } as object, `byte ${i}`)
        }
      for (let length = 0; length < bytes.length; length++) {
        const cut = open([{ bytes: bytes.subarray(0, length), keyGroups: WHOLE }])
        const outcome = await cut.then(
          (other) => {
            other.setCurrentKey('k')
            return other.getState(COUNT).value()
          },
          (thrown: { readonly code?: string }) => thrown.code,
        )
        // Cut right behind the header it is a payload without entries: the length in the handle tells that.
        assert.ok(outcome === undefined || outcome === 'STATE_CORRUPT', `${length} bytes: ${outcome}`)
      }
      const wider = await create({ maxParallelism: 32, keyGroups: { first: 0, last: 31 } })
      await assert.rejects(async () => wider.restore([{ bytes, keyGroups: WHOLE }]), { code: 'STATE_INCOMPATIBLE' })
    },
    'a serializer that throws fails the snapshot and nothing else': async () => {
      let broken = false
      const fragile = new ValueStateDescriptor<string>('s', {
        serializer: text(1, () => {
          if (broken) throw new Error('out of ink')
        }),
      })
      const backend = await open()
      const state = backend.getState(fragile)
      backend.setCurrentKey('k')
      state.update('v')
      const walked = backend.freeze(1)
      const touched = backend.freeze(2)
      broken = true
      const failure = { code: 'NOT_SERIALIZABLE', message: /'s'.*"k".*out of ink/s }
      state.update('w')
      assert.throws(() => walked.step(10), failure)
      assert.throws(() => touched.step(10), failure)
      walked.release()
      touched.release()
      assert.equal(state.value(), 'w')
      broken = false
      const other = await reopened(backend, 3)
      other.setCurrentKey('k')
      assert.equal(other.getState(fragile).value(), 'w')
    },
  }
  return Object.entries(claims).map(([claim, run]) => ({ claim, run }))
}

const meanOf = new AggregatingStateDescriptor('mean', {
  createAccumulator: () => ({ sum: 0, count: 0 }),
  add(value: number, accumulator) {
    accumulator.sum += value
    accumulator.count++
    return accumulator
  },
  getResult: ({ sum, count }) => sum / count,
  merge: (a, b) => ({ sum: a.sum + b.sum, count: a.count + b.count }),
})

function text(version: number, serialising: () => void = () => {}): Serializer<string> {
  return {
    id: 'text',
    version,
    serialize(value) {
      serialising()
      return new TextEncoder().encode(value)
    },
    deserialize: (bytes, from) => new TextDecoder().decode(bytes) + (from === version ? '' : `, of version ${from}`),
  }
}
