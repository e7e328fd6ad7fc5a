/**
 * Walks keyed state in the form of the `leveldb` backend, as far as that needs no database: logs of what was put and
 * removed, of which the last word on a key counts. Bases of table files are verified, and not looked into.
 */

import { contains, type KeyGroupRange } from '../../state/key-group-range.ts'
import type { KeyedHeader, StoredTable } from '../../state/keyed-format.ts'
import { chainOf } from '../../state/level/checkpoint-chain.ts'
import { corruptLog, EntryLogReader } from '../../state/level/entry-log.ts'
import { decodeIndex } from '../../state/level/level-index.ts'
import { isOfParts } from '../../state/level/part-codecs.ts'
import { keyGroupIn, MAP_KEY_AT, tableIdIn, textOf } from '../../state/level/store-key.ts'
import type { CompositeHandle, StoredHandle } from '../../state/snapshot.ts'
import { contradiction, readingFile } from './bad-state.ts'
import { type KeyedVisitor, sortableRanges } from './keyed-visitor.ts'
import type { OpenCheckpoint } from './open-checkpoint.ts'
import { ScannedParts } from './scanned-parts.ts'

export interface LevelState {
  /** Each list of serializers that wrote values of a table makes one of its own. */
  readonly header: KeyedHeader
  /** In the order in which they were written; undefined where the state begins with table files. */
  readonly logs: readonly StoredHandle[] | undefined
  /** Of the value's first byte behind the number of the table: the place in the header. */
  readonly placeOf: ReadonlyMap<number, number>
  readonly parts: ScannedParts
}

/** An index of more bytes no backend writes: it names files and tables. */
const MOST_INDEX_BYTES = 64 * 1024 * 1024

/** What its index says. Rejects with STATE_CORRUPT, STATE_INCOMPATIBLE, or what the checkpoint's reader has met. */
export async function readLevelIndex({ reader }: OpenCheckpoint, handle: CompositeHandle): Promise<LevelState> {
  if (handle.index.type === 'file' && handle.index.length > MOST_INDEX_BYTES)
    throw contradiction(`Its index has ${handle.index.length} bytes, more than any`)
  const index = decodeIndex(await reader.read(handle.index), handle.parts.length)
  const { base, deltas } = chainOf(handle, index)
  const tables: StoredTable[] = []
  const placeOf = new Map<number, number>()
  for (const { id, kind, name, schemas } of index.tables.filter(({ kind }) => !isOfParts(kind)))
    schemas.forEach(({ serializers }, schema) => {
      placeOf.set(slotOf(id, schema), tables.length)
      tables.push({ kind, name, serializers })
    })
  const logs = base.kind === 'tables' ? undefined : [...(base.kind === 'dump' ? base.files : []), ...deltas]
  return {
    header: { maxParallelism: index.maxParallelism, tables },
    logs,
    placeOf,
    parts: new ScannedParts(index.tables, tables),
  }
}

const slotOf = (tableId: number, schema: number): number => tableId * 256 + schema

/** The key groups in `own`, rising, the keys of each in the order of their bytes. Rejects as `readLevelIndex` does. */
export async function scanLevelLogs(
  checkpoint: OpenCheckpoint,
  { header, logs = [], placeOf, parts }: LevelState,
  visitor: KeyedVisitor,
  own: KeyGroupRange,
): Promise<void> {
  visitor.header(header)
  for (const range of sortableRanges(await weigh(checkpoint, logs, own))) {
    for (const [keyGroup, entries] of await entriesIn(checkpoint, logs, range)) {
      const place = (entry: Entry) => placeOf.get(slotOf(tableIdIn(entry.key), entry.value[0] ?? 0))
      for (const entry of await parts.whole(entries, (entry) => place(entry) ?? header.tables.length))
        visitor.entry(keyGroup, entry.place, entry.key, entry.value)
      await visitor.keyGroupEnd(keyGroup)
    }
  }
}

type Take = (key: Uint8Array, value: Uint8Array | undefined) => void

/** The records of all logs whose key group is in the range; views that may be kept. */
async function eachRecord(
  checkpoint: OpenCheckpoint,
  logs: readonly StoredHandle[],
  range: KeyGroupRange,
  take: Take,
): Promise<void> {
  for (const log of logs)
    await readingFile(checkpoint.fileOf(log), log.identity, async () => {
      const stream = new EntryLogReader((operations) => {
        for (const { key, value } of operations) {
          if (key.length <= MAP_KEY_AT) throw corruptLog('a key is too short to be one')
          if (contains(range, keyGroupIn(key))) take(key, value)
        }
      })
      await checkpoint.reader.scan(log, (piece, length) => stream.push(piece, length))
      stream.end()
    })
}

async function weigh(checkpoint: OpenCheckpoint, logs: readonly StoredHandle[], own: KeyGroupRange) {
  const bytesOf = new Map<number, number>()
  await eachRecord(checkpoint, logs, own, (key, value) => {
    const keyGroup = keyGroupIn(key)
    bytesOf.set(keyGroup, (bytesOf.get(keyGroup) ?? 0) + key.length + (value?.length ?? 0))
  })
  return [...bytesOf].map(([keyGroup, bytes]) => ({ keyGroup, bytes }))
}

interface Entry {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

/** What is there in the end, by key group and key. */
async function entriesIn(
  checkpoint: OpenCheckpoint,
  logs: readonly StoredHandle[],
  range: KeyGroupRange,
): Promise<readonly (readonly [number, readonly Entry[]])[]> {
  const byKey = new Map<string, Entry>()
  await eachRecord(checkpoint, logs, range, (key, value) => {
    if (value === undefined) byKey.delete(textOf(key))
    else byKey.set(textOf(key), { key, value })
  })
  const groups = new Map<number, Entry[]>()
  // The key group stands in front of the key, the higher byte first.
  for (const entry of [...byKey.values()].sort((one, other) => Buffer.compare(one.key, other.key))) {
    const keyGroup = keyGroupIn(entry.key)
    const group = groups.get(keyGroup)
    if (group === undefined) groups.set(keyGroup, [entry])
    else group.push(entry)
  }
  return [...groups]
}
