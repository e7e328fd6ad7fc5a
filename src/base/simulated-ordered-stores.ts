/**
 * Ordered stores in memory, for simulations and tests: the contract of the port, repeatable, with faults on demand. Their
 * tables are files of a given file system, so that checkpoints of them can be written, lost and opened again.
 */
import { assert } from './assert.ts'
import { fileError } from './file-error.ts'
import type { FileSystem } from './file-system.ts'
import {
  nameOfTable,
  type OrderedStore,
  type OrderedStores,
  type PinnedTables,
  type StoreOperation,
  type StoreSnapshot,
  type StoreTable,
  type TableSet,
} from './ordered-store.ts'
import { SimulatedSnapshot } from './simulated-snapshot.ts'
import { bytesOf, decodeTable, encodeTable, type SimulatedEntries, textOf } from './simulated-tables.ts'
import type { Turns } from './turns.ts'

export interface SimulatedStoresOptions {
  /** With it tables can be pinned: they are written here, in the folder of their store. */
  readonly files?: FileSystem | undefined
  /** Left out: a batch settles some microtasks later. */
  readonly turns?: Turns | undefined
  readonly faults?: SimulatedStoreFaults | undefined
}

/** Each is told how many there were in this store, from 1. What throws or rejects fails it; what does not settle hangs it. */
export interface SimulatedStoreFaults {
  /** The batch is not in. */
  readonly beforeWrite?: ((count: number, folder: string) => Promise<void> | void) | undefined
  /** The batch is in, and fails all the same. */
  readonly afterWrite?: ((count: number, folder: string) => Promise<void> | void) | undefined
  readonly beforePin?: ((count: number, folder: string) => Promise<void> | void) | undefined
}

/** With that many tables of changes, the next pin makes one table of all. */
const MOST_CHANGES = 4

export function simulatedStores(options: SimulatedStoresOptions = {}): OrderedStores {
  const { files } = options
  return {
    keepsTables: files !== undefined,

    async open(folder) {
      if (files !== undefined) {
        await files.execute([{ type: 'makeFolder', path: folder }])
        if ((await files.list(folder)).length > 0) throw refused('open a store in', folder, 'it is not empty')
      }
      return new SimulatedStore(folder, options, new Map(), { tables: [], lastSequence: '0' })
    },

    async reopen(folder, tables) {
      if (files === undefined) throw refused('open a store on the tables in', folder, 'these stores keep no tables')
      return new SimulatedStore(folder, options, await entriesOf(files, folder, tables), tables)
    },
  }
}

class SimulatedStore implements OrderedStore {
  readonly #folder: string
  readonly #options: SimulatedStoresOptions
  /** Not changed while a snapshot has it. */
  #entries: Map<string, Uint8Array>
  #shared = false
  /** Since the last table was written. */
  #changes = new Map<string, Uint8Array | undefined>()
  #lastSequence: bigint
  #tables: readonly StoreTable[]
  #nextTable: number
  /** How many pins hold a table, by number. */
  readonly #pins = new Map<number, number>()
  readonly #obsolete = new Set<number>()
  #writes = 0
  #pinned = 0
  #underWay: Promise<unknown> | undefined
  #failure: unknown
  #closed = false

  constructor(folder: string, options: SimulatedStoresOptions, entries: Map<string, Uint8Array>, set: TableSet) {
    this.#folder = folder
    this.#options = options
    this.#entries = entries
    this.#tables = set.tables
    this.#lastSequence = BigInt(set.lastSequence)
    this.#nextTable = set.tables.reduce((highest, { number }) => Math.max(highest, number), 0) + 3
  }

