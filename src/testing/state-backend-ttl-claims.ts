/** What every keyed state backend must do with states that have a time-to-live while records are processed. */
import assert from 'node:assert/strict'
import { VirtualClock } from '../base/virtual-clock.ts'
import { ListStateDescriptor, MapStateDescriptor, ValueStateDescriptor } from '../state/descriptors.ts'
import type { StateTtlConfig } from '../state/state-ttl.ts'
import type { CleanedUp, OpenBackend } from './state-backend-fixtures.ts'
import { fill, MAP, NOTHING, openerAt, read, statesOf, TTL } from './state-backend-ttl-fixtures.ts'

export function ttlClaims(open: OpenBackend, cleanedUp: CleanedUp): Record<string, () => Promise<void>> {
  const openAt = openerAt(open)
  return {
    'an entry expires when it was last written its time-to-live ago, not a millisecond before': async () => {
      const clock = new VirtualClock({ startMs: 1000 })
      const backend = await openAt(clock)
      const states = statesOf(backend)
      backend.setCurrentKey('k')
      fill(states, 6)
      clock.skip(99)
      assert.deepEqual(read(states), [6, [6], { 6: 6 }, 6, 6])
      clock.skip(1)
      assert.deepEqual(read(states), NOTHING)
      assert.deepEqual(
        ['v', 'l', 'm', 'r', 'a'].map((name) => backend.keysOf(name).length),
        [0, 0, 0, 0, 0],
      )
    },
    'a write gives an entry a new life, also to one that has expired': async () => {
      const clock = new VirtualClock()
      const backend = await openAt(clock)
      const states = statesOf(backend)
      backend.setCurrentKey('k')
      fill(states, 2)
      clock.skip(60)
      fill(states, 4)
      clock.skip(60)
      // Of a list and a map the first element is older; the others are one value.
      assert.deepEqual(read(states), [4, [4], { 4: 4 }, 6, 3])
      clock.skip(40)
      fill(states, 8)
      assert.deepEqual(read(states), [8, [8], { 8: 8 }, 8, 8])
    },
    'a read refreshes where reads do, and not what has expired': async () => {
      const clock = new VirtualClock()
      const backend = await openAt(clock)
      const states = statesOf(backend, { ...TTL, updateType: 'OnReadAndWrite' })
      backend.setCurrentKey('k')
      fill(states, 5)
      const full = [5, [5], { 5: 5 }, 5, 5]
      for (let i = 0; i < 5; i++) {
        clock.skip(99)
        assert.deepEqual(read(states), full)
      }
      clock.skip(100)
      assert.deepEqual([read(states), read(states)], [NOTHING, NOTHING])
      states.map.set('x', 1).set('y', 2)
      clock.skip(60)
      assert.deepEqual([states.map.get('x'), states.map.isEmpty()], [1, false])
      clock.skip(60)
      assert.deepEqual([states.map.has('x'), states.map.has('y')], [true, false])
    },
    'where it may be seen, what has expired is seen once and goes on in additions': async () => {
      const clock = new VirtualClock()
      const backend = await openAt(clock)
      const states = statesOf(backend, { ...TTL, stateVisibility: 'ReturnExpiredIfNotCleanedUp' })
      backend.setCurrentKey('k')
      fill(states, 2)
      clock.skip(500)
      assert.equal(states.map.isEmpty(), false)
      assert.deepEqual(read(states), [2, [2], { 2: 2 }, 2, 2])
      assert.deepEqual(read(states), NOTHING)
      fill(states, 2)
      clock.skip(500)
      states.sum.add(4)
      states.mean.add(4)
      assert.deepEqual([states.sum.get(), states.mean.get()], [6, 3])
      assert.deepEqual([states.map.delete('2'), states.map.delete('2')], [true, false])
    },
    'a map tells of its living entries only': async () => {
      const clock = new VirtualClock()
      const backend = await openAt(clock)
      const map = backend.getMapState(MAP)
      backend.setCurrentKey('k')
      map.set('old', 1)
      clock.skip(50)
      map.set('new', 2)
      clock.skip(50)
      assert.deepEqual([map.has('old'), map.contains('new'), map.delete('old')], [false, true, false])
      assert.deepEqual([[...map.keys()], [...map.values()], [...map.entries()]], [['new'], [2], [['new', 2]]])
      clock.skip(50)
      assert.equal(map.isEmpty(), true)
      assert.deepEqual([...map], [])
    },
    'entries may go and come while a map is walked': async () => {
      const clock = new VirtualClock()
      const backend = await openAt(clock)
      const map = backend.getMapState(
        new MapStateDescriptor<string, number>('m', { ttl: { ...TTL, updateType: 'OnReadAndWrite' } }),
      )
      backend.setCurrentKey('k')
      map.set('a', 1).set('b', 2).set('c', 3)
      const seen: string[] = []
      for (const [key] of map) {
        seen.push(key)
        map.delete('b')
        clock.skip(60)
      }
      // It was refreshed when the walk came to it.
      assert.deepEqual(seen, ['a', 'c'])
      assert.deepEqual([...map.keys()], ['c'])
      for (const _ of map) {
        map.clear()
        backend.setCurrentKey('other')
      }
      backend.setCurrentKey('k')
      assert.equal(map.isEmpty(), true)
      assert.deepEqual([...backend.keysOf('m')], [])
    },
    'a map that was made anew while the former one was walked stays': async () => {
      const clock = new VirtualClock()
      const backend = await openAt(clock)
      const ttl = { ...TTL, stateVisibility: 'ReturnExpiredIfNotCleanedUp' } as const
      const map = backend.getMapState(new MapStateDescriptor<string, number>('m', { ttl }))
      backend.setCurrentKey('k')
      map.set('a', 1).set('b', 2)
      clock.skip(100)
      const seen: string[] = []
      for (const [key] of map) {
        seen.push(key)
        if (key !== 'a') continue
        map.clear()
        map.set('new', 3)
      }
      assert.equal(seen[0], 'a')
      assert.deepEqual([...map], [['new', 3]])
    },
    'a default stands for what has expired': async () => {
      const clock = new VirtualClock()
      const backend = await openAt(clock)
      const count = backend.getState(new ValueStateDescriptor('count', { default: () => 0, ttl: TTL }))
      backend.setCurrentKey('k')
      count.update(count.value() + 1)
      clock.skip(99)
      count.update(count.value() + 1)
      clock.skip(99)
      assert.equal(count.value(), 2)
      clock.skip(1)
      assert.equal(count.value(), 0)
    },
    'without a key a state with a time-to-live is an error': async () => {
      const backend = await open()
      const { value, list, map, sum, mean } = statesOf(backend)
      const uses = [
        () => value.value(),
        () => value.update(1),
        () => value.clear(),
        () => list.get(),
        () => list.add(1),
        () => map.get('x'),
        () => map.entries(),
        () => map.set('x', 1),
        () => map.isEmpty(),
        () => sum.add(1),
        () => mean.get(),
      ]
      for (const use of uses) assert.throws(use, { code: 'NO_CURRENT_KEY' })
    },
    'one state has one time-to-live': async () => {
      const backend = await open()
      const declare = (ttl: StateTtlConfig | undefined) => () =>
        backend.getState(new ValueStateDescriptor<number>('x', { ttl }))
      declare({ ttl: '1 h' })()
      declare({ ttl: 3_600_000, updateType: 'OnCreateAndWrite' })()
      for (const other of [undefined, { ttl: '2 h' }, { ttl: '1 h', updateType: 'OnReadAndWrite' }] as const)
        assert.throws(declare(other), { code: 'STATE_CONFLICT', message: /'x'.*time-to-live/ })
      backend.getListState(new ListStateDescriptor<number>('plain'))
      assert.throws(() => backend.getListState(new ListStateDescriptor<number>('plain', { ttl: TTL })), {
        code: 'STATE_CONFLICT',
      })
    },
    'in the background what has expired goes by itself, and no timer is left at the end': async () => {
      for (const used of [true, false]) {
        const clock = new VirtualClock()
        const backend = await openAt(clock)
        const states = statesOf(backend, { ttl: 100 })
        for (let i = 0; i < 50; i++) {
          backend.setCurrentKey(i)
          fill(states, i)
          fill(states, i + 1)
        }
        clock.skip(100)
        const names = ['v', 'l', 'm', 'r', 'a']
        const stored = () => names.map((name) => backend.keysOf(name).length)
        assert.deepEqual(stored(), [50, 50, 50, 50, 50])
        // Either by uses of a key that has nothing to do with them, or by the clock alone.
        backend.setCurrentKey('another')
        if (used) for (let i = 0; i < 50; i++) read(states)
        else clock.advance(1000)
        await cleanedUp(clock)
        assert.deepEqual(stored(), [0, 0, 0, 0, 0], used ? 'by uses' : 'by the clock')
        fill(states, 1)
        await backend.close()
        assert.equal(clock.nextDeadlineMs(), undefined)
      }
    },
  }
}
