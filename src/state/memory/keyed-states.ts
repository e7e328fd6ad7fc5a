/** Gives the states by their descriptors, on whatever tables a backend has: both backends have the same states. */
import type { Clock } from '../../base/clock.ts'
import { valueCodec } from '../../elements/serializer.ts'
import type { CurrentKey } from '../current-key.ts'
import type {
  AggregatingState,
  AggregatingStateDescriptor,
  ListStateDescriptor,
  MapStateDescriptor,
  ReducingState,
  ReducingStateDescriptor,
  StateKind,
  ValueState,
  ValueStateDescriptor,
} from '../descriptors.ts'
import type { EntryCodec, KeyedTable } from '../keyed-table.ts'
import { Expiry, refuseOtherTtl, type StateTtl } from '../state-ttl.ts'
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

/** The users' names: one space, whatever the kind. */
export const STATES = 'state'
const KINDS: ReadonlySet<string> = new Set<StateKind>(['value', 'list', 'map', 'reducing', 'aggregating'])

/** The space of names that a table of this kind stands in: tables of the house have one a kind. */
export function spaceOf(kind: string): string {
  return KINDS.has(kind) ? STATES : kind
}

/** How the entries of a state are written. */
export interface StateCodecs<V> {
  /** All that is stored. */
  readonly all: EntryCodec<V>
  /** Leaves out what has expired, where the state wants its whole snapshots so; else the same. */
  readonly living: EntryCodec<V>
  /** The same as of a time: what was written without a time-to-live is read as touched then. */
  readonly at: (nowMs: number) => EntryCodec<V>
}

/** The table of a state, with what was restored of it. Throws STATE_CONFLICT, STATE_INCOMPATIBLE. */
export type StateTables = <V>(kind: StateKind, name: string, codecs: StateCodecs<V>) => KeyedTable<V>

export class KeyedStates {
  readonly #current: CurrentKey
  readonly #tables: StateTables
  readonly #clock: Clock
  readonly #cleanupOf: typeof ttlCleanup
  /** Of every state that was asked for. */
  readonly #ttls = new Map<string, StateTtl | undefined>()
  readonly #cleanups = new Map<string, TtlCleanup>()

  /** `cleanupOf` makes what removes in the background what has expired. */
  constructor(current: CurrentKey, tables: StateTables, clock: Clock, cleanupOf: typeof ttlCleanup = ttlCleanup) {
    this.#current = current
    this.#tables = tables
    this.#clock = clock
    this.#cleanupOf = cleanupOf
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
      this.#plainTable(descriptor, plainSingleCodec(codec)),
      descriptor.default,
    )
  }

  getListState<T>(descriptor: ListStateDescriptor<T>): MemoryListState<T> | TtlListState<T> {
    const codec = valueCodec(descriptor.serializer)
    const { ttl } = descriptor
    if (ttl !== undefined)
      return new TtlListState(this.#ttlParts(descriptor, ttl, (expiry) => ttlListCodec(codec, expiry), sweepLists<T>))
    return new MemoryListState(this.#current, this.#plainTable(descriptor, plainListCodec(codec)))
  }

  getMapState<K, V>(descriptor: MapStateDescriptor<K, V>): MemoryMapState<K, V> | TtlMapState<K, V> {
    const codec = valueCodec(descriptor.serializer)
    const { ttl } = descriptor
    if (ttl !== undefined)
      return new TtlMapState(this.#ttlParts(descriptor, ttl, (expiry) => ttlMapCodec(codec, expiry), sweepMaps<V>))
    return new MemoryMapState(this.#current, this.#plainTable(descriptor, plainMapCodec(codec)))
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
      this.#plainTable(descriptor, plainSingleCodec(codec)),
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
      this.#plainTable(descriptor, plainSingleCodec(codec)),
      descriptor.aggregate,
    )
  }

  #plainTable<V>(descriptor: DeclaredState, codec: EntryCodec<V>): KeyedTable<V> {
    return this.#stateTable(descriptor, { all: codec, living: codec, at: () => codec })
  }

  #stateTable<V>({ kind, name, ttl }: DeclaredState, codecs: StateCodecs<V>): KeyedTable<V> {
    if (this.#ttls.has(name)) refuseOtherTtl(name, this.#ttls.get(name), ttl)
    const table = this.#tables(kind, name, codecs)
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
    const table = this.#stateTable(descriptor, stampedCodecs(ttl, this.#clock, codecOf))
    const parts = { current: this.#current, table, expiry }
    if (!ttl.cleanupInBackground) return { ...parts, cleanup: null }
    let cleanup = this.#cleanups.get(descriptor.name)
    if (cleanup === undefined) {
      cleanup = this.#cleanupOf(table, expiry, sweep)
      this.#cleanups.set(descriptor.name, cleanup)
    }
    return { ...parts, cleanup }
  }

  /** Nothing is removed in the background any more. */
  close(): void {
    for (const cleanup of this.#cleanups.values()) cleanup.close()
  }
}

interface DeclaredState {
  readonly kind: StateKind
  readonly name: string
  readonly ttl: StateTtl | undefined
}

/** Of a state with a time-to-live, by what makes a codec that goes by a choice of it. */
export function stampedCodecs<V>(
  ttl: StateTtl,
  clock: Clock,
  codecOf: (expiry: Expiry) => EntryCodec<V>,
): StateCodecs<V> {
  const living = codecOf(new Expiry(ttl, clock))
  const keepsAll = { ...ttl, cleanupFullSnapshot: false }
  const all = ttl.cleanupFullSnapshot ? codecOf(new Expiry(keepsAll, clock)) : living
  const at = (nowMs: number) => codecOf(new Expiry(keepsAll, standingClock(nowMs, clock)))
  return { all, living, at }
}

function standingClock(nowMs: number, clock: Clock): Clock {
  return {
    now: () => nowMs,
    monotonic: () => clock.monotonic(),
    setTimer: (delayMs, fired) => clock.setTimer(delayMs, fired),
  }
}
