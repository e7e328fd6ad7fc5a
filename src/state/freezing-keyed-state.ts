/**
 * Keyed state under `execution.debug-freeze`: every value that a state is given or gives is frozen, so that code which
 * changes one in place fails where it does. Accumulators are left: an aggregate function may change its own.
 */
import { deepFreeze } from '../elements/deep-freeze.ts'
import type {
  AggregatingState,
  AggregatingStateDescriptor,
  ListState,
  ListStateDescriptor,
  MapState,
  MapStateDescriptor,
  ReducingState,
  ReducingStateDescriptor,
  ValueState,
  ValueStateDescriptor,
} from './descriptors.ts'
import { FreezingListState } from './freezing-list-state.ts'
import { FreezingMapState } from './freezing-map-state.ts'
import { inPlaceOf } from './in-place-of.ts'
import type { KeyedStateBackend } from './state-backend.ts'

/** The same backend; its states freeze. */
export function freezingKeyedState(backend: KeyedStateBackend): KeyedStateBackend {
  return inPlaceOf(backend, new FreezingStates(backend))
}

class FreezingStates
  implements
    Pick<
      KeyedStateBackend,
      'setCurrentKey' | 'getState' | 'getListState' | 'getMapState' | 'getReducingState' | 'getAggregatingState'
    >
{
  readonly #backend: KeyedStateBackend

  constructor(backend: KeyedStateBackend) {
    this.#backend = backend
  }

  setCurrentKey(key: unknown): void {
    this.#backend.setCurrentKey(deepFreeze(key))
  }

  getState<T, Read extends T | undefined>(descriptor: ValueStateDescriptor<T, Read>): ValueState<T, Read> {
    const state = this.#backend.getState(descriptor)
    return {
      value: () => deepFreeze(state.value()),
      update: (value) => state.update(deepFreeze(value)),
      clear: () => state.clear(),
    }
  }

  getListState<T>(descriptor: ListStateDescriptor<T>): ListState<T> {
    return new FreezingListState(this.#backend.getListState(descriptor))
  }

  getMapState<K, V>(descriptor: MapStateDescriptor<K, V>): MapState<K, V> {
    return new FreezingMapState(this.#backend.getMapState(descriptor))
  }

  /** The function gets frozen arguments as well: the first of them is what is stored. */
  getReducingState<T>(descriptor: ReducingStateDescriptor<T>): ReducingState<T> {
    const reduce = (a: T, b: T): T => deepFreeze(descriptor.reduce(deepFreeze(a), deepFreeze(b)))
    const freezing: ReducingStateDescriptor<T> = inPlaceOf(descriptor, { reduce })
    const state = this.#backend.getReducingState(freezing)
    return {
      get: () => deepFreeze(state.get()),
      add: (value) => state.add(deepFreeze(value)),
      clear: () => state.clear(),
    }
  }

  /** What it gives may be the accumulator itself, so it is not frozen. */
  getAggregatingState<In, Acc, Out>(descriptor: AggregatingStateDescriptor<In, Acc, Out>): AggregatingState<In, Out> {
    const state = this.#backend.getAggregatingState(descriptor)
    return {
      get: () => state.get(),
      add: (value) => state.add(deepFreeze(value)),
      clear: () => state.clear(),
    }
  }
}
