/**
 * The states of the `hashmap` backend that expire, all but the map: values with the time of their last touch. As in Flink
 * a read removes what has expired, and shows it this once where it may be seen. They are classes of their own, so that a
 * state without a time-to-live pays nothing.
 */
import { type CurrentKey, noCurrentKey } from '../current-key.ts'
import type { AggregateFunction, AggregatingState, ListState, ReducingState, ValueState } from '../descriptors.ts'
import { storable } from '../function-result.ts'
import type { MapKey } from '../key.ts'
import type { KeyedTable } from '../keyed-table.ts'
import type { Expiry } from '../state-ttl.ts'
import type { Stamped } from '../ttl-codecs.ts'
import type { TtlCleanup } from './ttl-cleanup.ts'

/** What a state that expires is made of. */
export interface TtlParts<V> {
  readonly current: CurrentKey
  readonly table: KeyedTable<V>
  readonly expiry: Expiry
  /** Null where nothing is removed in the background. */
  readonly cleanup: TtlCleanup | null
}

/** What all of them do. */
export class TtlState<V> {
  readonly current: CurrentKey
  readonly table: KeyedTable<V>
  readonly expiry: Expiry
  readonly cleanup: TtlCleanup | null

  constructor({ current, table, expiry, cleanup }: TtlParts<V>) {
    this.current = current
    this.table = table
    this.expiry = expiry
    this.cleanup = cleanup
  }

  key(): MapKey {
    const key = this.current.mapKey
    if (key === undefined) throw noCurrentKey(`State '${this.table.name}'`)
    return key
  }

  /** First at each use: what time it is, and a step of the clean-up. */
  use(): number {
    const nowMs = this.expiry.nowMs()
    if (this.cleanup !== null) this.cleanup.used(nowMs)
    return nowMs
  }

  /** Before the entry is changed in any way, its time included. */
  touch(key: MapKey): void {
    const { scan } = this.table
    if (scan !== null) scan.touch(key)
  }

  removeEntry(key: MapKey): void {
    this.touch(key)
    this.table.entries.delete(key)
  }

  clear(): void {
    const key = this.key()
    this.use()
    this.removeEntry(key)
  }
}

/** Those with one value a key. */
class TtlSingleState<T> extends TtlState<Stamped<T>> {
  read(): T | undefined {
    const key = this.key()
    const nowMs = this.use()
    const entry = this.table.entries.get(key)
    if (entry === undefined) return undefined
    if (this.expiry.isExpired(entry.touchedMs, nowMs)) {
      this.removeEntry(key)
      return this.expiry.returnsExpired ? entry.value : undefined
    }
    if (this.expiry.refreshesOnRead && entry.touchedMs !== nowMs) {
      this.touch(key)
      entry.touchedMs = nowMs
    }
    return entry.value
  }

  /** What an addition goes on from. The entry may be changed in place afterwards. */
  before(key: MapKey, nowMs: number): T | undefined {
    this.touch(key)
    const entry = this.table.entries.get(key)
    if (entry === undefined) return undefined
    return this.expiry.returnsExpired || !this.expiry.isExpired(entry.touchedMs, nowMs) ? entry.value : undefined
  }

  write(key: MapKey, value: T | undefined, nowMs: number): void {
    if (value === undefined) return this.removeEntry(key)
    this.touch(key)
    const { entries } = this.table
    const entry = entries.get(key)
    if (entry === undefined) entries.set(key, { value, touchedMs: nowMs })
    else {
      entry.value = value
      entry.touchedMs = nowMs
    }
  }
}

export class TtlValueState<T, Read extends T | undefined> extends TtlSingleState<T> implements ValueState<T, Read> {
  readonly #default: (() => Read) | undefined

  constructor(parts: TtlParts<Stamped<T>>, defaultValue: (() => Read) | undefined) {
    super(parts)
    this.#default = defaultValue
  }

  value(): Read {
    const value = this.read()
    if (value !== undefined || this.#default === undefined) return value as Read
    return this.#default()
  }

  update(value: T | undefined): void {
    const key = this.key()
    this.write(key, value, this.use())
  }
}

export class TtlReducingState<T> extends TtlSingleState<T> implements ReducingState<T> {
  readonly #reduce: (a: T, b: T) => T

  constructor(parts: TtlParts<Stamped<T>>, reduce: (a: T, b: T) => T) {
    super(parts)
    this.#reduce = reduce
  }

  get(): T | undefined {
    return this.read()
  }

  add(value: T): void {
    const key = this.key()
    const nowMs = this.use()
    const before = this.before(key, nowMs)
    this.write(key, before === undefined ? value : storable(this.#reduce(before, value), this.table.name), nowMs)
  }
}

export class TtlAggregatingState<In, Acc, Out> extends TtlSingleState<Acc> implements AggregatingState<In, Out> {
  readonly #aggregate: AggregateFunction<In, Acc, Out>

  constructor(parts: TtlParts<Stamped<Acc>>, aggregate: AggregateFunction<In, Acc, Out>) {
    super(parts)
    this.#aggregate = aggregate
  }

  get(): Out | undefined {
    const accumulator = this.read()
    return accumulator === undefined ? undefined : this.#aggregate.getResult(accumulator)
  }

  add(value: In): void {
    const key = this.key()
    const nowMs = this.use()
    const before = this.before(key, nowMs)
    const after = this.#aggregate.add(value, before ?? this.#aggregate.createAccumulator())
    this.write(key, storable(after, this.table.name), nowMs)
  }
}

/** An expired element goes when no element lives, when a read refreshes the list, or in the background. */
export class TtlListState<T> extends TtlState<Stamped<T>[]> implements ListState<T> {
  get(): Iterable<T> {
    const key = this.key()
    const nowMs = this.use()
    const list = this.table.entries.get(key)
    if (list === undefined) return []
    const living = list.filter(({ touchedMs }) => !this.expiry.isExpired(touchedMs, nowMs))
    const seen = (this.expiry.returnsExpired ? list : living).map(({ value }) => value)
    if (living.length === 0) this.removeEntry(key)
    else if (this.expiry.refreshesOnRead) {
      this.touch(key)
      for (const element of living) element.touchedMs = nowMs
      if (living.length < list.length) this.table.entries.set(key, living)
    }
    return seen
  }

  add(value: T): void {
    this.#append([value])
  }

  /** The iterable is the user's and may throw or touch this state: nothing is changed before it has ended. */
  addAll(values: Iterable<T>): void {
    this.#append([...values])
  }

  update(values: Iterable<T>): void {
    const list = [...values]
    const key = this.key()
    const nowMs = this.use()
    if (list.length === 0) return this.removeEntry(key)
    this.touch(key)
    this.table.entries.set(
      key,
      list.map((value) => ({ value, touchedMs: nowMs })),
    )
  }

  #append(values: readonly T[]): void {
    const key = this.key()
    const nowMs = this.use()
    if (values.length === 0) return
    this.touch(key)
    const { entries } = this.table
    const list = entries.get(key) ?? []
    for (const value of values) list.push({ value, touchedMs: nowMs })
    entries.set(key, list)
  }
}
