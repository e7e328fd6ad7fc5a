/**
 * The value of one entry as JSON, by what the header says of its table. It needs no program: what a serializer of the
 * user wrote stands as bytes, with the serializer's name. Lengths and counts are checked before they are believed.
 */
import { StreamError } from '../../base/errors.ts'
import { ByteReader } from '../../elements/byte-reader.ts'
import { DEFAULT_SERIALIZER_ID, defaultSerializer } from '../../elements/serializer.ts'
import { readValue } from '../../elements/value-reader.ts'
import { keyOf, type MapKey } from '../../state/key.ts'
import type { StoredTable } from '../../state/keyed-format.ts'
import type { StoredSerializer } from '../../state/keyed-table.ts'
import { TIMERS_CODEC } from '../../state/timer-queue.ts'
import { TTL_STAMPS } from '../../state/ttl-codecs.ts'
import { base64Of, type Json, jsonFormOf } from './json-form.ts'

export interface EntryForm {
  readonly value: Json
  /** Of state with a time-to-live: a number, or one an element of the list or map. */
  readonly touchedMs?: Json | undefined
}

/** Reads values of one table. The function throws NOT_DESERIALIZABLE for bytes that are none. */
export function entryFormer({ kind, serializers }: StoredTable): (value: Uint8Array) => EntryForm {
  const [serializer, stamps] = serializers
  const stamped = stamps !== undefined
  const known = serializer !== undefined && (!stamped || isKnown(stamps, TTL_STAMPS))
  if (!known || (serializer.id === DEFAULT_SERIALIZER_ID && !isDefault(serializer))) return opaque(serializers)
  if (isKnown(serializer, TIMERS_CODEC.serializers[0])) return whole(timersIn)
  const part = { read: partReader(serializer), stamped }
  switch (kind) {
    case 'value':
    case 'reducing':
    case 'aggregating':
      return whole((input) => singleIn(input, part))
    case 'list':
      return whole((input) => listIn(input, part))
    case 'map':
      return whole((input) => mapIn(input, part))
    default:
      return opaque(serializers)
  }
}

/** A value that stands alone, such as an element of operator state, written by this serializer. */
export function valueForm(serializer: StoredSerializer, bytes: Uint8Array): Json {
  if (!isDefault(serializer)) return bytesForm(serializer, bytes)
  const input = new ByteReader(bytes)
  const value = jsonFormOf(readValue(input))
  input.expectEnd()
  return value
}

/** Reads values that this serializer wrote one behind the other. The function throws NOT_DESERIALIZABLE for bytes that are none. */
export function streamedForm(serializer: StoredSerializer): (input: ByteReader) => Json {
  if (serializer.id === DEFAULT_SERIALIZER_ID && !isDefault(serializer))
    throw new StreamError('STATE_INCOMPATIBLE', {
      message: `It was written by version ${serializer.version} of serializer '${serializer.id}', which this version of Millrace does not know.`,
      hint: 'Inspect it with the version that wrote it, or a newer one.',
    })
  return partReader(serializer)
}

/** A key as it stands in front of an entry. Throws NOT_DESERIALIZABLE for what is no key. */
export function keyIn(bytes: Uint8Array): MapKey {
  const input = new ByteReader(bytes)
  const key = readValue(input)
  input.expectEnd()
  if (!['string', 'number', 'bigint', 'boolean'].includes(typeof key)) input.broken('a key is no primitive')
  return key as MapKey
}

export const keyForm = (key: MapKey): Json => jsonFormOf(keyOf(key))

interface Part {
  read(input: ByteReader): Json
  readonly stamped: boolean
}

function isKnown(stored: StoredSerializer, known: StoredSerializer | undefined): boolean {
  return stored.id === known?.id && stored.version === known.version
}

const isDefault = (serializer: StoredSerializer): boolean => isKnown(serializer, defaultSerializer())

function partReader(serializer: StoredSerializer): Part['read'] {
  if (isDefault(serializer)) return (input) => jsonFormOf(readValue(input))
  return (input) => bytesForm(serializer, input.bytesWithLength())
}

function bytesForm({ id, version }: StoredSerializer, bytes: Uint8Array): Json {
  return { $serializer: id, version, base64: base64Of(bytes) }
}

/** Written in a way that this version does not know. */
function opaque(serializers: readonly StoredSerializer[]): (value: Uint8Array) => EntryForm {
  const ids = serializers.map(({ id, version }) => `${id} ${version}`).join(', ')
  return (value) => ({ value: { $unknown: ids, base64: base64Of(value) } })
}

function whole(read: (input: ByteReader) => EntryForm): (value: Uint8Array) => EntryForm {
  return (value) => {
    const input = new ByteReader(value)
    const form = read(input)
    input.expectEnd()
    return form
  }
}

function singleIn(input: ByteReader, { read, stamped }: Part): EntryForm {
  if (!stamped) return { value: read(input) }
  const touchedMs = jsonFormOf(input.float64())
  return { value: read(input), touchedMs }
}

function listIn(input: ByteReader, { read, stamped }: Part): EntryForm {
  const [values, stamps]: [Json[], Json[]] = [[], []]
  for (let left = countIn(input); left > 0; left--) {
    if (stamped) stamps.push(jsonFormOf(input.float64()))
    values.push(read(input))
  }
  return { value: values, ...(stamped ? { touchedMs: stamps } : {}) }
}

function mapIn(input: ByteReader, { read, stamped }: Part): EntryForm {
  const [entries, stamps]: [Json[], Json[]] = [[], []]
  for (let left = countIn(input); left > 0; left--) {
    const key = keyForm(readValue(input) as MapKey)
    if (stamped) stamps.push(jsonFormOf(input.float64()))
    entries.push([key, read(input)])
  }
  return { value: { $map: entries }, ...(stamped ? { touchedMs: stamps } : {}) }
}

function timersIn(input: ByteReader): EntryForm {
  const timers: Json[] = []
  for (let left = countIn(input); left > 0; left--) {
    const namespace = readValue(input) as MapKey | undefined
    const timestamp = jsonFormOf(input.float64())
    timers.push(namespace === undefined ? { timestamp } : { timestamp, namespace: keyForm(namespace) })
  }
  return { value: timers }
}

/** Each element takes a byte at least. */
function countIn(input: ByteReader): number {
  const count = input.varint()
  input.need(count)
  return count
}

/** As a `Map` compares them. */
export const sameKey = (one: MapKey, other: MapKey): boolean =>
  one === other || (Number.isNaN(one) && Number.isNaN(other))
