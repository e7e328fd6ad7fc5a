/** Operator state under `execution.debug-freeze`: every value that a state is given or gives is frozen. */
import type { BroadcastState } from './broadcast-state.ts'
import type { ListState, ListStateDescriptor, MapStateDescriptor } from './descriptors.ts'
import { FreezingListState } from './freezing-list-state.ts'
import { FreezingMapState } from './freezing-map-state.ts'
import { inPlaceOf } from './in-place-of.ts'
import type { OperatorStateStore } from './operator-state.ts'

/** The same store; its states freeze. */
export function freezingOperatorState(store: OperatorStateStore): OperatorStateStore {
  return inPlaceOf(store, {
    getListState<T>(descriptor: ListStateDescriptor<T>): ListState<T> {
      return new FreezingListState(store.getListState(descriptor))
    },
    getUnionListState<T>(descriptor: ListStateDescriptor<T>): ListState<T> {
      return new FreezingListState(store.getUnionListState(descriptor))
    },
    getBroadcastState<K, V>(descriptor: MapStateDescriptor<K, V>): BroadcastState<K, V> {
      return new FreezingMapState(store.getBroadcastState(descriptor))
    },
  })
}
