/** Which keys of each state hold something, after a restore, for those who go over all keys. */
import type { LevelTables } from './level-tables.ts'
import { mapKeyIn, tableIdIn } from './store-key.ts'
import type { WriteQueue } from './write-queue.ts'

const PAGE_BYTES = 1024 * 1024

/** Reads every key of the store, and what waits to be written into it. */
export async function collectKeys(tables: LevelTables, queue: WriteQueue): Promise<void> {
  const waiting = queue.seal()
  const store = queue.snapshot()
  try {
    for await (const page of store?.scan({ pageBytes: PAGE_BYTES }) ?? [])
      for (const [key] of page) tables.slot(tableIdIn(key))?.liveKeys?.add(mapKeyIn(key))
  } finally {
    store?.release()
  }
  for (const batch of waiting)
    for (const { key, value } of batch.operations()) {
      const keys = tables.slot(tableIdIn(key))?.liveKeys
      if (value === undefined) keys?.delete(mapKeyIn(key))
      else keys?.add(mapKeyIn(key))
    }
}
