/**
 * The port of stores on disk that keep bytes by bytes, in order: LevelDB, or what tests put in its place. A store is scratch:
 * nothing in it is durable, nothing in it outlives the process, and after any error it is of no further use.
 */
export interface OrderedStores {
  /** An empty store in a folder that does not exist yet or is empty. Rejects with FILE_ERROR. */
  open(folder: string, settings: StoreSettings): Promise<OrderedStore>
  /** Whether stores can pin their tables, and open what was pinned. Where they cannot, `pinTables` and `reopen` reject. */
  readonly keepsTables: boolean
  /** A store on tables that a store pinned, which lie in the folder under the names of `nameOfTable`. Nothing else may lie there. */
  reopen(folder: string, tables: TableSet, settings: StoreSettings): Promise<OrderedStore>
}

export interface StoreSettings {
  /** What the store may hold on the heap before it writes it out, in bytes. */
  readonly writeBufferBytes: number
  /** For blocks that were read. */
  readonly blockCacheBytes: number
}

export interface OrderedStore {
  /** Synchronous. Sees only batches that have settled. A view that stays as it is. Throws FILE_ERROR. */
  get(key: Uint8Array): Uint8Array | undefined
  /** All of it or nothing. One at a time. The arrays must not change until it has settled. Rejects with FILE_ERROR: whether it is in then is unknown. */
  write(operations: readonly StoreOperation[]): Promise<void>
  /** What settled batches have written up to now, at once. Released when it is not needed any more. */
  snapshot(): StoreSnapshot
  /**
   * Every table file as it is now, while the store stays open and is read; no batch may be under way or begin until it has
   * settled. The files stay until they are released.
   */
  pinTables(): Promise<PinnedTables>
  /** Waits for what is under way. Harmless when repeated. */
  close(): Promise<void>
}

/** `value` undefined: the key is removed. */
export interface StoreOperation {
  readonly key: Uint8Array
  readonly value: Uint8Array | undefined
}

export interface StoreSnapshot {
  /** Entries from `from` on and below `below`, in the order of their keys, in pages of about so many bytes. */
  scan(range: {
    readonly from?: Uint8Array | undefined
    readonly below?: Uint8Array | undefined
    readonly pageBytes: number
  }): AsyncIterable<readonly (readonly [key: Uint8Array, value: Uint8Array])[]>
  /** What it holds under each of the keys, which must not change until it has settled; undefined for nothing. */
  getMany(keys: readonly Uint8Array[]): Promise<readonly (Uint8Array | undefined)[]>
  release(): void
}

export interface TableSet {
  readonly tables: readonly StoreTable[]
  /** Above that of every entry in the tables. Decimal digits. */
  readonly lastSequence: string
}

export interface StoreTable {
  /** Under which its store knows it; means nothing to another store. */
  readonly number: number
  readonly level: number
  /** Of the file, in bytes. */
  readonly length: number
  /** The first and last key, in the store's own form, in base64. */
  readonly smallest: string
  readonly largest: string
}

export interface PinnedTables extends TableSet {
  /** Where the file of a table lies. */
  pathOf(table: StoreTable): string
  release(): Promise<void>
}

/** `000042.ldb` */
export function nameOfTable(number: number): string {
  return `${String(number).padStart(6, '0')}.ldb`
}
