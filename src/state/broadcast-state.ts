/**
 * Broadcast state: a map in operator state, of which every subtask keeps a whole copy. The copies are equal because all
 * subtasks see the same broadcast records and change nothing else; so only the broadcast side may write.
 */
import { messageOf, StreamError } from '../base/errors.ts'
import { ByteReader } from '../elements/byte-reader.ts'
import { ByteWriter } from '../elements/byte-writer.ts'
import type { Serializer } from '../elements/serializer.ts'
import { readValue } from '../elements/value-reader.ts'
import { writeValue } from '../elements/value-writer.ts'
import type { MapState } from './descriptors.ts'
import { keyOf, type MapKey, mapKeyOf } from './key.ts'
import type { StoredOperatorState } from './operator-state-format.ts'

/** What the side without broadcast sees of a broadcast state. In the order in which keys were first set; keys are equal when their encoded values are. */
export interface ReadOnlyBroadcastState<K, V> extends Iterable<[K, V]> {
  /** Undefined where there is none. */
  get(key: K): V | undefined
  /** Whether something is stored under `key`. */
  has(key: K): boolean
  /** In the order in which they were first set. */
  keys(): IterableIterator<K>
  /** In the order of `keys`. */
  values(): IterableIterator<V>
  /** In the order of `keys`. */
  entries(): IterableIterator<[K, V]>
  /** Whether there is no entry. */
  isEmpty(): boolean
  /** Flink's name of `has`. */
  contains(key: K): boolean
}

/** What the broadcast side holds. Every subtask must make the same changes: they may depend on nothing but the broadcast records. */
export interface BroadcastState<K, V> extends MapState<K, V> {}

/** Of one subtask, with the way into and out of a snapshot. */
export class OperatorMap<K, V> implements BroadcastState<K, V> {
  readonly name: string
  readonly mode = 'broadcast'
  readonly serializer: Serializer<V>
  readonly #entries = new Map<MapKey, V>()

  constructor(name: string, serializer: Serializer<V>) {
    this.name = name
    this.serializer = serializer
  }

  get(key: K): V | undefined {
    return this.#entries.get(mapKeyOf(key))
  }

  has(key: K): boolean {
    return this.#entries.has(mapKeyOf(key))
  }

  set(key: K, value: V): this {
    this.#entries.set(mapKeyOf(key), value)
    return this
  }

  delete(key: K): boolean {
    return this.#entries.delete(mapKeyOf(key))
  }

  *keys(): IterableIterator<K> {
    for (const key of this.#entries.keys()) yield keyOf(key) as K
  }

  values(): IterableIterator<V> {
    return this.#entries.values()
  }

  *entries(): IterableIterator<[K, V]> {
    for (const [key, value] of this.#entries) yield [keyOf(key) as K, value]
  }

  [Symbol.iterator](): IterableIterator<[K, V]> {
    return this.entries()
  }

  isEmpty(): boolean {
    return this.#entries.size === 0
  }

  clear(): void {
    this.#entries.clear()
  }

  put(key: K, value: V): void {
    this.set(key, value)
  }

  contains(key: K): boolean {
    return this.has(key)
  }

  remove(key: K): void {
    this.delete(key)
  }

  /** Takes in one stored element: key in the default format, then the value by its serializer. */
  restoreElement(bytes: Uint8Array, version: number): void {
    const input = new ByteReader(bytes)
    const key = readValue(input) as MapKey
    this.#entries.set(key, this.serializer.deserialize(input.raw(input.remaining), version))
  }

  /** Throws NOT_SERIALIZABLE. */
  stored(): StoredOperatorState {
    const { name, mode, serializer } = this
    const elements = [...this.#entries].map(([key, value]) => {
      const out = new ByteWriter(64)
      writeValue(out, key)
      try {
        out.raw(serializer.serialize(value))
      } catch (cause) {
        // A serializer of the user, or a value that cannot be serialised.
        throw new StreamError('NOT_SERIALIZABLE', {
          message: `The value of key ${shown(key)} in broadcast state '${name}' could not be serialised: ${messageOf(cause)}`,
          hint: StreamError.is(cause) ? cause.hint : 'The serializer of this state threw.',
          details: { state: name },
          cause,
        })
      }
      return out.take()
    })
    return { name, mode, serializer: { id: serializer.id, version: serializer.version }, elements }
  }
}

function shown(key: MapKey): string {
  return typeof key === 'bigint'
    ? `${key}n`
    : JSON.stringify(keyOf(key), (_, part) => (typeof part === 'bigint' ? `${part}n` : part))
}
