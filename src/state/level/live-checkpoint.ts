/**
 * Takes the tables of a LevelDB store that stays open: the write buffer is written out, an open iterator holds the tables
 * of that moment, and the MANIFEST says where their keys begin and end. LevelDB has no call for that.
 */
import { fileError } from '../../base/file-error.ts'
import type { FileSystem } from '../../base/file-system.ts'
import { nameOfTable, type PinnedTables, type StoreTable } from '../../base/ordered-store.ts'
import { takeNoNotice } from '../../base/unawaited.ts'
import type { ClassicDatabase, ClassicIterator } from './classic-database.ts'
import { type ManifestVersion, NO_VERSION, versionsOf } from './manifest-reader.ts'

/** Above all keys that anybody has: a compaction of this range only writes the write buffer out. Were there such keys, it would compact them, no more. */
const ABOVE_ALL_KEYS = new Uint8Array(64).fill(0xff)

export class LiveCheckpoint {
  readonly #database: ClassicDatabase
  readonly #folder: string
  readonly #files: FileSystem
  #manifest: string | undefined
  /** What was pinned last. Later versions come later in the MANIFEST, which only grows while the store is open. */
  #known: ManifestVersion = NO_VERSION

  constructor(database: ClassicDatabase, folder: string, files: FileSystem) {
    this.#database = database
    this.#folder = folder
    this.#files = files
  }

  /**
   * Nothing may be written while it runs. Rejects, and holds nothing, where the MANIFEST does not tell of the tables that
   * are held, or of fewer writes than `lastSequence`: after an error LevelDB's flush ends as if it had worked.
   */
  async pin(lastSequence: bigint): Promise<PinnedTables> {
    await this.#database.compactRange(ABOVE_ALL_KEYS, ABOVE_ALL_KEYS)
    const { iterator, listed } = holdTables(this.#database)
    try {
      const version = await this.#versionWith(tablesIn(listed))
      if (version.lastSequence !== lastSequence)
        throw new Error(`the tables hold ${version.lastSequence} writes, and there were ${lastSequence}`)
      return this.#pinned(version, iterator)
    } catch (thrown) {
      await iterator.close()
      throw fileError(thrown, { operation: 'pin the tables in', path: this.#folder })
    }
  }

  /** What LevelDB has read when it was opened: the first two records of the MANIFEST that it then writes. */
  async opened(): Promise<ManifestVersion> {
    let version = NO_VERSION
    let records = 0
    for (const each of versionsOf(await this.#manifestFrom(0), NO_VERSION)) {
      version = each
      if (++records === 2) break
    }
    return version
  }

  /** The last one with just these tables. A compaction may have ended since, so later ones may be there. */
  async #versionWith(levels: ReadonlyMap<number, number>): Promise<ManifestVersion> {
    const bytes = await this.#manifestFrom(this.#known.end)
    let found = hasTables(this.#known, levels) ? this.#known : undefined
    for (const version of versionsOf(bytes, this.#known)) {
      if (hasTables(version, levels)) found = { ...version, tables: new Map(version.tables) }
    }
    if (found === undefined) throw new Error('its MANIFEST tells of no moment at which it had the tables that are read')
    this.#known = found
    return found
  }

  async #manifestFrom(offset: number): Promise<Uint8Array> {
    this.#manifest ??= await this.#manifestName()
    const file = await this.#files.openRead(`${this.#folder}/${this.#manifest}`)
    try {
      const { size } = await file.stat()
      return await file.read(offset, Math.max(0, size - offset))
    } finally {
      await file.close()
    }
  }

  async #manifestName(): Promise<string> {
    const name = Buffer.from(await this.#files.read(`${this.#folder}/CURRENT`))
      .toString('latin1')
      .trimEnd()
    if (!/^MANIFEST-\d+$/.test(name)) throw new Error(`CURRENT names no MANIFEST but '${name}'`)
    return name
  }

  #pinned(version: ManifestVersion, iterator: ClassicIterator): PinnedTables {
    return {
      tables: [...version.tables.values()],
      lastSequence: String(version.lastSequence),
      pathOf: ({ number }: StoreTable) => `${this.#folder}/${nameOfTable(number)}`,
      release: () => iterator.close(),
    }
  }
}

/** An iterator holds the tables of the moment at which it is made; a compaction may end just before or just after. */
function holdTables(database: ClassicDatabase): { readonly iterator: ClassicIterator; readonly listed: string } {
  for (;;) {
    const before = database.getProperty('leveldb.sstables')
    const iterator = database.iterator({})
    const listed = database.getProperty('leveldb.sstables')
    if (before === listed) return { iterator, listed }
    takeNoNotice(iterator.close())
  }
}

/** Level by number. The keys in that list are not read: it writes two different ones in the same way. */
function tablesIn(listed: string): Map<number, number> {
  const levels = new Map<number, number>()
  let level = -1
  for (const line of listed.split('\n').filter((text) => text !== '')) {
    const heading = /^--- level (\d+) ---$/.exec(line)
    const table = /^ (\d+):\d+\[/.exec(line)
    if (heading !== null) level = Number(heading[1])
    else if (table !== null && level >= 0) levels.set(Number(table[1]), level)
    else throw new Error(`LevelDB lists its tables in a way that is not known: '${line}'`)
  }
  return levels
}

function hasTables({ tables }: ManifestVersion, levels: ReadonlyMap<number, number>): boolean {
  if (tables.size !== levels.size) return false
  for (const [number, { level }] of tables) if (levels.get(number) !== level) return false
  return true
}
