/** A map state under `execution.debug-freeze`, keyed or of an operator: its values are frozen. Its keys are made anew when read. */
import { deepFreeze } from '../elements/deep-freeze.ts'
import type { MapState } from './descriptors.ts'

export class FreezingMapState<K, V> implements MapState<K, V> {
  readonly #state: MapState<K, V>

  constructor(state: MapState<K, V>) {
    this.#state = state
  }

  get(key: K): V | undefined {
    return deepFreeze(this.#state.get(key))
  }

  set(key: K, value: V): this {
    this.#state.set(key, deepFreeze(value))
    return this
  }

  has(key: K): boolean {
    return this.#state.has(key)
  }

  delete(key: K): boolean {
    return this.#state.delete(key)
  }

  keys(): IterableIterator<K> {
    return this.#state.keys()
  }

  values(): IterableIterator<V> {
    return frozenValues(this.#state.values())
  }

  entries(): IterableIterator<[K, V]> {
    return frozenEntries(this.#state.entries())
  }

  [Symbol.iterator](): IterableIterator<[K, V]> {
    return this.entries()
  }

  isEmpty(): boolean {
    return this.#state.isEmpty()
  }

  clear(): void {
    this.#state.clear()
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
}

// The state's iterators are made by the caller, at the time of the call: they stay with the key that is current then.

function* frozenValues<V>(values: Iterable<V>): IterableIterator<V> {
  for (const value of values) yield deepFreeze(value)
}

function* frozenEntries<K, V>(entries: Iterable<[K, V]>): IterableIterator<[K, V]> {
  for (const entry of entries) {
    deepFreeze(entry[1])
    yield entry
  }
}
