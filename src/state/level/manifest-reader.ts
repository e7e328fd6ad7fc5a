/** The versions that a MANIFEST tells of: which tables made up the store after each of its records. */
import type { StoreTable } from '../../base/ordered-store.ts'
import { decodeEdit, type ManifestEdit } from './manifest-edits.ts'
import { recordsOf } from './manifest-log.ts'

/** LevelDB's only order of keys that we use: byte by byte. */
export const COMPARATOR_NAME = 'leveldb.BytewiseComparator'

export interface ManifestVersion {
  /** By number. */
  readonly tables: ReadonlyMap<number, StoreTable>
  readonly lastSequence: bigint
  /** In the MANIFEST: where the record after it begins. */
  readonly end: number
}

/** Before the first record. */
export const NO_VERSION: ManifestVersion = { tables: new Map(), lastSequence: 0n, end: 0 }

/**
 * Every version after `known`. The tables of one that was yielded change when the next is asked for: copy what is kept.
 * Throws an Error that says what is damaged.
 * @param bytes the MANIFEST from `known.end` on.
 */
export function* versionsOf(bytes: Uint8Array, known: ManifestVersion): Generator<ManifestVersion> {
  const tables = new Map(known.tables)
  let { lastSequence } = known
  for (const record of recordsOf(bytes, known.end)) {
    const edit = decodeEdit(record.bytes)
    apply(edit, tables)
    lastSequence = edit.lastSequence ?? lastSequence
    yield { tables, lastSequence, end: record.end }
  }
}

/** A table that moves to another level is deleted and added by one edit, so the deletions come first. */
function apply(edit: ManifestEdit, tables: Map<number, StoreTable>): void {
  if (edit.comparator !== undefined && edit.comparator !== COMPARATOR_NAME)
    throw new Error(`keys are ordered by '${edit.comparator}'`)
  for (const { level, number } of edit.deleted) {
    if (tables.get(number)?.level !== level)
      throw new Error(`an edit deletes table ${number}, which is not on level ${level}`)
    tables.delete(number)
  }
  for (const table of edit.added) {
    if (tables.has(table.number)) throw new Error(`an edit adds table ${table.number} a second time`)
    tables.set(table.number, table)
  }
}
