/**
 * How large maps and lists lie in the store. Their key has a head instead of a value. Chunks of a map hold its user keys in the
 * order in which they were first set, and each entry is a row of its own; chunks of a list hold its elements, and are written
 * as lists, with numbers that follow each other. Never change what was written once.
 *
 *   head     prefix of the parts' keys as a value of the default serializer, varint number of entries, of the first chunk,
 *            of the last chunk
 *   chunk    of a map: key whose map it is, as a value; varint 1 + number of the chunk before, 1 + that of the one behind, 0 for none;
 *            number of places; a place each: the user key, or undefined where it was removed
 *   entry    varint number of its chunk, its place in there, then the value as in a state with one value a key
 *   number   varint: under a key group, what the next map's parts begin with; under a prefix, the chunk from which on the
 *            parts of a cleared map are still there
 */
import { readValue } from '../../elements/value-reader.ts'
import { writeValue } from '../../elements/value-writer.ts'
import type { MapKey } from '../key.ts'
import type { EntryCodec, EntryReader } from '../keyed-table.ts'
import type { StateCodecs } from '../memory/keyed-states.ts'

/** Tables beside that of a map or list state, of the same name. */
export const MAP_HEADS = 'map-heads'
export const MAP_CHUNKS = 'map-chunks'
export const MAP_ENTRIES = 'map-entries'
export const MAP_NUMBERS = 'map-numbers'

export const LIST_HEADS = 'list-heads'
export const LIST_CHUNKS = 'list-chunks'
export const LIST_NUMBERS = 'list-numbers'

/** Their rows lie in the store, as those of a state. */
const STORED: ReadonlySet<string> = new Set([MAP_HEADS, MAP_CHUNKS, MAP_ENTRIES, LIST_HEADS, LIST_CHUNKS])

/** Whether rows of the table lie in the store, as those of a state, though it is none of the program's. */
export function isStored(kind: string): boolean {
  return STORED.has(kind)
}

/** Whether a table holds parts of another one: it is none of the program's. */
export function isOfParts(kind: string): boolean {
  return STORED.has(kind) || kind === MAP_NUMBERS || kind === LIST_NUMBERS
}

/** Whether the keys of the table are those of a state. */
export function hasHeads(kind: string): boolean {
  return kind === MAP_HEADS || kind === LIST_HEADS
}

/** Of what is the house's own in the parts. */
export const PARTS_SERIALIZERS = [{ id: 'millrace.parts', version: 1 }] as const

export interface PartHead {
  readonly prefix: string
  size: number
  first: number
  last: number
}

/** Chunks are a chain, in rising order. */
export interface MapChunk {
  readonly owner: MapKey
  /** -1 where there is none. */
  before: number
  behind: number
  /** Of the places, those that hold a key. */
  live: number
  readonly keys: (MapKey | undefined)[]
}

export interface MapPart<E> {
  value: E
  readonly chunk: number
  readonly place: number
}

export const HEAD_CODEC: EntryCodec<PartHead> = {
  serializers: PARTS_SERIALIZERS,
  write(out, { prefix, size, first, last }) {
    writeValue(out, prefix)
    out.varint(size)
    out.varint(first)
    out.varint(last)
  },
  read: (input) => ({
    prefix: readValue(input) as string,
    size: input.varint(),
    first: input.varint(),
    last: input.varint(),
  }),
}

export const CHUNK_CODEC: EntryCodec<MapChunk> = {
  serializers: PARTS_SERIALIZERS,
  write(out, { owner, before, behind, keys }) {
    writeValue(out, owner)
    out.varint(before + 1)
    out.varint(behind + 1)
    out.varint(keys.length)
    for (const key of keys) writeValue(out, key)
  },
  read(input) {
    const owner = readValue(input) as MapKey
    const before = input.varint() - 1
    const behind = input.varint() - 1
    const keys: (MapKey | undefined)[] = []
    let live = 0
    for (let left = input.varint(); left > 0; left--) {
      const key = readValue(input) as MapKey | undefined
      if (key !== undefined) live++
      keys.push(key)
    }
    return { owner, before, behind, live, keys }
  },
}

export const NUMBER_CODEC: EntryCodec<number> = {
  serializers: PARTS_SERIALIZERS,
  write: (out, value) => out.varint(value),
  read: (input) => input.varint(),
}

/** Where nothing depends on the time. */
export function ofHouse<V>(codec: EntryCodec<V>): StateCodecs<V> {
  return { all: codec, living: codec, at: () => codec }
}

/** Entries of a map whose values are written as those of a state with one value a key. */
export function partCodecs<E>({ all, living, at }: StateCodecs<E>): StateCodecs<MapPart<E>> {
  const codec = partCodec(all)
  return { all: codec, living: living === all ? codec : partCodec(living), at: (nowMs) => partCodec(at(nowMs)) }
}

function partCodec<E>(single: EntryCodec<E>): EntryCodec<MapPart<E>> {
  return {
    ...partReader(single),
    write(out, { value, chunk, place }) {
      out.varint(chunk)
      out.varint(place)
      return single.write(out, value)
    },
    readerOf(stored) {
      const reader = single.readerOf?.(stored)
      return reader === undefined ? undefined : partReader(reader)
    },
  }
}

function partReader<E>(single: EntryReader<E>): EntryReader<MapPart<E>> {
  return {
    serializers: single.serializers,
    read(input, versions, key) {
      const chunk = input.varint()
      const place = input.varint()
      return { value: single.read(input, versions, key), chunk, place }
    },
  }
}
