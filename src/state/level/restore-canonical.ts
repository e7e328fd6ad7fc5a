/** Takes canonical state, of whichever backend, into the tables of this one. */
import { StreamError } from '../../base/errors.ts'
import type { StoreOperation } from '../../base/ordered-store.ts'
import { ByteReader } from '../../elements/byte-reader.ts'
import { ByteWriter } from '../../elements/byte-writer.ts'
import { readValue } from '../../elements/value-reader.ts'
import { SHORT_STRING } from '../../elements/value-tags.ts'
import type { MapKey } from '../key.ts'
import type { KeyGroupRange } from '../key-group-range.ts'
import { corrupt, type KeyedHeader, type KeyGroupBlob } from '../keyed-format.ts'
import { forEachEntry, readKeyedState } from '../keyed-stream-reader.ts'
import type { RestorePace } from '../restore-pace.ts'
import { otherMaxParallelism } from '../restored-tables.ts'
import type { StoredKeyedState } from '../state-backend.ts'
import { ByteArena } from './byte-arena.ts'
import type { LevelTables } from './level-tables.ts'
import type { PartSizes } from './part-sizes.ts'
import type { RestoreSink } from './restore-sink.ts'
import { RestoredParts } from './restored-parts.ts'
import { MAP_KEY_AT, setPrefix, textOf, writeStoreKey } from './store-key.ts'
import { placeOf } from './table-schemas.ts'

export async function restoreCanonical(
  state: StoredKeyedState,
  {
    maxParallelism,
    keyGroups,
    tables,
    partSizes,
    pace,
  }: {
    readonly maxParallelism: number
    readonly keyGroups: KeyGroupRange
    readonly tables: LevelTables
    readonly partSizes: PartSizes
    readonly pace: RestorePace
  },
  sink: RestoreSink,
): Promise<void> {
  let byNumber: readonly RestoredTable[] = []
  const seen = new Set<string>()
  const arena = new ByteArena()
  await readKeyedState(state, keyGroups, {
    header(header: KeyedHeader) {
      if (header.maxParallelism !== maxParallelism) throw otherMaxParallelism(header.maxParallelism, maxParallelism)
      byNumber = header.tables.map((stored) => {
        const { id, schemas } = tables.slotOf(stored.kind, stored.name)
        const parts = new RestoredParts(stored, tables, partSizes)
        return { id, schema: placeOf(schemas, stored.serializers), parts }
      })
    },
    async blob(blob: KeyGroupBlob) {
      const operations: StoreOperation[] = []
      const large: { readonly parts: RestoredParts; readonly key: Uint8Array; readonly value: Uint8Array }[] = []
      forEachEntry(blob, (number, key, value) => {
        const table = byNumber[number]
        if (table === undefined) throw corrupt(`key group ${blob.keyGroup} names a table that the header does not`)
        const unique = uniqueKey(key)
        if (table.parts.isLarge(value)) {
          // An entry may come twice, and is the same then.
          const text = `${number} ${blob.keyGroup} ${textOf(unique)}`
          if (!seen.has(text)) large.push({ parts: table.parts, key: unique, value })
          seen.add(text)
          return
        }
        const valueAt = MAP_KEY_AT + unique.length
        const bytes = arena.take(valueAt + 1 + value.length)
        setPrefix(bytes, blob.keyGroup, table.id)
        bytes.set(unique, MAP_KEY_AT)
        bytes[valueAt] = table.schema
        bytes.set(value, valueAt + 1)
        operations.push({ key: bytes.subarray(0, valueAt), value: bytes.subarray(valueAt) })
      })
      await sink.add(operations)
      for (const { parts, key, value } of large)
        for (const some of operationsOf(parts, blob.keyGroup, key, value)) {
          await sink.add(some)
          if (pace.isUsedUp()) await pace.nextTurn()
        }
    },
  })
}

/** Of one large map or list. Throws STATE_CORRUPT. */
function* operationsOf(
  parts: RestoredParts,
  keyGroup: number,
  key: Uint8Array,
  value: Uint8Array,
): IterableIterator<readonly StoreOperation[]> {
  try {
    yield* parts.partsOf(keyGroup, key, value)
  } catch (thrown) {
    // NOT_DESERIALIZABLE: the bytes are no map or list, although their checksum is right.
    if (!StreamError.is(thrown)) throw thrown
    throw corrupt(`key group ${keyGroup} holds a map or a list that cannot be read: ${thrown.message}`)
  }
}

/** A table of the header, under its number in this backend. */
interface RestoredTable {
  readonly id: number
  readonly schema: number
  readonly parts: RestoredParts
}

/** In the canonical form a key may have several forms, all but short strings and small integers. */
function uniqueKey(key: Uint8Array): Uint8Array {
  if ((key[0] as number) >= SHORT_STRING) return key
  const out = new ByteWriter(16)
  writeStoreKey(out, 0, readValue(new ByteReader(key)) as MapKey, 1)
  return out.bytes.subarray(MAP_KEY_AT, out.length)
}
