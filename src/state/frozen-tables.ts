/** One snapshot of the tables of a backend: collects the entries of each key group, then hands them to a stream. */
import { assert } from '../base/assert.ts'
import { StreamError, toError } from '../base/errors.ts'
import type { ByteWriter } from '../elements/byte-writer.ts'
import { Chunk, giveBack } from './chunk-pool.ts'
import { keyOf, type MapKey } from './key.ts'
import { KeyGroupOutput } from './key-group-output.ts'
import { contains, type KeyGroupRange } from './key-group-range.ts'
import { encodeBlobHeader, encodeKeyedHeader } from './keyed-format.ts'
import type { KeyedTable } from './keyed-table.ts'
import type { RestoredTable } from './restored-tables.ts'
import type { SnapshotStream } from './snapshot.ts'
import type { FrozenKeyedState } from './state-backend.ts'
import { keyedStateInWords } from './state-in-words.ts'
import type { TableSlot } from './table-registry.ts'
import { type ScanMember, TableScan } from './table-scan.ts'

interface LivePart {
  readonly table: KeyedTable<unknown>
  readonly scan: TableScan<unknown>
  readonly member: ScanMember
}

export class FrozenTables implements FrozenKeyedState {
  readonly checkpointId: number
  readonly #header: Uint8Array
  readonly #maxParallelism: number
  readonly #keyGroups: KeyGroupRange
  readonly #live: LivePart[] = []
  /** Restored and not yet asked for by the program: it goes on as the bytes it is. */
  readonly #unclaimed: { readonly tableId: number; readonly restored: RestoredTable; next: number }[] = []
  /** By key group, from the first of the range; made when its first entry comes. */
  #outputs: (KeyGroupOutput | undefined)[] = []
  #failure: Error | undefined
  #released = false

  /** The whole of the synchronous part: it looks at tables, never at entries. */
  constructor(checkpointId: number, slots: readonly TableSlot[], maxParallelism: number, keyGroups: KeyGroupRange) {
    this.checkpointId = checkpointId
    this.#maxParallelism = maxParallelism
    this.#keyGroups = keyGroups
    this.#header = encodeKeyedHeader({ maxParallelism, tables: slots.map(({ stored }) => stored) })
    slots.forEach(({ table, restored }, tableId) => {
      if (restored !== undefined) this.#unclaimed.push({ tableId, restored, next: 0 })
      else if (table !== undefined && table.entries.size > 0) {
        table.scan ??= new TableScan(table)
        this.#live.push({ table, scan: table.scan, member: table.scan.join(this, tableId) })
      }
    })
  }

  step(budgetEntries: number): boolean {
    let left = budgetEntries
    while (this.#failure === undefined && left > 0) {
      const live = this.#live.find(({ member }) => !member.done)
      if (live === undefined) break
      // A round over an emptied table visits nothing, and must end all the same.
      left -= Math.max(1, live.scan.visit(left))
    }
    if (this.#failure !== undefined) throw this.#failure
    return left > 0 && this.#stepUnclaimed(left)
  }

  #stepUnclaimed(budget: number): boolean {
    let left = budget
    for (const part of this.#unclaimed)
      for (; part.next < part.restored.runs.length; part.next++) {
        if (left-- <= 0) return false
        const run = part.restored.runs[part.next]
        if (run !== undefined) this.#outputOf(run.keyGroup).appendRaw(part.tableId, run.entries)
      }
    return true
  }

  /** Of a scan: one entry of a table of this snapshot. */
  append(keyGroup: number, tableId: number, entry: ByteWriter): void {
    this.#outputOf(keyGroup).append(tableId, entry)
  }

  /** `hash`: the murmur hash of the key. Throws INVALID_KEY for the key of another subtask: written, it would be lost at the next restore. */
  keyGroupOf(hash: number): number {
    const keyGroup = hash % this.#maxParallelism
    if (contains(this.#keyGroups, keyGroup)) return keyGroup
    throw new StreamError('INVALID_KEY', {
      message: `Its key group ${keyGroup} is none of this subtask's, ${this.#keyGroups.first} to ${this.#keyGroups.last}.`,
      hint: 'The key selector gave another key here than where the record was sent: it must depend on nothing but the record.',
    })
  }

  #outputOf(keyGroup: number): KeyGroupOutput {
    const place = keyGroup - this.#keyGroups.first
    let output = this.#outputs[place]
    if (output === undefined) this.#outputs[place] = output = new KeyGroupOutput(keyGroup)
    return output
  }

  /** Of a scan: an entry could not be serialised. The next `step` says so. */
  fail(thrown: unknown, table: KeyedTable<unknown> | KeyedTable<never>, key: MapKey): void {
    const cause = toError(thrown)
    this.release()
    this.#failure = new StreamError(StreamError.is(cause) ? cause.code : 'NOT_SERIALIZABLE', {
      message: `${keyedStateInWords(table.name)} of key ${describe(key)} could not be written into checkpoint ${this.checkpointId}: ${cause.message}`,
      hint: StreamError.is(cause) ? cause.hint : 'The serializer of this state threw.',
      details: { ...(StreamError.is(cause) ? cause.details : {}), state: table.name },
      cause,
    })
  }

  async writeTo(stream: SnapshotStream): Promise<void> {
    for (const piece of this.#pieces()) {
      const settled = stream.append(bytesOf(piece))
      if (settled !== undefined) await settled
      // The stream has copied it.
      if (piece instanceof Chunk) giveBack(piece)
    }
  }

  *payload(): Generator<Uint8Array> {
    for (const piece of this.#pieces()) yield bytesOf(piece)
  }

  *#pieces(): Generator<Uint8Array | Chunk> {
    assert(
      !this.#released && this.step(1),
      'a snapshot of keyed state was written before all its entries were serialised',
    )
    yield this.#header
    const outputs = this.#outputs
    for (let place = 0; place < outputs.length && !this.#released; place++) {
      const output = outputs[place]
      if (output === undefined) continue
      outputs[place] = undefined
      const { chunks, length, crc } = output.finish()
      yield encodeBlobHeader(this.#keyGroups.first + place, length, crc)
      yield* chunks
    }
  }

  release(): void {
    this.#released = true
    for (const { scan, member } of this.#live) if (!member.done) scan.leave(member)
    this.#live.length = 0
    this.#unclaimed.length = 0
    this.#outputs = []
  }
}

function bytesOf(piece: Uint8Array | Chunk): Uint8Array {
  return piece instanceof Chunk ? piece.bytes.subarray(0, piece.length) : piece
}

function describe(key: MapKey): string {
  const original = keyOf(key)
  return typeof original === 'bigint'
    ? `${original}n`
    : JSON.stringify(original, (_, part: unknown) => (typeof part === 'bigint' ? `${part}n` : part))
}
