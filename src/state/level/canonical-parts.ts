/** Large maps and lists in the canonical form: what lies in parts here is one entry there, which gets a blob of its own. */
import { crc32 } from 'node:zlib'
import { StreamError } from '../../base/errors.ts'
import { ByteReader } from '../../elements/byte-reader.ts'
import { ByteWriter } from '../../elements/byte-writer.ts'
import { writeValue } from '../../elements/value-writer.ts'
import { serializersText } from '../claimed-table.ts'
import { blobSeed, encodeBlobHeader } from '../keyed-format.ts'
import type { StoredSerializer } from '../keyed-table.ts'
import type { RestorePace } from '../restore-pace.ts'
import type { SnapshotStream } from '../snapshot.ts'
import type { TableSlot } from './level-tables.ts'
import { isOfParts } from './part-codecs.ts'
import { type PartOwner, partOwners } from './part-owners.ts'
import { keyGroupIn, MAP_KEY_AT, tableIdIn } from './store-key.ts'
import { partsOf, type StoredPart } from './stored-parts.ts'
import type { ReadStored, StoredEntry } from './whole-snapshot.ts'

/** The table of a state in the header of the snapshot. */
export interface CanonicalTable {
  readonly place: number
  readonly serializers: readonly StoredSerializer[]
}

/** Writes values of parts with the serializers of the program, and gives how many live. `owner`: key of the head. */
export type WriteAnew = (out: ByteWriter, values: TableSlot, part: StoredPart, owner: Uint8Array) => number

export class CanonicalParts {
  readonly #stream: SnapshotStream
  readonly #pace: RestorePace
  readonly #owners: ReadonlyMap<number, PartOwner<TableSlot>>
  readonly #ofParts: ReadonlySet<number>
  readonly #tableOf: (state: number) => CanonicalTable | undefined
  readonly #anew: WriteAnew
  #heads: StoredEntry[] = []

  /** `tableOf`: by the number of a state's table. `anew`: for values that do not stand there as the header says. */
  constructor(
    stream: SnapshotStream,
    { slots, pace }: { readonly slots: readonly TableSlot[]; readonly pace: RestorePace },
    tableOf: (state: number) => CanonicalTable | undefined,
    anew: WriteAnew,
  ) {
    this.#stream = stream
    this.#pace = pace
    this.#owners = partOwners(slots)
    this.#ofParts = new Set(slots.filter(({ kind }) => isOfParts(kind)).map(({ id }) => id))
    this.#tableOf = tableOf
    this.#anew = anew
  }

  /** True where the entry is a part: it is written with what it is a part of. */
  take(entry: StoredEntry): boolean {
    const id = tableIdIn(entry.key)
    if (this.#owners.has(id)) this.#heads.push(entry)
    return this.#ofParts.has(id)
  }

  /** Behind all entries of a key group: its large ones, one after the other. Each takes its encoded size in memory. */
  async write(read: ReadStored): Promise<void> {
    const heads = this.#heads
    this.#heads = []
    for (const head of heads) await this.#writeOne(head, read)
  }

  async #writeOne(head: StoredEntry, read: ReadStored): Promise<void> {
    const owner = this.#owners.get(tableIdIn(head.key))
    const table = owner === undefined ? undefined : this.#tableOf(owner.state.id)
    if (owner === undefined || table === undefined) return
    const asTheyAre = asTheyAreIn(owner.values, table)
    const out = new ByteWriter(16 * 1024)
    const pieces: Uint8Array[] = []
    let count = 0
    for await (const parts of partsOf(head, owner.tables, read)) {
      out.length = 0
      for (const part of parts) count += this.#writePart(out, part, asTheyAre, owner, head)
      pieces.push(out.take())
      if (this.#pace.isUsedUp()) await this.#pace.nextTurn()
    }
    if (count > 0) await this.#append(keyGroupIn(head.key), table.place, head.key.subarray(MAP_KEY_AT), count, pieces)
  }

  /** Gives how many entries or elements it wrote. */
  #writePart(
    out: ByteWriter,
    part: StoredPart,
    asTheyAre: number | undefined,
    { values }: PartOwner<TableSlot>,
    { key }: StoredEntry,
  ): number {
    const begun = out.length
    if (part.userKey !== undefined) writeValue(out, part.userKey)
    let count = part.count
    if (part.schema === asTheyAre) out.raw(part.content)
    else count = this.#anew(out, values, part, key)
    if (count === 0) out.length = begun
    return count
  }

  async #append(
    keyGroup: number,
    place: number,
    key: Uint8Array,
    count: number,
    pieces: readonly Uint8Array[],
  ): Promise<void> {
    const bytes = pieces.reduce((sum, piece) => sum + piece.length, 0)
    if (bytes > LARGEST_ENTRY) throw tooLarge(bytes)
    const head = entryHead(place, key, count, bytes)
    const crc = pieces.reduce((before, piece) => crc32(piece, before), crc32(head, blobSeed(keyGroup)))
    await this.#stream.append(encodeBlobHeader(keyGroup, head.length + bytes, crc))
    await this.#stream.append(head)
    for (const piece of pieces) await this.#stream.append(piece)
  }
}

/** Lengths in the canonical form have 32 bits, and the head of the entry belongs to them. */
const LARGEST_ENTRY = 0xffff_ffff - 64 * 1024

function tooLarge(bytes: number): StreamError {
  return new StreamError('NOT_SERIALIZABLE', {
    message: `A map or list of one key has ${bytes} bytes, and an entry of a canonical savepoint has at most ${LARGEST_ENTRY}.`,
    hint: "Spread it over several keys, or take the savepoint in native format (formatType: 'NATIVE').",
    details: { bytes },
  })
}

/** A run of one entry, up to the first entry or element in it. */
function entryHead(place: number, key: Uint8Array, count: number, bytes: number): Uint8Array {
  const number = new ByteWriter(8)
  number.varint(count)
  const out = new ByteWriter(key.length + 32)
  out.uint16(place)
  out.uint32(0)
  out.raw(key)
  out.varint(number.length + bytes)
  out.raw(number.take())
  out.view.setUint32(2, out.length - 6 + bytes, true)
  return out.take()
}

/** The schema of the values that stand as the header says; undefined where a serializer has to look at each. */
function asTheyAreIn({ table, schemas }: TableSlot, { serializers }: CanonicalTable): number | undefined {
  if (table !== undefined && table.living !== table.codec) return undefined
  const text = serializersText(serializers)
  const place = schemas.findIndex((schema) => serializersText(schema.serializers) === text)
  return place < 0 ? undefined : place
}

/** Writes what lives of a part with the serializers of the program, and gives how many that are. Throws what they throw. */
export function writePartAnew(out: ByteWriter, { table }: TableSlot, { stored, userKey }: StoredPart): number {
  if (table === undefined) return 0
  const scratch = new ByteWriter(256)
  if (table.living.write(scratch, table.schemas.read(stored, userKey ?? '')) === 'nothing') return 0
  const input = new ByteReader(scratch.bytes.subarray(0, scratch.length))
  // In front of the value of an entry stands its chunk and its place in there, in front of elements how many they are.
  const first = input.varint()
  if (userKey !== undefined) input.varint()
  out.raw(input.raw(input.remaining))
  return userKey === undefined ? first : 1
}
