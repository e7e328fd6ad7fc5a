/** A list state under `execution.debug-freeze`, keyed or of an operator: its elements are frozen, whoever made them. */
import { deepFreeze } from '../elements/deep-freeze.ts'
import type { ListState } from './descriptors.ts'

export class FreezingListState<T> implements ListState<T> {
  readonly #state: ListState<T>

  constructor(state: ListState<T>) {
    this.#state = state
  }

  get(): Iterable<T> {
    return frozenEach(this.#state.get())
  }

  add(value: T): void {
    this.#state.add(deepFreeze(value))
  }

  addAll(values: Iterable<T>): void {
    this.#state.addAll(frozenEach(values))
  }

  update(values: Iterable<T>): void {
    this.#state.update(frozenEach(values))
  }

  clear(): void {
    this.#state.clear()
  }
}

/** An array: the list that the elements come in is nobody's but the caller's, and may be read more than once. */
function frozenEach<T>(values: Iterable<T>): T[] {
  return Array.from(values, (value) => deepFreeze(value))
}
