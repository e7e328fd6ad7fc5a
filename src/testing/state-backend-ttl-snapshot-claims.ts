/** What the snapshots of every keyed state backend must do with states that have a time-to-live. */
import assert from 'node:assert/strict'
import { VirtualClock } from '../base/virtual-clock.ts'
import { snapshotOf, writtenOf } from './keyed-snapshot.ts'
import type { CleanedUp, OpenBackend } from './state-backend-fixtures.ts'
import { fill, NOTHING, openerAt, plainStates, read, statesOf, TTL, VALUE } from './state-backend-ttl-fixtures.ts'

export function ttlSnapshotClaims(open: OpenBackend, cleanedUp: CleanedUp): Record<string, () => Promise<void>> {
  const openAt = openerAt(open)
  return {
    'the age of an entry goes on while the job is down, at any parallelism': async () => {
      const clock = new VirtualClock()
      const backend = await openAt(clock)
      const states = statesOf(backend)
      backend.setCurrentKey('old')
      fill(states, 1)
      clock.skip(50)
      backend.setCurrentKey('new')
      fill(states, 2)
      const stored = await snapshotOf(backend, 1)
      clock.skip(60)
      const halves = [
        { first: 0, last: 7 },
        { first: 8, last: 15 },
      ]
      const parts = await Promise.all(halves.map((half) => openAt(clock, stored, half)))
      const seen = (key: string) =>
        parts.map((part) => {
          part.setCurrentKey(key)
          return read(statesOf(part))
        })
      assert.deepEqual(seen('old'), [NOTHING, NOTHING])
      const found = seen('new').filter(([value]) => value !== undefined)
      assert.deepEqual(found, [[2, [2], { 2: 2 }, 2, 2]])
      clock.skip(40)
      assert.deepEqual(seen('new'), [NOTHING, NOTHING])
    },
    'a snapshot holds the ages and entries of its freeze, whatever is read, written or removed after': async () => {
      const clock = new VirtualClock()
      const backend = await openAt(clock)
      const ttl = { ...TTL, updateType: 'OnReadAndWrite' } as const
      const states = statesOf(backend, ttl)
      backend.setCurrentKey('read')
      fill(states, 1)
      backend.setCurrentKey('expired')
      fill(states, 2)
      backend.setCurrentKey('written')
      fill(states, 3)
      clock.skip(50)
      const frozen = backend.freeze(1)
      backend.setCurrentKey('read')
      read(states)
      backend.setCurrentKey('written')
      fill(states, 4)
      clock.skip(50)
      backend.setCurrentKey('expired')
      read(states)
      const stored = await writtenOf(backend, frozen)
      const before = new VirtualClock({ startMs: 99 })
      const after = new VirtualClock({ startMs: 100 })
      for (const [key, n] of [
        ['read', 1],
        ['expired', 2],
        ['written', 3],
      ] as const) {
        const living = await openAt(before, stored)
        living.setCurrentKey(key)
        assert.deepEqual(read(statesOf(living, ttl)), [n, [n], { [n]: n }, n, n], key)
        const gone = await openAt(after, stored)
        gone.setCurrentKey(key)
        assert.deepEqual(read(statesOf(gone, ttl)), NOTHING, key)
      }
    },
    'what has expired is left out of a snapshot where that is asked for, and else is in it': async () => {
      for (const cleanupFullSnapshot of [true, false]) {
        const clock = new VirtualClock()
        const ttl = { ...TTL, cleanupFullSnapshot, stateVisibility: 'ReturnExpiredIfNotCleanedUp' } as const
        const backend = await openAt(clock)
        const states = statesOf(backend, ttl)
        backend.setCurrentKey('old')
        fill(states, 1)
        backend.setCurrentKey('mixed')
        states.list.add(1)
        states.map.set('1', 1)
        clock.skip(60)
        states.list.add(2)
        states.map.set('2', 2)
        clock.skip(60)
        // A checkpoint may be written as what has changed: there is no look at what has not.
        const other = await openAt(clock, await snapshotOf(backend, 1, 'canonical'))
        const restored = statesOf(other, ttl)
        other.setCurrentKey('old')
        assert.deepEqual(read(restored), cleanupFullSnapshot ? NOTHING : [1, [1], { 1: 1 }, 1, 1])
        other.setCurrentKey('mixed')
        assert.deepEqual([...restored.list.get()], cleanupFullSnapshot ? [2] : [1, 2])
        assert.deepEqual([...restored.map.keys()], cleanupFullSnapshot ? ['2'] : ['1', '2'])
        // The snapshot took nothing away from the state itself.
        backend.setCurrentKey('old')
        assert.deepEqual(read(states), [1, [1], { 1: 1 }, 1, 1])
      }
    },
    'another time-to-live than the one that wrote the state judges the same ages': async () => {
      const clock = new VirtualClock()
      const backend = await openAt(clock)
      backend.setCurrentKey('k')
      fill(statesOf(backend), 1)
      const stored = await snapshotOf(backend, 1)
      clock.skip(150)
      const longer = await openAt(clock, stored)
      longer.setCurrentKey('k')
      const states = statesOf(longer, { ...TTL, ttl: 200 })
      assert.deepEqual(read(states), [1, [1], { 1: 1 }, 1, 1])
      clock.skip(50)
      assert.deepEqual(read(states), NOTHING)
    },
    'state that was written without a time-to-live gets one with the age 0 at the restore': async () => {
      const clock = new VirtualClock({ startMs: 5000 })
      const backend = await openAt(clock)
      backend.setCurrentKey('k')
      for (const n of [0, 1]) fill(plainStates(backend), n)
      const stored = await snapshotOf(backend, 1)
      clock.skip(1000)
      const other = await openAt(clock, stored)
      other.setCurrentKey('k')
      const states = statesOf(other)
      clock.skip(99)
      assert.deepEqual(read(states), [1, [0, 1], { 0: 0, 1: 1 }, 1, 0.5])
      // The next snapshot holds the ages.
      const again = await openAt(clock, await snapshotOf(other, 2))
      again.setCurrentKey('k')
      assert.deepEqual(read(statesOf(again)), [1, [0, 1], { 0: 0, 1: 1 }, 1, 0.5])
      clock.skip(1)
      assert.deepEqual(read(statesOf(again)), NOTHING)
    },
    'state that was written with a time-to-live loses nothing to a program without one': async () => {
      const clock = new VirtualClock()
      const backend = await openAt(clock)
      backend.setCurrentKey('k')
      fill(statesOf(backend), 7)
      const stored = await snapshotOf(backend, 1)
      clock.skip(1e9)
      const other = await openAt(clock, stored)
      other.setCurrentKey('k')
      assert.deepEqual(read(plainStates(other)), [7, [7], { 7: 7 }, 7, 7])
      const again = await openAt(clock, await snapshotOf(other, 2))
      again.setCurrentKey('k')
      assert.deepEqual(read(plainStates(again)), [7, [7], { 7: 7 }, 7, 7])
    },
    'state with a time-to-live that the program does not ask for is kept with its ages': async () => {
      const clock = new VirtualClock()
      const backend = await openAt(clock)
      backend.setCurrentKey('k')
      backend.getState(VALUE).update(5)
      const second = await openAt(clock, await snapshotOf(backend, 1))
      clock.skip(99)
      const third = await openAt(clock, await snapshotOf(second, 2))
      third.setCurrentKey('k')
      assert.equal(third.getState(VALUE).value(), 5)
      clock.skip(1)
      assert.equal(third.getState(VALUE).value(), undefined)
    },
    'what the clean-up removes is in the snapshots that were frozen before': async () => {
      const clock = new VirtualClock()
      const backend = await openAt(clock)
      const ttl = { ttl: 100, stateVisibility: 'ReturnExpiredIfNotCleanedUp' } as const
      const states = statesOf(backend, ttl)
      for (let i = 0; i < 50; i++) {
        backend.setCurrentKey(i)
        fill(states, i)
      }
      const frozen = backend.freeze(1)
      frozen.step(7)
      clock.advance(1000)
      await cleanedUp(clock)
      assert.equal(backend.keysOf('v').length, 0)
      const other = await openAt(new VirtualClock(), await writtenOf(backend, frozen))
      for (let i = 0; i < 50; i++) {
        other.setCurrentKey(i)
        assert.deepEqual(read(statesOf(other, ttl)), [i, [i], { [i]: i }, i, i])
      }
      await backend.close()
      await other.close()
    },
  }
}
