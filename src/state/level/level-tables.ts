/** The tables of one backend, by name and by the number in their keys: what the program declared, and what was restored. */
import { assert } from '../../base/assert.ts'
import type { StoreOperation } from '../../base/ordered-store.ts'
import type { MapKey } from '../key.ts'
import { STATES, type StateCodecs, spaceOf } from '../memory/keyed-states.ts'
import { refuseConflict } from '../table-registry.ts'
import type { IndexTable } from './level-index.ts'
import { type AnyTable, LevelTable } from './level-table.ts'
import { hasHeads, isStored, LIST_HEADS, MAP_HEADS } from './part-codecs.ts'
import type { AnyRow } from './row.ts'
import type { RowCache } from './row-cache.ts'
import { mapKeyIn } from './store-key.ts'
import { type TableSchema, TableSchemas } from './table-schemas.ts'

export interface TableSlot {
  readonly id: number
  readonly kind: string
  readonly name: string
  readonly schemas: TableSchema[]
  /** All of it is on the heap: tables of the house, such as timers. */
  readonly pinned: boolean
  readonly liveKeys: Set<MapKey> | undefined
  /** Undefined until the program declares it. */
  table: AnyTable | undefined
  /** Of a pinned table that was restored and not yet declared: by the text of its key. */
  unclaimed: Map<string, StoreOperation>
}

export interface LevelTablesOptions {
  readonly cache: RowCache
  readonly keepsKeys: boolean
  nowMs(): number
}

const MOST_TABLES = 0x1_0000

export class LevelTables {
  readonly #options: LevelTablesOptions
  readonly #byPlace = new Map<string, TableSlot>()
  readonly #byId: (TableSlot | undefined)[] = []

  constructor(options: LevelTablesOptions) {
    this.#options = options
  }

  /** Throws STATE_CONFLICT, STATE_INCOMPATIBLE, or what a serializer throws that reads what was restored. */
  table<V>(kind: string, name: string, codecs: StateCodecs<V>): LevelTable<V> {
    const slot = this.slotOf(kind, name)
    if (slot.table !== undefined) {
      refuseConflict({ kind: slot.kind, name, serializers: slot.table.codec.serializers }, kind, codecs.all.serializers)
      return slot.table as AnyTable as LevelTable<V>
    }
    const { cache, nowMs } = this.#options
    const { id, pinned, liveKeys } = slot
    const schemas = new TableSchemas(slot, kind, codecs.all, codecs.at, nowMs)
    const { all: codec, living } = codecs
    const table = new LevelTable({ id, kind, name, codec, living, schemas, pinned, liveKeys, cache })
    claimPinned(table, slot)
    slot.table = table as LevelTable<never> as AnyTable
    return table
  }

  /** Made where there is none. */
  slotOf(kind: string, name: string): TableSlot {
    const known = this.#byPlace.get(placeOf(kind, name))
    return known ?? this.#add({ id: this.#byId.length, kind, name, schemas: [] })
  }

  has(kind: string, name: string): boolean {
    return this.#byPlace.has(placeOf(kind, name))
  }

  /** With the numbers that they have in the keys of their entries. Only where there is no table yet. */
  adopt(tables: readonly IndexTable[]): void {
    assert(this.#byPlace.size === 0, 'tables were restored into a backend that had some')
    for (const table of tables) this.#add(table)
  }

  slot(id: number): TableSlot | undefined {
    return this.#byId[id]
  }

  *slots(): IterableIterator<TableSlot> {
    yield* this.#byPlace.values()
  }

  /** As they stand in an index, now. */
  index(): readonly IndexTable[] {
    return [...this.slots()].map(({ id, kind, name, schemas }) => ({ id, kind, name, schemas: [...schemas] }))
  }

  /** The keys of a state that hold something. `keepsKeys` must be set. */
  keysOf(name: string): readonly MapKey[] {
    assert(this.#options.keepsKeys, `the keys of state '${name}' were asked for where they are not kept`)
    const keysIn = (space: string) => this.#byPlace.get(`${space}/${name}`)?.liveKeys ?? []
    return [...keysIn(STATES), ...keysIn(MAP_HEADS), ...keysIn(LIST_HEADS)]
  }

  /** Of the tables that have the store behind them. */
  hits(): number {
    return [...this.slots()].reduce((sum, { pinned, table }) => sum + (pinned ? 0 : (table?.hits ?? 0)), 0)
  }

  clear(): void {
    for (const slot of this.slots()) {
      slot.table?.clear()
      slot.unclaimed.clear()
    }
  }

  #add({ id, kind, name, schemas }: IndexTable): TableSlot {
    assert(id < MOST_TABLES, `an operator has more than ${MOST_TABLES} keyed states`)
    const pinned = spaceOf(kind) !== STATES && !isStored(kind)
    const slot: TableSlot = {
      id,
      kind,
      name,
      schemas: schemas.map((schema) => ({ ...schema })),
      pinned,
      liveKeys: this.#options.keepsKeys && (spaceOf(kind) === STATES || hasHeads(kind)) ? new Set() : undefined,
      table: undefined,
      unclaimed: new Map(),
    }
    this.#byPlace.set(placeOf(kind, name), slot)
    this.#byId[id] = slot
    return slot
  }
}

/** Rows of a pinned table are never in the store: every whole snapshot writes them. */
function claimPinned<V>(table: LevelTable<V>, slot: TableSlot): void {
  for (const { key: storeKey, value } of slot.unclaimed.values()) {
    const key = mapKeyIn(storeKey)
    const row = table.adopt(key, value) as AnyRow
    row.unflushed = true
  }
  slot.unclaimed = new Map()
}

function placeOf(kind: string, name: string): string {
  return `${spaceOf(kind)}/${name}`
}
