/** Writes a whole snapshot in the canonical form: one key group after the other, a blob at a time in memory. */
import { StreamError } from '../../base/errors.ts'
import { ByteWriter } from '../../elements/byte-writer.ts'
import { giveBack } from '../chunk-pool.ts'
import { entryFailure } from '../entry-failure.ts'
import type { MapKey } from '../key.ts'
import { type BlobOutput, KeyGroupOutput } from '../key-group-output.ts'
import { encodeBlobHeader, encodeKeyedHeader, type StoredTable } from '../keyed-format.ts'
import type { RestorePace } from '../restore-pace.ts'
import type { SnapshotStream, SnapshotTarget, StoredHandle } from '../snapshot.ts'
import { CanonicalParts, type CanonicalTable, writePartAnew } from './canonical-parts.ts'
import type { TableSlot } from './level-tables.ts'
import { isOfParts } from './part-codecs.ts'
import { MAP_KEY_AT, mapKeyIn, tableIdIn } from './store-key.ts'
import type { EntryPage, ReadStored, StoredEntry } from './whole-snapshot.ts'

export interface CanonicalOptions {
  readonly checkpointId: number
  readonly maxParallelism: number
  /** As they were at the freeze. */
  readonly slots: readonly TableSlot[]
  readonly pace: RestorePace
}

/** Rejects as the stream does, with what a serializer throws, or with STATE_INCOMPATIBLE. */
export async function writeCanonical(
  target: SnapshotTarget,
  pages: AsyncIterable<EntryPage>,
  options: CanonicalOptions,
): Promise<StoredHandle> {
  const stream = target.open()
  try {
    await new CanonicalOutput(stream, options).write(pages)
    return await stream.finish()
  } catch (thrown) {
    await stream.abandon()
    throw thrown
  }
}

/** A table in the header, and how its entries get the form that the header says. */
interface OutputTable {
  readonly place: number
  readonly slot: TableSlot
  /** Of the values that are written as they are; undefined where none is. */
  readonly asTheyAre: number | undefined
}

class CanonicalOutput {
  readonly #stream: SnapshotStream
  readonly #options: CanonicalOptions
  readonly #tables = new Map<number, OutputTable>()
  readonly #stored: StoredTable[] = []
  readonly #value = new ByteWriter(1024)
  readonly #parts: CanonicalParts
  #keyGroup = -1
  #output: KeyGroupOutput | undefined

  constructor(stream: SnapshotStream, options: CanonicalOptions) {
    this.#stream = stream
    this.#options = options
    for (const slot of options.slots) {
      if (isOfParts(slot.kind)) continue
      const schema = schemaOf(slot)
      const place = this.#stored.length
      const serializers = slot.schemas[schema]?.serializers ?? []
      this.#stored.push({ kind: slot.kind, name: slot.name, serializers })
      // What a serializer has to look at is never written as it is.
      const { table } = slot
      const asTheyAre = table !== undefined && table.living !== table.codec ? undefined : schema
      this.#tables.set(slot.id, { place, slot, asTheyAre })
    }
    this.#parts = new CanonicalParts(
      stream,
      options,
      (state) => this.#canonicalTable(state),
      (out, values, part, storeKey) => {
        if (values.table === undefined) throw severalSchemas(values.name)
        try {
          return writePartAnew(out, values, part)
        } catch (thrown) {
          // A serializer of the user, or a value that it cannot read.
          throw this.#entryFailure(thrown, values.name, mapKeyIn(storeKey))
        }
      },
    )
  }

  async write(pages: AsyncIterable<EntryPage>): Promise<void> {
    const { maxParallelism } = this.#options
    await this.#stream.append(encodeKeyedHeader({ maxParallelism, tables: this.#stored }))
    let readHere: ReadStored | undefined
    for await (const { keyGroup, entries, read } of pages) {
      if (keyGroup !== this.#keyGroup) {
        if (readHere !== undefined) await this.#parts.write(readHere)
        await this.#beginKeyGroup(keyGroup)
      }
      readHere = read
      for (const entry of entries) this.#add(entry, this.#output as KeyGroupOutput)
      await this.#append(this.#output?.takeFull() ?? [])
    }
    if (readHere !== undefined) await this.#parts.write(readHere)
    await this.#append(this.#output?.finish() ?? [])
  }

  #canonicalTable(state: number): CanonicalTable | undefined {
    const place = this.#tables.get(state)?.place
    const stored = place === undefined ? undefined : this.#stored[place]
    return place === undefined || stored === undefined ? undefined : { place, serializers: stored.serializers }
  }

  async #beginKeyGroup(keyGroup: number): Promise<void> {
    await this.#append(this.#output?.finish() ?? [])
    this.#keyGroup = keyGroup
    this.#output = new KeyGroupOutput(keyGroup)
  }

  #add(entry: StoredEntry, output: KeyGroupOutput): void {
    if (this.#parts.take(entry)) return
    const { key, value } = entry
    const table = this.#tables.get(tableIdIn(key))
    // Declared since the freeze: there was nothing in it.
    if (table === undefined) return
    const mapKey = key.subarray(MAP_KEY_AT)
    if (value[0] === table.asTheyAre) output.appendEntry(table.place, mapKey, value.subarray(1))
    else if (this.#encodeAnew(table.slot, key, value))
      output.appendEntry(table.place, mapKey, this.#value.bytes.subarray(0, this.#value.length))
  }

  /** False where nothing of it lives. */
  #encodeAnew({ name, table }: TableSlot, storeKey: Uint8Array, value: Uint8Array): boolean {
    if (table === undefined) throw severalSchemas(name)
    const key = mapKeyIn(storeKey)
    this.#value.length = 0
    try {
      return table.living.write(this.#value, table.schemas.read(value, key)) !== 'nothing'
    } catch (thrown) {
      // A serializer of the user, or a value that it cannot read.
      throw this.#entryFailure(thrown, name, key)
    }
  }

  #entryFailure(thrown: unknown, name: string, key: MapKey): StreamError {
    return entryFailure(thrown, name, key, `into checkpoint ${this.#options.checkpointId}`)
  }

  async #append(blobs: readonly BlobOutput[]): Promise<void> {
    for (const { chunks, length, crc } of blobs) {
      await this.#stream.append(encodeBlobHeader(this.#keyGroup, length, crc))
      for (const chunk of chunks) {
        await this.#stream.append(chunk.bytes.subarray(0, chunk.length))
        giveBack(chunk)
      }
    }
  }
}

/** That in which the header says the values are; of a table that the program has not declared, the last one. */
function schemaOf({ table, schemas }: TableSlot): number {
  return table?.schemas.current ?? Math.max(0, schemas.length - 1)
}

function severalSchemas(name: string): StreamError {
  return new StreamError('STATE_INCOMPATIBLE', {
    message: `State '${name}' was written by several versions of its serializer, and the program does not declare it: it cannot be written into a savepoint in canonical format.`,
    hint: 'Declare the state in the program, or take a savepoint in native format.',
    details: { state: name },
  })
}
