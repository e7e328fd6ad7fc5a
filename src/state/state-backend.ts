/** The keyed state of one operator of one subtask. One thread, synchronous; what a snapshot writes is decided at `freeze`. */
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
import type { MapKey } from './key.ts'
import type { KeyGroupRange } from './key-group-range.ts'
import type { EntryCodec, KeyedTable } from './keyed-table.ts'
import type { SnapshotFormat, SnapshotReader, SnapshotTarget, StateHandle } from './snapshot.ts'

export interface KeyedStateBackend {
  readonly maxParallelism: number
  /** The key groups of this subtask. */
  readonly keyGroups: KeyGroupRange

  /** Per record, before the record is processed. Throws INVALID_KEY for what cannot be a key; the former key stays current then. */
  setCurrentKey(key: unknown): void
  /** The key as it was given. Throws NO_CURRENT_KEY where there is none. */
  currentKey(): unknown
  /** The same in its encoded form, in which equal keys are equal in a Map. */
  currentMapKey(): MapKey
  /** From now on, using a state throws NO_CURRENT_KEY. */
  clearCurrentKey(): void

  /**
   * A state by its name, with what was restored of it. The same name again gives the same values. Throws STATE_CONFLICT
   * for a name that has another kind or serializer, STATE_INCOMPATIBLE when the restored state has.
   */
  getState<T, Read extends T | undefined>(descriptor: ValueStateDescriptor<T, Read>): ValueState<T, Read>
  getListState<T>(descriptor: ListStateDescriptor<T>): ListState<T>
  getMapState<K, V>(descriptor: MapStateDescriptor<K, V>): MapState<K, V>
  getReducingState<T>(descriptor: ReducingStateDescriptor<T>): ReducingState<T>
  getAggregatingState<In, Acc, Out>(descriptor: AggregatingStateDescriptor<In, Acc, Out>): AggregatingState<In, Out>

  /** The keys that have something in the state of this name, as it is now, in no fixed order; none for a name that nobody asked for. */
  keysOf(stateName: string): readonly MapKey[]

  /** A table on the heap that is frozen, written and restored with the states: what timers stand in, whatever the backend. */
  keyedTable<V>(kind: string, name: string, codec: EntryCodec<V>): KeyedTable<V>

  /**
   * The synchronous part of a snapshot: what is stored now is what it will write, whatever changes afterwards. Takes
   * microseconds. Several may be frozen at once.
   */
  freeze(checkpointId: number, format?: SnapshotFormat): FrozenKeyedState

  /** The checkpoint is complete: files that it holds may be named again. Ids may be left out, and come late. */
  checkpointCompleted(checkpointId: number): void
  /** The checkpoint will not be complete: its files go. */
  checkpointAborted(checkpointId: number): void

  /**
   * Before anything else: the states of all old subtasks whose key groups touch this subtask's (more do no harm; key groups
   * of others are skipped). Rejects with STATE_CORRUPT, or STATE_INCOMPATIBLE for another max parallelism, a newer format, or
   * what only another backend can read.
   */
  restore(states: readonly StoredKeyedState[]): void | Promise<void>

  /** Of this moment; left out: it keeps no cache. */
  readonly cacheUse?: (() => StateCacheUse) | undefined

  /** Frozen states are of no further use. */
  close(): void | Promise<void>
}

/** How a cache in front of a store is used. What is used twice in a row counts once. */
export interface StateCacheUse {
  /** Found on the heap, and asked of the store, since the backend was made. */
  readonly hits: number
  readonly misses: number
  /** What its rows take on the heap, an estimate. */
  readonly bytes: number
}

export interface StoredKeyedState {
  /** The range that its subtask had. */
  readonly keyGroups: KeyGroupRange
  /** What `write` gave. */
  readonly handle: StateHandle
  /** Reads its parts. */
  readonly reader: SnapshotReader
  /** Its shared files belong to this job: checkpoints to come may name them again. Left out: they may not. */
  readonly mayReuse?: boolean | undefined
}

/** A snapshot on its way: stepped by the turn loop until it is done, then written, then released. */
export interface FrozenKeyedState {
  readonly checkpointId: number
  /**
   * Serialises about `budgetEntries` entries and says whether all are serialised. 100 take about 50 us where entries are
   * small: call it until the slice of time is used up. Throws what a serializer threw, also one called since the last
   * step: the snapshot has failed then, and only `release` may follow.
   */
  step(budgetEntries: number): boolean
  /**
   * After `step` gave true: writes it, durably, and gives the handle behind which it lies. Rejects as the streams of the
   * target do; streams that it opened are abandoned then. Stops early, with whatever error, when released.
   */
  write(target: SnapshotTarget): Promise<StateHandle>
  /** At the end, or at any time to give the snapshot up: nothing is serialised for it from now on. Harmless when repeated. */
  release(): void
}
