/** Brings the table files of a checkpoint to where a store can open them. */
import type { FileSystem } from '../../base/file-system.ts'
import { nameOfTable, type StoreTable } from '../../base/ordered-store.ts'
import type { SnapshotReader, StoredHandle } from '../snapshot.ts'
import { corruptLog } from './entry-log.ts'

/** Into a folder that does not exist. Rejects with what the reader or the disk has met; nothing may be opened there then. */
export async function copyTables(
  tables: readonly { readonly table: StoreTable; readonly file: StoredHandle }[],
  reader: SnapshotReader,
  files: FileSystem,
  folder: string,
): Promise<void> {
  await files.execute([{ type: 'makeFolder', path: folder }])
  for (const { table, file } of tables) await copyTable(table, file, reader, files, folder)
}

async function copyTable(
  { number, length }: StoreTable,
  file: StoredHandle,
  reader: SnapshotReader,
  files: FileSystem,
  folder: string,
): Promise<void> {
  const copy = await files.createExclusive(`${folder}/${nameOfTable(number)}`)
  let bytes = 0
  try {
    await reader.scan(file, (piece) => {
      bytes += piece.length
      return copy.append(piece)
    })
  } finally {
    await copy.close()
  }
  if (bytes !== length) throw corruptLog(`table ${number} has ${bytes} bytes, and its index says ${length}`)
}
