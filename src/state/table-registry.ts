/** The tables of one backend by name: what the program declared, and what was restored and not yet asked for. */
import { StreamError } from '../base/errors.ts'
import { serializersText } from './claimed-table.ts'
import { FrozenTables } from './frozen-tables.ts'
import type { MapKey } from './key.ts'
import type { KeyGroupRange } from './key-group-range.ts'
import type { StoredTable } from './keyed-format.ts'
import { type EntryCodec, HeapTable, type StoredSerializer } from './keyed-table.ts'
import { claim, type RestoredTable } from './restored-tables.ts'

/** Exactly one of `table` and `restored` is there. */
export interface TableSlot {
  stored: StoredTable
  table: HeapTable<unknown> | undefined
  restored: RestoredTable | undefined
}

export class TableRegistry {
  readonly #maxParallelism: number
  readonly #keyGroups: KeyGroupRange
  readonly #slots = new Map<string, TableSlot>()

  constructor(maxParallelism: number, keyGroups: KeyGroupRange) {
    this.#maxParallelism = maxParallelism
    this.#keyGroups = keyGroups
  }

  /** `space` keeps names of users and of the house apart; within it a name has one kind. */
  table<V>(space: string, kind: string, name: string, codec: EntryCodec<V>): HeapTable<V> {
    const place = `${space}/${name}`
    const slot = this.#slots.get(place)
    if (slot?.table !== undefined) {
      refuseConflict(slot.stored, kind, codec.serializers)
      return slot.table as HeapTable<unknown> as HeapTable<V>
    }
    const restored = slot?.restored
    const table = restored === undefined ? new HeapTable(kind, name, codec) : claim(restored, kind, name, codec)
    const stored = { kind, name, serializers: codec.serializers.map(({ id, version }) => ({ id, version })) }
    this.#slots.set(place, { stored, table: table as HeapTable<never> as HeapTable<unknown>, restored: undefined })
    return table
  }

  /** Of the entries of a table that was declared. */
  keysOf(space: string, name: string): readonly MapKey[] {
    return [...(this.#slots.get(`${space}/${name}`)?.table?.entries.keys() ?? [])]
  }

  restore(tables: readonly RestoredTable[], spaceOf: (kind: string) => string): void {
    for (const restored of tables) {
      const { kind, name } = restored.stored
      this.#slots.set(`${spaceOf(kind)}/${name}`, { stored: restored.stored, table: undefined, restored })
    }
  }

  freeze(checkpointId: number): FrozenTables {
    return new FrozenTables(checkpointId, [...this.#slots.values()], this.#maxParallelism, this.#keyGroups)
  }

  clear(): void {
    for (const { table } of this.#slots.values()) table?.entries.clear()
    this.#slots.clear()
  }
}

/** Throws STATE_CONFLICT for a name that is declared with another kind or other serializers. */
export function refuseConflict(stored: StoredTable, kind: string, serializers: readonly StoredSerializer[]): void {
  const same = stored.kind === kind && serializersText(stored.serializers) === serializersText(serializers)
  if (same) return
  throw new StreamError('STATE_CONFLICT', {
    message:
      stored.kind === kind
        ? `State '${stored.name}' is declared with the serializers ${serializersText(stored.serializers)} and ${serializersText(serializers)}.`
        : `State '${stored.name}' is declared as a ${stored.kind} state and as a ${kind} state.`,
    hint: 'Give each state of an operator a name of its own.',
    details: { state: stored.name },
  })
}
