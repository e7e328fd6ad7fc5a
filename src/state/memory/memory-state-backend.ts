/** The `hashmap` backend: all keyed state on the heap, snapshots by scans that run beside the records. */
import type { Clock } from '../../base/clock.ts'
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
import type { MapKey } from '../key.ts'
import type { KeyGroupRange } from '../key-group-range.ts'
import type { EntryCodec, KeyedTable } from '../keyed-table.ts'
import type { FrozenKeyedState, KeyedStateBackend, KeyedStatePayload } from '../state-backend.ts'
import { Expiry, refuseOtherTtl, type StateTtl } from '../state-ttl.ts'
import { TableRegistry } from '../table-registry.ts'
import {
  plainListCodec,
  plainMapCodec,
  plainSingleCodec,
  ttlListCodec,
  ttlMapCodec,
  ttlSingleCodec,
} from '../ttl-codecs.ts'
import { MemoryMapState } from './map-state.ts'
import { MemoryAggregatingState, MemoryListState, MemoryReducingState, MemoryValueState } from './states.ts'
import { type Sweep, sweepLists, sweepMaps, sweepValues, type TtlCleanup, ttlCleanup } from './ttl-cleanup.ts'
import { TtlMapState } from './ttl-map-state.ts'
import { TtlAggregatingState, TtlListState, type TtlParts, TtlReducingState, TtlValueState } from './ttl-states.ts'

export interface MemoryStateBackendOptions {
  readonly maxParallelism: number
  /** Of this subtask. */
  readonly keyGroups: KeyGroupRange
  /** What states with a time-to-live go by; the others read no clock. */
  readonly clock: Clock
}

export function memoryStateBackend(options: MemoryStateBackendOptions): KeyedStateBackend {
  return new MemoryStateBackend(options)
}

class MemoryStateBackend implements KeyedStateBackend {
  readonly maxParallelism: number
  readonly keyGroups: KeyGroupRange
  readonly #current = new CurrentKey()
  readonly #tables: TableRegistry
  readonly #clock: Clock
  /** Of every state that was asked for. */
  readonly #ttls = new Map<string, StateTtl | undefined>()
  readonly #cleanups = new Map<string, TtlCleanup>()

  constructor({ maxParallelism, keyGroups, clock }: MemoryStateBackendOptions) {
    this.maxParallelism = maxParallelism
    this.keyGroups = keyGroups
    this.#clock = clock
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
    const codec = valueCodec(descriptor.serializer)
    const { ttl } = descriptor
    if (ttl !== undefined) {
      const parts = this.#ttlParts(descriptor, ttl, (expiry) => ttlSingleCodec(codec, expiry), sweepValues<T>)
      return new TtlValueState(parts, descriptor.default)
    }
    return new MemoryValueState(
      this.#current,
      this.#stateTable(descriptor, plainSingleCodec(codec)),
      descriptor.default,
    )
  }

  getListState<T>(descriptor: ListStateDescriptor<T>): ListState<T> {
    const codec = valueCodec(descriptor.serializer)
    const { ttl } = descriptor
    if (ttl !== undefined)
      return new TtlListState(this.#ttlParts(descriptor, ttl, (expiry) => ttlListCodec(codec, expiry), sweepLists<T>))
    return new MemoryListState(this.#current, this.#stateTable(descriptor, plainListCodec(codec)))
  }

  getMapState<K, V>(descriptor: MapStateDescriptor<K, V>): MapState<K, V> {
    const codec = valueCodec(descriptor.serializer)
    const { ttl } = descriptor
    if (ttl !== undefined)
      return new TtlMapState(this.#ttlParts(descriptor, ttl, (expiry) => ttlMapCodec(codec, expiry), sweepMaps<V>))
    return new MemoryMapState(this.#current, this.#stateTable(descriptor, plainMapCodec(codec)))
  }

  getReducingState<T>(descriptor: ReducingStateDescriptor<T>): ReducingState<T> {
    const codec = valueCodec(descriptor.serializer)
    const { ttl } = descriptor
    if (ttl !== undefined) {
      const parts = this.#ttlParts(descriptor, ttl, (expiry) => ttlSingleCodec(codec, expiry), sweepValues<T>)
      return new TtlReducingState(parts, descriptor.reduce)
    }
    return new MemoryReducingState(
      this.#current,
      this.#stateTable(descriptor, plainSingleCodec(codec)),
      descriptor.reduce,
    )
  }

  getAggregatingState<In, Acc, Out>(descriptor: AggregatingStateDescriptor<In, Acc, Out>): AggregatingState<In, Out> {
    const codec = valueCodec(descriptor.serializer)
    const { ttl } = descriptor
    if (ttl !== undefined) {
      const parts = this.#ttlParts(descriptor, ttl, (expiry) => ttlSingleCodec(codec, expiry), sweepValues<Acc>)
      return new TtlAggregatingState(parts, descriptor.aggregate)
    }
    return new MemoryAggregatingState(
      this.#current,
      this.#stateTable(descriptor, plainSingleCodec(codec)),
      descriptor.aggregate,
    )
  }

  #stateTable<V>({ kind, name, ttl }: DeclaredState, codec: EntryCodec<V>): KeyedTable<V> {
    if (this.#ttls.has(name)) refuseOtherTtl(name, this.#ttls.get(name), ttl)
    const table = this.#tables.table(STATES, kind, name, codec)
    this.#ttls.set(name, ttl)
    return table
  }

  /** One clean-up a state, however often it is asked for. */
  #ttlParts<V>(
    descriptor: DeclaredState,
    ttl: StateTtl,
    codecOf: (expiry: Expiry) => EntryCodec<V>,
    sweep: Sweep<V>,
  ): TtlParts<V> {
    const expiry = new Expiry(ttl, this.#clock)
    const table = this.#stateTable(descriptor, codecOf(expiry))
    const parts = { current: this.#current, table, expiry }
    if (!ttl.cleanupInBackground) return { ...parts, cleanup: null }
    let cleanup = this.#cleanups.get(descriptor.name)
    if (cleanup === undefined) {
      cleanup = ttlCleanup(table, expiry, sweep)
      this.#cleanups.set(descriptor.name, cleanup)
    }
    return { ...parts, cleanup }
  }

  keysOf(stateName: string): readonly MapKey[] {
    return this.#tables.keysOf(STATES, stateName)
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
    for (const cleanup of this.#cleanups.values()) cleanup.close()
    this.#tables.clear()
    this.#current.clear()
  }
}

interface DeclaredState {
  readonly kind: StateKind
  readonly name: string
  readonly ttl: StateTtl | undefined
}

/** The users' names: one space, whatever the kind. */
const STATES = 'state'
const KINDS: ReadonlySet<string> = new Set<StateKind>(['value', 'list', 'map', 'reducing', 'aggregating'])
