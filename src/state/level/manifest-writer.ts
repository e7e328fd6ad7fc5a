/** Makes a MANIFEST of one record for tables that are given, and the file that names it: what LevelDB needs to open them. */
import type { TableSet } from '../../base/ordered-store.ts'
import { encodeEdit } from './manifest-edits.ts'
import { logOf } from './manifest-log.ts'
import { COMPARATOR_NAME } from './manifest-reader.ts'

export interface NewManifest {
  readonly name: string
  readonly bytes: Uint8Array
  /** Of the file CURRENT. */
  readonly current: Uint8Array
}

/** Every number that LevelDB gives out after it has opened this is above those of all tables, so none is overwritten. */
export function manifestOf({ tables, lastSequence }: TableSet): NewManifest {
  const own = tables.reduce((highest, { number }) => Math.max(highest, number), 0) + 1
  const name = `MANIFEST-${String(own).padStart(6, '0')}`
  const edit = encodeEdit({
    comparator: COMPARATOR_NAME,
    logNumber: 0n,
    nextFile: BigInt(own + 1),
    lastSequence: BigInt(lastSequence),
    deleted: [],
    added: tables,
  })
  return { name, bytes: logOf([edit]), current: Buffer.from(`${name}\n`) }
}
