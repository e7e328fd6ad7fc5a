/** The rows of one keyed state: picked out of a walk, sorted by key group and the bytes of the key, and shown as JSON. */
import type { MapKey } from '../../state/key.ts'
import { type EntryForm, entryFormer, keyForm, keyIn, sameKey } from './entry-form.ts'
import type { Json } from './json-form.ts'
import type { KeyedVisitor } from './keyed-visitor.ts'

/** Which rows are wanted. */
export interface Sought {
  readonly kind: string
  readonly name: string
  /** Only that one. */
  readonly key: MapKey | undefined
}

export interface Row {
  readonly keyGroup: number
  readonly key: Uint8Array
  readonly value: Uint8Array
  readonly formOf: (value: Uint8Array) => EntryForm
}

/** `found` gets each row, which it may keep. */
export function rowPicker(
  { kind, name, key: wanted }: Sought,
  found: (row: Row) => void,
): Pick<KeyedVisitor, 'header' | 'entry'> {
  let formers: readonly (((value: Uint8Array) => EntryForm) | undefined)[] = []
  return {
    header({ tables }) {
      formers = tables.map((table) => (table.kind === kind && table.name === name ? entryFormer(table) : undefined))
    },
    entry(keyGroup, tableId, key, value) {
      const formOf = formers[tableId]
      if (formOf === undefined || (wanted !== undefined && !sameKey(keyIn(key), wanted))) return
      // Copies: the bytes are those of the whole key group.
      found({ keyGroup, key: key.slice(), value: value.slice(), formOf })
    },
  }
}

/** Each key once: a snapshot that was taken while records went on may hold an entry twice. Changes the order of `rows`. */
export function sortedOnce(rows: Row[]): readonly Row[] {
  rows.sort(compareRows)
  return rows.filter((row, index) => index === 0 || compareRows(rows[index - 1] as Row, row) !== 0)
}

function compareRows(one: Row, other: Row): number {
  return one.keyGroup - other.keyGroup || Buffer.compare(one.key, other.key)
}

/** `{ key, value, touchedMs?, keyGroup }`. Throws NOT_DESERIALIZABLE. */
export function formOfRow({ keyGroup, key, value, formOf }: Row): Json {
  const { touchedMs, ...form } = formOf(value)
  return { key: keyForm(keyIn(key)), ...form, ...(touchedMs === undefined ? {} : { touchedMs }), keyGroup }
}
