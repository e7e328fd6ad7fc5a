/** LevelDB as stores on disk: opens empty ones, and ones on tables that another has pinned. */
import { fileError } from '../../base/file-error.ts'
import type { FileSystem } from '../../base/file-system.ts'
import { nameOfTable, type OrderedStores, type StoreSettings, type TableSet } from '../../base/ordered-store.ts'
import { type ClassicDatabase, type ClassicOrigin, openDatabase } from './classic-database.ts'
import { classicError } from './classic-error.ts'
import { ClassicStore } from './classic-store.ts'
import { LiveCheckpoint } from './live-checkpoint.ts'
import { manifestOf } from './manifest-writer.ts'

const OPENING = 'open a store in'
const REOPENING = 'open a store on the tables in'

/**
 * @param files the real ones: LevelDB itself goes past them. Whether tables can be pinned on this system is not known
 *   before `tablesCanBePinned` has tried it.
 */
export function classicStores(files: FileSystem): OrderedStores {
  return {
    keepsTables: true,

    async open(folder, settings) {
      await files.execute([{ type: 'makeFolder', path: folder }])
      // LevelDB takes a folder without CURRENT for an empty store, and deletes what else it finds there.
      const [found] = await files.list(folder)
      if (found !== undefined) throw refused(OPENING, folder, `'${found.name}' is there already`)
      return new ClassicStore(await opened(folder, 'new', settings, OPENING), folder, files, 0n)
    },

    async reopen(folder, tables, settings) {
      await checkFiles(files, folder, tables)
      const { name, bytes, current } = manifestOf(tables)
      await files.execute([
        { type: 'writeNew', path: `${folder}/${name}`, bytes },
        { type: 'writeNew', path: `${folder}/CURRENT`, bytes: current },
      ])
      const database = await opened(folder, 'existing', settings, REOPENING)
      try {
        await checkOpened(new LiveCheckpoint(database, folder, files), folder, tables)
      } catch (thrown) {
        await database.close()
        throw classicError(thrown, REOPENING, folder)
      }
      return new ClassicStore(database, folder, files, BigInt(tables.lastSequence))
    },
  }
}

async function opened(
  folder: string,
  origin: ClassicOrigin,
  settings: StoreSettings,
  operation: string,
): Promise<ClassicDatabase> {
  try {
    return await openDatabase(folder, origin, settings)
  } catch (thrown) {
    throw classicError(thrown, operation, folder)
  }
}

/** A file that the tables do not name could get its number given out anew, and be overwritten, whoever else has it linked. */
async function checkFiles(files: FileSystem, folder: string, { tables }: TableSet): Promise<void> {
  const names = new Map(tables.map((table) => [nameOfTable(table.number), table]))
  if (names.size !== tables.length) throw refused(REOPENING, folder, 'two tables have the same number')
  const found = new Set((await files.list(folder)).map(({ name }) => name))
  for (const name of found) if (!names.has(name)) throw refused(REOPENING, folder, `'${name}' is there too`)
  await Promise.all(
    [...names].map(async ([name, { length }]) => {
      const status = found.has(name) ? await files.stat(`${folder}/${name}`) : undefined
      if (status?.size !== length)
        throw refused(REOPENING, folder, `'${name}' has ${status?.size ?? 'no'} bytes and not ${length}`)
    }),
  )
}

/** LevelDB opens much that is wrong without a word: so what it has read is compared with what it was to read. */
async function checkOpened(checkpoint: LiveCheckpoint, folder: string, expected: TableSet): Promise<void> {
  const { tables, lastSequence } = await checkpoint.opened()
  const same = expected.tables.every((table) => {
    const found = tables.get(table.number)
    return (
      found?.level === table.level &&
      found.length === table.length &&
      found.smallest === table.smallest &&
      found.largest === table.largest
    )
  })
  if (!same || tables.size !== expected.tables.length || String(lastSequence) !== expected.lastSequence)
    throw refused(REOPENING, folder, `LevelDB has read ${tables.size} tables and sequence ${lastSequence}`)
}

function refused(operation: string, path: string, why: string): Error {
  return fileError(new Error(why), { operation, path })
}
