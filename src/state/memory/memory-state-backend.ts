/** The `hashmap` backend: all keyed state on the heap, snapshots by scans that run beside the records. */
import { valueCodec } from '../../elements/serializer.ts'
import { CurrentKey } from '../current-key.ts'
import type {
  AggregatingState,
  AggregatingStateDescriptor,
  ListState,
  ListStateDescriptor,
  MapState,
  MapStateDescriptor,
  ReducingState,
  ReducingStateDescriptor,
  StateKind,
  ValueState,
  ValueStateDescriptor,
} from '../descriptors.ts'
import { listCodec, mapCodec, singleCodec } from '../entry-codecs.ts'
import type { MapKey } from '../key.ts'
import type { KeyGroupRange } from '../key-group-range.ts'
import type { EntryCodec, KeyedTable } from '../keyed-table.ts'
import type { FrozenKeyedState, KeyedStateBackend, KeyedStatePayload } from '../state-backend.ts'
import { TableRegistry } from '../table-registry.ts'
import { MemoryMapState } from './map-state.ts'
import { MemoryAggregatingState, MemoryListState, MemoryReducingState, MemoryValueState } from './states.ts'

export interface MemoryStateBackendOptions {
  readonly maxParallelism: number
  /** Of this subtask. */
  readonly keyGroups: KeyGroupRange
}

export function memoryStateBackend(options: MemoryStateBackendOptions): KeyedStateBackend {
  return new MemoryStateBackend(options)
}

class MemoryStateBackend implements KeyedStateBackend {
  readonly maxParallelism: number
  readonly keyGroups: KeyGroupRange
  readonly #current = new CurrentKey()
  readonly #tables: TableRegistry

  constructor({ maxParallelism, keyGroups }: MemoryStateBackendOptions) {
    this.maxParallelism = maxParallelism
    this.keyGroups = keyGroups
    this.#tables = new TableRegistry(maxParallelism, keyGroups)
  }

  setCurrentKey(key: unknown): void {
    this.#current.set(key)
  }

  currentKey(): unknown {
    this.#current.required('The current key')
    return this.#current.key
  }

  currentMapKey(): MapKey {
    return this.#current.required('The current key')
  }

  clearCurrentKey(): void {
    this.#current.clear()
  }

  getState<T, Read extends T | undefined>(descriptor: ValueStateDescriptor<T, Read>): ValueState<T, Read> {
    const table = this.#stateTable('value', descriptor.name, singleCodec(valueCodec(descriptor.serializer)))
    return new MemoryValueState(this.#current, table, descriptor.default)
  }

  getListState<T>(descriptor: ListStateDescriptor<T>): ListState<T> {
    return new MemoryListState(
      this.#current,
      this.#stateTable('list', descriptor.name, listCodec(valueCodec(descriptor.serializer))),
    )
  }

  getMapState<K, V>(descriptor: MapStateDescriptor<K, V>): MapState<K, V> {
    return new MemoryMapState(
      this.#current,
      this.#stateTable('map', descriptor.name, mapCodec(valueCodec(descriptor.serializer))),
    )
  }

  getReducingState<T>(descriptor: ReducingStateDescriptor<T>): ReducingState<T> {
    const table = this.#stateTable('reducing', descriptor.name, singleCodec(valueCodec(descriptor.serializer)))
    return new MemoryReducingState(this.#current, table, descriptor.reduce)
  }

  getAggregatingState<In, Acc, Out>(descriptor: AggregatingStateDescriptor<In, Acc, Out>): AggregatingState<In, Out> {
    const table = this.#stateTable('aggregating', descriptor.name, singleCodec(valueCodec(descriptor.serializer)))
    return new MemoryAggregatingState(this.#current, table, descriptor.aggregate)
  }

  #stateTable<V>(kind: StateKind, name: string, codec: EntryCodec<V>): KeyedTable<V> {
    return this.#tables.table(STATES, kind, name, codec)
  }

  keyedTable<V>(kind: string, name: string, codec: EntryCodec<V>): KeyedTable<V> {
    return this.#tables.table(kind, kind, name, codec)
  }

  freeze(checkpointId: number): FrozenKeyedState {
    return this.#tables.freeze(checkpointId)
  }

  restore(payloads: readonly KeyedStatePayload[]): void {
    this.#tables.restore(payloads, (kind) => (KINDS.has(kind) ? STATES : kind))
  }

  close(): void {
    this.#tables.clear()
    this.#current.clear()
  }
}

/** The users' names: one space, whatever the kind. */
const STATES = 'state'
const KINDS: ReadonlySet<string> = new Set<StateKind>(['value', 'list', 'map', 'reducing', 'aggregating'])
