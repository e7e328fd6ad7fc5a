/** One snapshot of the tables of a backend: collects the entries of each key group, then hands them to a stream. */
import { assert } from '../base/assert.ts'
import type { ByteWriter } from '../elements/byte-writer.ts'
import { Chunk, giveBack } from './chunk-pool.ts'
import { entryFailure, foreignKeyGroup } from './entry-failure.ts'
import type { MapKey } from './key.ts'
import { KeyGroupOutput } from './key-group-output.ts'
import { contains, type KeyGroupRange } from './key-group-range.ts'
import { encodeBlobHeader, encodeKeyedHeader } from './keyed-format.ts'
import type { HeapTable } from './keyed-table.ts'
import type { RestoredTable } from './restored-tables.ts'
import type { SnapshotStream, SnapshotTarget, StoredHandle } from './snapshot.ts'
import type { FrozenKeyedState } from './state-backend.ts'
import type { TableSlot } from './table-registry.ts'
import { type ScanMember, TableScan } from './table-scan.ts'

interface LivePart {
  readonly table: HeapTable<unknown>
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
      const live = table ?? restored?.decoded
      if (live === undefined || live.entries.size === 0) return
      live.scan ??= new TableScan(live)
      this.#live.push({ table: live, scan: live.scan, member: live.scan.join(this, tableId) })
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
    throw foreignKeyGroup(keyGroup, this.#keyGroups)
  }

  #outputOf(keyGroup: number): KeyGroupOutput {
    const place = keyGroup - this.#keyGroups.first
    let output = this.#outputs[place]
    if (output === undefined) this.#outputs[place] = output = new KeyGroupOutput(keyGroup)
    return output
  }

  /** Of a scan: an entry could not be serialised. The next `step` says so. */
  fail(thrown: unknown, table: HeapTable<unknown> | HeapTable<never>, key: MapKey): void {
    this.release()
    this.#failure = entryFailure(thrown, table.name, key, `into checkpoint ${this.checkpointId}`)
  }

  async write(target: SnapshotTarget): Promise<StoredHandle> {
    const stream = target.open()
    try {
      await this.writeTo(stream)
      return await stream.finish()
    } catch (thrown) {
      await stream.abandon()
      throw thrown
    }
  }

  /** Appends the payload and waits where the stream asks to; `finish` is the caller's. Stops early when released. */
  async writeTo(stream: SnapshotStream): Promise<void> {
    for (const piece of this.#pieces()) {
      const settled = stream.append(bytesOf(piece))
      if (settled !== undefined) await settled
      // The stream has copied it.
      if (piece instanceof Chunk) giveBack(piece)
    }
  }

  /** After `step` gave true, instead of `write`: the same bytes, piece by piece; each piece is let go once it was given. */
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
      for (const { chunks, length, crc } of output.finish()) {
        yield encodeBlobHeader(this.#keyGroups.first + place, length, crc)
        yield* chunks
      }
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
