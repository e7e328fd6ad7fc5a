/** Takes canonical state, of whichever backend, into the tables of this one. */
import type { StoreOperation } from '../../base/ordered-store.ts'
import { ByteReader } from '../../elements/byte-reader.ts'
import { ByteWriter } from '../../elements/byte-writer.ts'
import { readValue } from '../../elements/value-reader.ts'
import { FLOAT64 } from '../../elements/value-tags.ts'
import type { MapKey } from '../key.ts'
import type { KeyGroupRange } from '../key-group-range.ts'
import { corrupt, type KeyedHeader, type KeyGroupBlob } from '../keyed-format.ts'
import { forEachEntry, readKeyedState } from '../keyed-stream-reader.ts'
import { otherMaxParallelism } from '../restored-tables.ts'
import type { StoredKeyedState } from '../state-backend.ts'
import { ByteArena } from './byte-arena.ts'
import type { LevelTables } from './level-tables.ts'
import type { RestoreSink } from './restore-sink.ts'
import { MAP_KEY_AT, setPrefix, writeStoreKey } from './store-key.ts'
import { placeOf } from './table-schemas.ts'

export async function restoreCanonical(
  state: StoredKeyedState,
  {
    maxParallelism,
    keyGroups,
    tables,
  }: { readonly maxParallelism: number; readonly keyGroups: KeyGroupRange; readonly tables: LevelTables },
  sink: RestoreSink,
): Promise<void> {
  let byNumber: readonly { readonly id: number; readonly schema: number }[] = []
  const arena = new ByteArena()
  await readKeyedState(state, keyGroups, {
    header(header: KeyedHeader) {
      if (header.maxParallelism !== maxParallelism) throw otherMaxParallelism(header.maxParallelism, maxParallelism)
      byNumber = header.tables.map(({ kind, name, serializers }) => {
        const { id, schemas } = tables.slotOf(kind, name)
        return { id, schema: placeOf(schemas, serializers) }
      })
    },
    blob(blob: KeyGroupBlob) {
      const operations: StoreOperation[] = []
      forEachEntry(blob, (number, key, value) => {
        const table = byNumber[number]
        if (table === undefined) throw corrupt(`key group ${blob.keyGroup} names a table that the header does not`)
        const unique = uniqueKey(key)
        const valueAt = MAP_KEY_AT + unique.length
        const bytes = arena.take(valueAt + 1 + value.length)
        setPrefix(bytes, blob.keyGroup, table.id)
        bytes.set(unique, MAP_KEY_AT)
        bytes[valueAt] = table.schema
        bytes.set(value, valueAt + 1)
        operations.push({ key: bytes.subarray(0, valueAt), value: bytes.subarray(valueAt) })
      })
      return sink.add(operations)
    },
  })
}

/** In the canonical form, a key that is no integer may have several forms. */
function uniqueKey(key: Uint8Array): Uint8Array {
  if (key[0] !== FLOAT64) return key
  const out = new ByteWriter(16)
  writeStoreKey(out, 0, readValue(new ByteReader(key)) as MapKey, 1)
  return out.bytes.subarray(MAP_KEY_AT, out.length)
}
