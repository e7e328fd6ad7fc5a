/** A base made of the table files of the store, as they were pinned; those that a completed checkpoint has are not written again. */
import type { FileSystem } from '../../base/file-system.ts'
import type { PinnedTables, StoreOperation, StoreTable } from '../../base/ordered-store.ts'
import type { SnapshotStream, SnapshotTarget, StoredHandle } from '../snapshot.ts'
import type { Chain } from './checkpoint-chain.ts'
import { EntryLogWriter } from './entry-log.ts'

const PIECE_BYTES = 1024 * 1024

export interface TablesBase {
  readonly files: FileSystem
  readonly scope: 'own' | 'shared'
  /** By number: of the same store, in a completed checkpoint. */
  readonly known: ReadonlyMap<number, StoredHandle>
  readonly pinned: PinnedTables
  /** What makes of these tables what there was at the freeze. */
  readonly operations: Iterable<StoreOperation>
}

/** Rejects with nothing left behind. */
export async function writeTables(
  target: SnapshotTarget,
  { files, scope, known, pinned, operations }: TablesBase,
): Promise<{ readonly chain: Chain; abandon(): Promise<void> }> {
  const streams: SnapshotStream[] = []
  const log = new EntryLogWriter(target, scope)
  const abandon = async () => {
    await Promise.all([log.abandon(), ...streams.map((stream) => stream.abandon())])
  }
  const written = async (table: StoreTable) => {
    const stream = target.open(scope)
    streams.push(stream)
    await copy(files, pinned.pathOf(table), stream)
    return stream.finish()
  }
  try {
    const tables: { readonly table: StoreTable; readonly file: StoredHandle }[] = []
    for (const table of pinned.tables)
      tables.push({ table: plain(table), file: known.get(table.number) ?? (await written(table)) })
    for (const operation of operations) {
      const full = log.add(operation)
      if (full !== undefined) await full
    }
    const base = { kind: 'tables', lastSequence: pinned.lastSequence, files: tables } as const
    return { chain: { base, deltas: await log.finish() }, abandon }
  } catch (thrown) {
    await abandon()
    throw thrown
  }
}

/** As it stands in an index. */
function plain({ number, level, length, smallest, largest }: StoreTable): StoreTable {
  return { number, level, length, smallest, largest }
}

async function copy(files: FileSystem, path: string, stream: SnapshotStream): Promise<void> {
  const file = await files.openRead(path)
  try {
    for (let offset = 0; ; ) {
      const piece = await file.read(offset, PIECE_BYTES)
      if (piece.length === 0) return
      await stream.append(piece)
      offset += piece.length
    }
  } finally {
    await file.close()
  }
}
