/** Rows of tables that are never evicted go when they hold nothing and no checkpoint to come has to say so. */
import { expect, test } from 'vitest'
import { VirtualClock } from '../../../../src/base/virtual-clock.ts'
import { valueCodec } from '../../../../src/elements/serializer.ts'
import { singleCodec } from '../../../../src/state/entry-codecs.ts'
import type { LevelTable } from '../../../../src/state/level/level-table.ts'
import type { KeyedStateBackend } from '../../../../src/state/state-backend.ts'
import { levelBackends } from './level-backends.ts'
import { JobShelf } from './shelf-of-a-job.ts'

const WHOLE = { first: 0, last: 3 }
const KEYS = 100

async function checkpoint(backend: KeyedStateBackend, id: number, format: 'checkpoint' | 'full'): Promise<void> {
  const frozen = backend.freeze(id, format)
  while (!frozen.step(10));
  await frozen.write(new JobShelf().target(id, WHOLE))
  frozen.release()
  backend.checkpointCompleted(id)
}

function timers() {
  const open = levelBackends({ cacheBytes: 100_000 })
  const backend = open({ maxParallelism: 4, keyGroups: WHOLE, clock: new VirtualClock() })
  const table = backend.keyedTable('timers', 'timers', singleCodec(valueCodec<number>(undefined)))
  const { rows } = table as LevelTable<number>
  const change = (act: (key: number) => void) => {
    for (let key = 0; key < KEYS; key++) {
      table.scan?.touch(key)
      act(key)
    }
  }
  return {
    backend,
    rows,
    fill: () => change((key) => table.entries.set(key, key)),
    empty: () => change((key) => table.entries.delete(key)),
  }
}

test('they stay while a delta has to say that they are gone, and go when it is serialised', async () => {
  const { backend, rows, fill, empty } = timers()
  fill()
  await checkpoint(backend, 1, 'checkpoint')
  empty()
  expect(rows.size).toBe(KEYS)
  await checkpoint(backend, 2, 'checkpoint')
  expect(rows.size).toBe(0)
  await backend.close()
})

test('they go when a new base is serialised, which begins another log', async () => {
  const { backend, rows, fill, empty } = timers()
  fill()
  await checkpoint(backend, 1, 'checkpoint')
  empty()
  const frozen = backend.freeze(2, 'full')
  expect(rows.size).toBe(KEYS)
  while (!frozen.step(10));
  expect(rows.size).toBe(0)
  frozen.release()
  await backend.close()
})
