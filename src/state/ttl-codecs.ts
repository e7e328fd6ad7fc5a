/**
 * How state with a time-to-live stands in an entry, and how state is read that was written with the other choice.
 *
 *   stamped value   float64 in milliseconds since the epoch, when it was last touched; the value
 *
 * It takes the place of the value in each of the forms of `entry-codecs.ts`: once in a single value, with each element of
 * a list and each value of a map. The serializers of such a table are those of the plain one and `TTL_STAMPS`, whose
 * version counts this format. Never change what was written once.
 */
import type { ValueCodec } from '../elements/serializer.ts'
import { listCodec, mapCodec, singleCodec } from './entry-codecs.ts'
import type { MapKey } from './key.ts'
import type { EntryCodec, StoredSerializer } from './keyed-table.ts'
import type { Expiry } from './state-ttl.ts'

/** A value and when it was last touched. Changed in place by the states that own it, after the scan has seen it. */
export interface Stamped<T> {
  value: T
  touchedMs: number
}

export const TTL_STAMPS: StoredSerializer = { id: 'millrace.ttl', version: 1 }

/** The form of a kind of state: plain entries `V` of values `T`, stamped ones `S`. */
interface Form<T, V, S> {
  codec(of: ValueCodec<T>): EntryCodec<V>
  stampedCodec(of: ValueCodec<Stamped<T>>): EntryCodec<S>
  stamp(entry: V, touchedMs: number): S
  strip(entry: S): V
  /** What lives of the entry, undefined where nothing does. The entry itself stays as it is. */
  living(entry: S, expiry: Expiry, nowMs: number): S | undefined
}

const single = <T>(): Form<T, T, Stamped<T>> => ({
  codec: singleCodec,
  stampedCodec: singleCodec,
  stamp: (value, touchedMs) => ({ value, touchedMs }),
  strip: ({ value }) => value,
  living: (entry, expiry, nowMs) => (expiry.isExpired(entry.touchedMs, nowMs) ? undefined : entry),
})

const list = <T>(): Form<T, T[], Stamped<T>[]> => ({
  codec: listCodec,
  stampedCodec: listCodec,
  stamp: (values, touchedMs) => values.map((value) => ({ value, touchedMs })),
  strip: (entry) => entry.map(({ value }) => value),
  living(entry, expiry, nowMs) {
    const living = entry.filter(({ touchedMs }) => !expiry.isExpired(touchedMs, nowMs))
    return living.length === 0 ? undefined : living
  },
})

const map = <T>(): Form<T, Map<MapKey, T>, Map<MapKey, Stamped<T>>> => ({
  codec: mapCodec,
  stampedCodec: mapCodec,
  stamp: (values, touchedMs) => new Map([...values].map(([key, value]) => [key, { value, touchedMs }])),
  strip: (entry) => new Map([...entry].map(([key, { value }]) => [key, value])),
  living(entry, expiry, nowMs) {
    const living = new Map([...entry].filter(([, { touchedMs }]) => !expiry.isExpired(touchedMs, nowMs)))
    return living.size === 0 ? undefined : living
  },
})

/** Of state without a time-to-live. They also read what was written with one: the values, whatever their age. */
export const plainSingleCodec = <T>(codec: ValueCodec<T>) => plain(single<T>(), codec)
export const plainListCodec = <T>(codec: ValueCodec<T>) => plain(list<T>(), codec)
export const plainMapCodec = <T>(codec: ValueCodec<T>) => plain(map<T>(), codec)

/** Of state with a time-to-live. They also read what was written without one: as touched at the time of reading. */
export const ttlSingleCodec = <T>(codec: ValueCodec<T>, expiry: Expiry) => withStamps(single<T>(), codec, expiry)
export const ttlListCodec = <T>(codec: ValueCodec<T>, expiry: Expiry) => withStamps(list<T>(), codec, expiry)
export const ttlMapCodec = <T>(codec: ValueCodec<T>, expiry: Expiry) => withStamps(map<T>(), codec, expiry)

/** Of state that no program has asked for: nothing is judged by its age, and nothing is left out. */
export const storedSingleCodec = (codec: ValueCodec<unknown>, stamps: boolean) => asStored(single(), codec, stamps)
export const storedListCodec = (codec: ValueCodec<unknown>, stamps: boolean) => asStored(list(), codec, stamps)
export const storedMapCodec = (codec: ValueCodec<unknown>, stamps: boolean) => asStored(map(), codec, stamps)

function asStored<V, S>(form: Form<unknown, V, S>, codec: ValueCodec<unknown>, stamps: boolean): EntryCodec<unknown> {
  const stored: unknown = stamps ? stampedCodec(form, codec) : form.codec(codec)
  return stored as EntryCodec<unknown>
}

function plain<T, V, S>(form: Form<T, V, S>, codec: ValueCodec<T>): EntryCodec<V> {
  return {
    ...form.codec(codec),
    readerOf(stored) {
      if (!hasStamps(stored)) return undefined
      const stamped = stampedCodec(form, codec)
      return {
        serializers: stamped.serializers,
        read: (input, versions, key) => form.strip(stamped.read(input, versions, key)),
        fromStored: (entry) => form.strip(entry as S),
      }
    },
  }
}

function withStamps<T, V, S>(form: Form<T, V, S>, codec: ValueCodec<T>, expiry: Expiry): EntryCodec<S> {
  const stamped = stampedCodec(form, codec)
  return {
    serializers: stamped.serializers,
    read: stamped.read,
    write(out, entry) {
      if (!expiry.ttl.cleanupFullSnapshot) return stamped.write(out, entry)
      const living = form.living(entry, expiry, expiry.nowMs())
      return living === undefined ? 'nothing' : stamped.write(out, living)
    },
    readerOf(stored) {
      if (hasStamps(stored)) return undefined
      const unstamped = form.codec(codec)
      return {
        serializers: unstamped.serializers,
        read: (input, versions, key) => form.stamp(unstamped.read(input, versions, key), expiry.nowMs()),
        fromStored: (entry) => form.stamp(entry as V, expiry.nowMs()),
      }
    },
  }
}

function stampedCodec<T, V, S>(form: Form<T, V, S>, codec: ValueCodec<T>): EntryCodec<S> {
  const entries = form.stampedCodec({
    id: codec.id,
    version: codec.version,
    write(out, { value, touchedMs }) {
      out.float64(touchedMs)
      codec.write(out, value)
    },
    read(input, version) {
      const touchedMs = input.float64()
      return { value: codec.read(input, version), touchedMs }
    },
  })
  return { ...entries, serializers: [...entries.serializers, TTL_STAMPS] }
}

function hasStamps(stored: readonly StoredSerializer[]): boolean {
  return stored[1]?.id === TTL_STAMPS.id
}
