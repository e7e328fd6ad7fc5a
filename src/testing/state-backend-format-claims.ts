/** What the checkpoints and savepoints of a keyed state backend must hold, whatever was written, completed and aborted before. */
import assert from 'node:assert/strict'
import { ListStateDescriptor } from '../state/descriptors.ts'
import type { SnapshotFormat } from '../state/snapshot.ts'
import type { KeyedStateBackend, StoredKeyedState } from '../state/state-backend.ts'
import { goOnFrom, snapshotOf, writtenOf } from './keyed-snapshot.ts'
import { COUNT, type OpenBackend } from './state-backend-fixtures.ts'

const KEYS = Array.from({ length: 30 }, (_, i) => `key-${i}`)
const NAMES = new ListStateDescriptor<string>('names')

/** Adds to a third of the keys, and takes another few away: other ones in each round. */
function change(backend: KeyedStateBackend, round: number): void {
  KEYS.forEach((key, i) => {
    backend.setCurrentKey(key)
    if ((i + round) % 3 === 0) {
      backend.getState(COUNT).update(i * 100 + round)
      backend.getListState(NAMES).add(`${key} of ${round}`)
    }
    if ((i * 7 + round) % 11 === 0) {
      backend.getState(COUNT).clear()
      backend.getListState(NAMES).clear()
    }
  })
}

function contents(backend: KeyedStateBackend): readonly unknown[] {
  return KEYS.map((key) => {
    backend.setCurrentKey(key)
    return [key, backend.getState(COUNT).value(), [...backend.getListState(NAMES).get()]]
  })
}

export function formatClaims(open: OpenBackend): Record<string, () => Promise<void>> {
  const contentsOf = async (state: StoredKeyedState) => {
    const backend = await open([state])
    const found = contents(backend)
    await backend.close()
    return found
  }

  return {
    'a snapshot of any format holds everything, whatever became of those before it': async () => {
      const formats: readonly SnapshotFormat[] = ['checkpoint', 'full', 'canonical', 'native']
      for (const [turn, first] of formats.entries()) {
        const backend = await open()
        const kept: { readonly state: StoredKeyedState; readonly copy: readonly unknown[]; readonly what: string }[] =
          []
        for (let id = 1; id <= 12; id++) {
          change(backend, id)
          // Mostly checkpoints, which may be written as changes; others in between.
          const format =
            id % 3 === 0
              ? (formats[(turn + id / 3) % formats.length] as SnapshotFormat)
              : id === 1
                ? first
                : 'checkpoint'
          const copy = contents(backend)
          const state = await snapshotOf(backend, id, format)
          kept.push({ state, copy, what: `${format} ${id} of a backend that began with ${first}` })
          if (format === 'canonical' || format === 'native') continue
          if (id % 4 === 0) backend.checkpointAborted(id)
          else if (id % 5 !== 0) backend.checkpointCompleted(id)
        }
        for (const { state, copy, what } of kept) assert.deepEqual(await contentsOf(state), copy, what)
        await backend.close()
      }
    },
    'checkpoints that are written at once, and out of order, hold what was stored at their freeze': async () => {
      const backend = await open()
      change(backend, 0)
      backend.checkpointCompleted((await snapshotOf(backend, 1)).handle.identity.checkpointId)
      const frozen = [2, 3, 4].map((id) => {
        change(backend, id)
        return { frozen: backend.freeze(id, 'checkpoint'), copy: contents(backend) }
      })
      change(backend, 5)
      for (const { frozen: one, copy } of frozen.reverse())
        assert.deepEqual(await contentsOf(await writtenOf(backend, one)), copy, `checkpoint ${one.checkpointId}`)
      await backend.close()
    },
    'a restored backend goes on with checkpoints, also of those files that it may name again': async () => {
      for (const mayReuse of [true, false]) {
        let backend = await open()
        let id = 0
        for (let life = 0; life < 4; life++) {
          for (let more = 0; more < 3; more++) {
            change(backend, ++id)
            await snapshotOf(backend, id)
            backend.checkpointCompleted(id)
          }
          change(backend, ++id)
          const state = { ...(await snapshotOf(backend, id)), mayReuse }
          const copy = contents(backend)
          // The completion of the last one was not heard of.
          await backend.close()
          backend = await open([state])
          goOnFrom(state, backend)
          assert.deepEqual(contents(backend), copy, `life ${life}`)
        }
        await backend.close()
      }
    },
    'a canonical savepoint is of one file, which every backend can read': async () => {
      const backend = await open()
      change(backend, 1)
      const { handle } = await snapshotOf(backend, 1, 'canonical')
      assert.notEqual(handle.type, 'composite')
      assert.notEqual(handle.type, 'shared')
      await backend.close()
    },
  }
}
