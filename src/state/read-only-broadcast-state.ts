/** Broadcast state as the side sees it that is not broadcast, and timers: it can be read, and is never changed there. */
import { StreamError } from '../base/errors.ts'
import type { BroadcastState, ReadOnlyBroadcastState } from './broadcast-state.ts'

/** Refuses every change: by its type, and from plain JavaScript by STATE_READ_ONLY. Follows the state that it shows. */
export class ReadOnlyView<K, V> implements ReadOnlyBroadcastState<K, V> {
  readonly #state: BroadcastState<K, V>
  readonly #name: string

  constructor(state: BroadcastState<K, V>, name: string) {
    this.#state = state
    this.#name = name
  }

  get(key: K): V | undefined {
    return this.#state.get(key)
  }

  has(key: K): boolean {
    return this.#state.has(key)
  }

  keys(): IterableIterator<K> {
    return this.#state.keys()
  }

  values(): IterableIterator<V> {
    return this.#state.values()
  }

  entries(): IterableIterator<[K, V]> {
    return this.#state.entries()
  }

  [Symbol.iterator](): IterableIterator<[K, V]> {
    return this.#state.entries()
  }

  isEmpty(): boolean {
    return this.#state.isEmpty()
  }

  contains(key: K): boolean {
    return this.#state.has(key)
  }

  protected set(): never {
    throw this.#refusal('set')
  }

  protected put(): never {
    throw this.#refusal('put')
  }

  protected delete(): never {
    throw this.#refusal('delete')
  }

  protected remove(): never {
    throw this.#refusal('remove')
  }

  protected clear(): never {
    throw this.#refusal('clear')
  }

  #refusal(method: string): StreamError {
    return new StreamError('STATE_READ_ONLY', {
      message: `Broadcast state '${this.#name}' was to be changed (${method}) where it can only be read.`,
      hint: 'Change it in processBroadcastElement alone: there every subtask sees the same records, so that all copies stay equal.',
      details: { state: this.#name, method },
    })
  }
}