  get(key: Uint8Array): Uint8Array | undefined {
    if (this.#closed) throw refused('read from the store in', this.#folder, 'the store was closed')
    return this.#entries.get(textOf(key))?.slice()
  }

  async write(operations: readonly StoreOperation[]): Promise<void> {
    if (operations.length === 0) return
    await this.#alone('write to the store in', async () => {
      try {
        await this.#write(operations, ++this.#writes)
      } catch (thrown) {
        this.#failure = thrown
        throw thrown
      }
    })
  }

  snapshot(): StoreSnapshot {
    if (this.#closed) throw refused('take a view of the store in', this.#folder, 'the store was closed')
    this.#shared = true
    return new SimulatedSnapshot(this.#entries, this.#folder, () => this.#turn())
  }

  pinTables(): Promise<PinnedTables> {
    return this.#alone('pin the tables in', async () => {
      await this.#options.faults?.beforePin?.(++this.#pinned, this.#folder)
      const { files } = this.#options
      if (files === undefined) throw new Error('these stores keep no tables')
      await this.#writeTable(files)
      return this.#pin(files, this.#tables)
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#underWay
  }

  /** The operations are read when the batch settles: who changes them before that finds out. */
  async #write(operations: readonly StoreOperation[], count: number): Promise<void> {
    await this.#options.faults?.beforeWrite?.(count, this.#folder)
    await this.#turn()
    if (this.#shared) this.#entries = new Map(this.#entries)
    this.#shared = false
    for (const { key, value } of operations) {
      const text = textOf(key)
      if (value === undefined) this.#entries.delete(text)
      else this.#entries.set(text, value.slice())
      this.#changes.set(text, value?.slice())
    }
    this.#lastSequence += BigInt(operations.length)
    await this.#options.faults?.afterWrite?.(count, this.#folder)
  }

  /** The changes as a table of level 0, or everything as one of level 1, which makes the others obsolete. */
  async #writeTable(files: FileSystem): Promise<void> {
    if (this.#changes.size === 0) return
    const merges = this.#tables.filter(({ level }) => level === 0).length >= MOST_CHANGES
    const entries: SimulatedEntries = merges ? this.#entries : this.#changes
    const table = tableOf(entries, this.#nextTable++, merges ? 1 : 0)
    const bytes = encodeTable(entries)
    if (entries.size > 0)
      await files.execute([{ type: 'writeNew', path: `${this.#folder}/${nameOfTable(table.number)}`, bytes }])
    if (merges) for (const { number } of this.#tables) this.#obsolete.add(number)
    const added = entries.size > 0 ? [{ ...table, length: bytes.length }] : []
    this.#tables = merges ? added : [...this.#tables, ...added]
    this.#changes = new Map()
    await this.#removeObsolete(files)
  }

  #pin(files: FileSystem, tables: readonly StoreTable[]): PinnedTables {
    for (const { number } of tables) this.#pins.set(number, (this.#pins.get(number) ?? 0) + 1)
    let released = false
    return {
      tables,
      lastSequence: String(this.#lastSequence),
      pathOf: ({ number }) => `${this.#folder}/${nameOfTable(number)}`,
      release: async () => {
        if (released) return
        released = true
        for (const { number } of tables) this.#pins.set(number, (this.#pins.get(number) ?? 0) - 1)
        if (!this.#closed) await this.#removeObsolete(files)
      },
    }
  }

  async #removeObsolete(files: FileSystem): Promise<void> {
    const free = [...this.#obsolete].filter((number) => (this.#pins.get(number) ?? 0) === 0)
    for (const number of free) this.#obsolete.delete(number)
    await files.execute(free.map((number) => ({ type: 'remove', path: `${this.#folder}/${nameOfTable(number)}` })))
  }

  async #alone<T>(operation: string, act: () => Promise<T>): Promise<T> {
    assert(this.#underWay === undefined, `'${operation}' began beside another batch or pin, in '${this.#folder}'`)
    if (this.#closed) throw refused(operation, this.#folder, 'the store was closed')
    if (this.#failure !== undefined) throw fileError(this.#failure, { operation, path: this.#folder })
    const acting = act()
    this.#underWay = acting.catch(() => {
      // Whoever asked for it is told; this only knows that it is over.
    })
    try {
      return await acting
    } catch (thrown) {
      throw fileError(thrown, { operation, path: this.#folder })
    } finally {
      this.#underWay = undefined
    }
  }

  async #turn(): Promise<void> {
    const { turns } = this.#options
    if (turns !== undefined) return new Promise((resolve) => turns.next(resolve))
    // Not at once, whoever asks in the same breath.
    for (let passed = 0; passed < 3; passed++) await Promise.resolve()
  }
}

async function entriesOf(files: FileSystem, folder: string, { tables }: TableSet): Promise<Map<string, Uint8Array>> {
  const operation = 'open a store on the tables in'
  const expected = tables.map(({ number }) => nameOfTable(number)).sort()
  const found = (await files.list(folder)).map(({ name }) => name)
  if (found.join() !== expected.join()) throw refused(operation, folder, `it holds [${found}] and not [${expected}]`)
  const entries = new Map<string, Uint8Array>()
  const oldestFirst = [...tables].sort((one, other) => other.level - one.level || one.number - other.number)
  for (const { number, length } of oldestFirst) {
    const bytes = await files.read(`${folder}/${nameOfTable(number)}`)
    if (bytes.length !== length) throw refused(operation, folder, `table ${number} has ${bytes.length} bytes`)
    for (const [key, value] of decodeTable(bytes)) {
      if (value === undefined) entries.delete(key)
      else entries.set(key, value.slice())
    }
  }
  return entries
}

function tableOf(entries: SimulatedEntries, number: number, level: number): Omit<StoreTable, 'length'> {
  const keys = [...entries.keys()].sort()
  const inBase64 = (key: string | undefined) => Buffer.from(bytesOf(key ?? '')).toString('base64')
  return { number, level, smallest: inBase64(keys[0]), largest: inBase64(keys.at(-1)) }
}

function refused(operation: string, path: string, why: string): Error {
  return fileError(new Error(why), { operation, path })
}
