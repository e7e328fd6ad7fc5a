/** Large maps and lists in keyed state of the `leveldb` backend: their parts become the entries that they are in the canonical form. */
import { ByteWriter } from '../../elements/byte-writer.ts'
import { writeValue } from '../../elements/value-writer.ts'
import { serializersText } from '../../state/claimed-table.ts'
import type { StoredTable } from '../../state/keyed-format.ts'
import type { IndexTable } from '../../state/level/level-index.ts'
import { isOfParts } from '../../state/level/part-codecs.ts'
import { type PartOwner, partOwners } from '../../state/level/part-owners.ts'
import { MAP_KEY_AT, tableIdIn, textOf } from '../../state/level/store-key.ts'
import { partsOf } from '../../state/level/stored-parts.ts'

interface Stored {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

/** With the number of its table, and the place of that in the header. */
interface Whole extends Stored {
  readonly table: number
  readonly place: number
}

export class ScannedParts {
  readonly #owners: ReadonlyMap<number, PartOwner<IndexTable>>
  readonly #ofParts: ReadonlySet<number>
  readonly #header: readonly StoredTable[]

  /** `header`: the tables that are told of. */
  constructor(tables: readonly IndexTable[], header: readonly StoredTable[]) {
    this.#owners = partOwners(tables)
    this.#ofParts = new Set(tables.filter(({ kind }) => isOfParts(kind)).map(({ id }) => id))
    this.#header = header
  }

  /**
   * The entries of one key group, which must all be given, in the order of tables and keys; `placeOf` says where those stand
   * that are no parts. A map or list whose values several serializers wrote comes once for each. Throws STATE_CORRUPT.
   */
  async whole(entries: readonly Stored[], placeOf: (entry: Stored) => number): Promise<readonly Whole[]> {
    const plain = (entry: Stored) => ({
      table: tableIdIn(entry.key),
      place: placeOf(entry),
      key: entry.key.subarray(MAP_KEY_AT),
      value: entry.value.subarray(1),
    })
    if (this.#owners.size === 0) return entries.map(plain)
    const byKey = new Map(entries.map(({ key, value }) => [textOf(key), value]))
    const whole: Whole[] = []
    for (const entry of entries) {
      const owner = this.#owners.get(tableIdIn(entry.key))
      if (owner !== undefined) whole.push(...(await this.#assembled(entry, owner, byKey)))
      else if (!this.#ofParts.has(tableIdIn(entry.key))) whole.push(plain(entry))
    }
    return whole.sort((one, other) => one.table - other.table || Buffer.compare(one.key, other.key))
  }

  async #assembled(
    head: Stored,
    { state, values, tables }: PartOwner<IndexTable>,
    byKey: ReadonlyMap<string, Uint8Array>,
  ): Promise<readonly Whole[]> {
    const bySchema = new Map<number, { count: number; readonly out: ByteWriter }>()
    const read = (keys: readonly Uint8Array[]) => Promise.resolve(keys.map((key) => byKey.get(textOf(key))))
    for await (const parts of partsOf(head, tables, read))
      for (const { count, userKey, schema, content } of parts) {
        const whole = bySchema.get(schema) ?? { count: 0, out: new ByteWriter(1024) }
        bySchema.set(schema, whole)
        whole.count += count
        if (userKey !== undefined) writeValue(whole.out, userKey)
        whole.out.raw(content)
      }
    return [...bySchema].map(([schema, { count, out }]) => {
      const value = new ByteWriter(out.length + 5)
      value.varint(count)
      value.raw(out.take())
      const place = this.#placeOf(state, values, schema)
      return { table: state.id, place, key: head.key.subarray(MAP_KEY_AT), value: value.take() }
    })
  }

  /** Behind the header for a schema that the index does not name. */
  #placeOf({ kind, name }: IndexTable, { schemas }: IndexTable, schema: number): number {
    const text = serializersText(schemas[schema]?.serializers ?? [])
    const place = this.#header.findIndex(
      (table) => table.kind === kind && table.name === name && serializersText(table.serializers) === text,
    )
    return place < 0 ? this.#header.length : place
  }
}
