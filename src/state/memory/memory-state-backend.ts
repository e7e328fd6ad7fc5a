/** The `hashmap` backend: all keyed state on the heap, snapshots by scans that run beside the records. */
import type { Clock } from '../../base/clock.ts'
import type { Turns } from '../../base/turns.ts'
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
  ValueState,
  ValueStateDescriptor,
} from '../descriptors.ts'
import type { FrozenTables } from '../frozen-tables.ts'
import type { MapKey } from '../key.ts'
import type { KeyGroupRange } from '../key-group-range.ts'
import type { EntryCodec, KeyedTable } from '../keyed-table.ts'
import { RestorePace } from '../restore-pace.ts'
import { readTables } from '../restored-tables.ts'
import type { KeyedStateBackend, StoredKeyedState } from '../state-backend.ts'
import { TableRegistry } from '../table-registry.ts'
import { KeyedStates, STATES, spaceOf } from './keyed-states.ts'

export interface MemoryStateBackendOptions {
  readonly maxParallelism: number
  /** Of this subtask. */
  readonly keyGroups: KeyGroupRange
  /** What states with a time-to-live go by; the others read no clock. */
  readonly clock: Clock
  /** Restoring large state gives the event loop its turns; left out: it does not. */
  readonly turns?: Turns | undefined
}

export function memoryStateBackend(options: MemoryStateBackendOptions): MemoryStateBackend {
  return new MemoryStateBackend(options)
}

export class MemoryStateBackend implements KeyedStateBackend {
  readonly maxParallelism: number
  readonly keyGroups: KeyGroupRange
  readonly #current = new CurrentKey()
  readonly #tables: TableRegistry
  readonly #states: KeyedStates
  readonly #pace: RestorePace

  constructor({ maxParallelism, keyGroups, clock, turns }: MemoryStateBackendOptions) {
    this.maxParallelism = maxParallelism
    this.keyGroups = keyGroups
    this.#pace = new RestorePace(clock, turns)
    this.#tables = new TableRegistry(maxParallelism, keyGroups)
    this.#states = new KeyedStates(
      this.#current,
      (kind, name, { living }) => this.#tables.table(STATES, kind, name, living),
      clock,
    )
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
    return this.#states.getState(descriptor)
  }

  getListState<T>(descriptor: ListStateDescriptor<T>): ListState<T> {
    return this.#states.getListState(descriptor)
  }

  getMapState<K, V>(descriptor: MapStateDescriptor<K, V>): MapState<K, V> {
    return this.#states.getMapState(descriptor)
  }

  getReducingState<T>(descriptor: ReducingStateDescriptor<T>): ReducingState<T> {
    return this.#states.getReducingState(descriptor)
  }

  getAggregatingState<In, Acc, Out>(descriptor: AggregatingStateDescriptor<In, Acc, Out>): AggregatingState<In, Out> {
    return this.#states.getAggregatingState(descriptor)
  }

  keysOf(stateName: string): readonly MapKey[] {
    return this.#tables.keysOf(STATES, stateName)
  }

  keyedTable<V>(kind: string, name: string, codec: EntryCodec<V>): KeyedTable<V> {
    return this.#tables.table(kind, kind, name, codec)
  }

  /** Every format is the canonical one. */
  freeze(checkpointId: number): FrozenTables {
    return this.#tables.freeze(checkpointId)
  }

  /** Its snapshots are whole. */
  checkpointCompleted(): void {}

  checkpointAborted(): void {}

  restore(states: readonly StoredKeyedState[]): void | Promise<void> {
    const tables = readTables(states, this.keyGroups, this.maxParallelism, this.#pace)
    const take = (read: Awaited<typeof tables>) => this.#tables.restore(read, spaceOf)
    return tables instanceof Promise ? tables.then(take) : take(tables)
  }

  close(): void {
    this.#states.close()
    this.#tables.clear()
    this.#current.clear()
  }
}
