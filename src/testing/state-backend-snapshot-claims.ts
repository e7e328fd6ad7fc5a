/** What the snapshots of every keyed state backend must hold, and what a restore must give back. */
import assert from 'node:assert/strict'
import {
  ListStateDescriptor,
  MapStateDescriptor,
  ReducingStateDescriptor,
  ValueStateDescriptor,
} from '../state/descriptors.ts'
import type { KeyGroupRange } from '../state/key-group-range.ts'
import { keyGroupOf, keyGroupRanges } from '../state/key-groups.ts'
import type { KeyedStateBackend } from '../state/state-backend.ts'
import { canonicalBytes, snapshotOf, storedBytes, writtenOf } from './keyed-snapshot.ts'
import { COUNT, MAX_PARALLELISM, meanOf, type OpenBackend, text, WHOLE } from './state-backend-fixtures.ts'

export function snapshotClaims(open: OpenBackend, evicts: boolean): Record<string, () => Promise<void>> {
  const reopened = async (backend: KeyedStateBackend, id = 1) => open([await snapshotOf(backend, id)])

  return {
    'every kind of state comes back from a snapshot': async () => {
      const backend = await open()
      const fill = (key: unknown, n: number) => {
        backend.setCurrentKey(key)
        backend.getState(COUNT).update(n)
        backend.getListState(new ListStateDescriptor<unknown>('l')).addAll([n, undefined, { n }])
        backend
          .getMapState(new MapStateDescriptor<unknown, Date>('m'))
          .set([n], new Date(n))
          .set(Number.NaN, new Date(-1))
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
        assert.deepEqual(
          [...map],
          [
            [[n], new Date(n)],
            [Number.NaN, new Date(-1)],
          ],
        )
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
      const other = await open([await writtenOf(backend, frozen)])
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
      const other = await open([await writtenOf(backend, frozen)])
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
      const stored = await writtenOf(backend, kept)
      const before = serialised
      backend.setCurrentKey('a')
      state.update('later')
      if (!evicts) assert.equal(serialised, before)
      const other = await open([stored])
      other.setCurrentKey('a')
      assert.equal(other.getState(counted).value(), 'a')
    },
    'state comes back at another parallelism, both ways': async () => {
      const keys = Array.from({ length: 200 }, (_, i) => `key-${i}`)
      let parts: { readonly backend: KeyedStateBackend; readonly keyGroups: KeyGroupRange }[] = [
        { backend: await open(), keyGroups: WHOLE },
      ]
      keys.forEach((key, i) => {
        const [{ backend }] = parts as [(typeof parts)[0]]
        backend.setCurrentKey(key)
        backend.getState(COUNT).update(i)
      })
      for (const parallelism of [3, 5, 2, 16, 1]) {
        const states = await Promise.all(parts.map(({ backend }) => snapshotOf(backend, 1)))
        parts = await Promise.all(
          keyGroupRanges(MAX_PARALLELISM, parallelism).map(async (keyGroups) => ({
            backend: await open(states, keyGroups),
            keyGroups,
          })),
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
    'a lower version of a serializer is read with its version; a higher one, another id and another kind are refused':
      async () => {
        const backend = await open()
        backend.setCurrentKey('k')
        backend.getState(new ValueStateDescriptor<string>('s', { serializer: text(2) })).update('v')
        const newer = await reopened(backend)
        newer.setCurrentKey('k')
        assert.equal(
          newer.getState(new ValueStateDescriptor<string>('s', { serializer: text(3) })).value(),
          'v, of version 2',
        )
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
      const bytes = await canonicalBytes(backend, 1)
      for (let i = 0; i < bytes.length; i++)
        for (const bit of [1, 16]) {
          const damaged = bytes.slice()
          damaged[i] = (damaged[i] as number) ^ bit
          await assert.rejects(
            open([storedBytes(damaged, WHOLE)]),
            { code: /^STATE_(CORRUPT|INCOMPATIBLE)$/ } as object,
            `byte ${i}`,
          )
        }
      for (let length = 0; length < bytes.length; length++) {
        const cut = open([storedBytes(bytes.subarray(0, length), WHOLE)])
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
      await assert.rejects(open([storedBytes(bytes, WHOLE)], { first: 0, last: 31 }, 32), {
        code: 'STATE_INCOMPATIBLE',
      })
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
}
