/**
 * The states of the `hashmap` backend: bare values in one `Map` a state. While a snapshot walks, whoever is about to
 * change an entry lets the scan write it first.
 */

import { type CurrentKey, noCurrentKey } from '../current-key.ts'
import type { AggregateFunction, AggregatingState, ListState, ReducingState, ValueState } from '../descriptors.ts'
import { storable } from '../function-result.ts'
import type { MapKey } from '../key.ts'
import type { KeyedTable } from '../keyed-table.ts'

/** What all of them do: one entry a key. */
class KeyedEntry<V> {
  readonly current: CurrentKey
  readonly table: KeyedTable<V>

  constructor(current: CurrentKey, table: KeyedTable<V>) {
    this.current = current
    this.table = table
  }

  entry(): V | undefined {
    const key = this.current.mapKey
    if (key === undefined) throw noCurrentKey(`State '${this.table.name}'`)
    return this.table.entries.get(key)
  }

  replace(value: V): void {
    const key = this.current.mapKey
    if (key === undefined) throw noCurrentKey(`State '${this.table.name}'`)
    const { table } = this
    if (table.scan !== null) table.scan.touch(key)
    table.entries.set(key, value)
  }

  /** Before a value is changed in place, or handed to a function that may do so. */
  changeInPlace(): MapKey {
    const key = this.current.mapKey
    if (key === undefined) throw noCurrentKey(`State '${this.table.name}'`)
    const { table } = this
    if (table.scan !== null) table.scan.touch(key)
    return key
  }

  clear(): void {
    const key = this.changeInPlace()
    this.table.entries.delete(key)
  }
}

export class MemoryValueState<T, Read extends T | undefined> extends KeyedEntry<T> implements ValueState<T, Read> {
  readonly #default: (() => Read) | undefined

  constructor(current: CurrentKey, table: KeyedTable<T>, defaultValue: (() => Read) | undefined) {
    super(current, table)
    this.#default = defaultValue
  }

  value(): Read {
    const value = this.entry()
    if (value !== undefined || this.#default === undefined) return value as Read
    return this.#default()
  }

  update(value: T | undefined): void {
    if (value === undefined) this.clear()
    else this.replace(value)
  }
}

export class MemoryListState<T> extends KeyedEntry<T[]> implements ListState<T> {
  get(): Iterable<T> {
    return this.entry()?.slice() ?? []
  }

  add(value: T): void {
    const key = this.changeInPlace()
    const { entries } = this.table
    const list = entries.get(key)
    if (list === undefined) entries.set(key, [value])
    else list.push(value)
  }

  addAll(values: Iterable<T>): void {
    // The iterable is the user's and may throw or touch this state: nothing is changed before it has ended.
    const added = [...values]
    for (const value of added) this.add(value)
  }

  update(values: Iterable<T>): void {
    const list = [...values]
    if (list.length === 0) this.clear()
    else this.replace(list)
  }
}

export class MemoryReducingState<T> extends KeyedEntry<T> implements ReducingState<T> {
  readonly #reduce: (a: T, b: T) => T

  constructor(current: CurrentKey, table: KeyedTable<T>, reduce: (a: T, b: T) => T) {
    super(current, table)
    this.#reduce = reduce
  }

  get(): T | undefined {
    return this.entry()
  }

  add(value: T): void {
    const key = this.changeInPlace()
    const { entries } = this.table
    const before = entries.get(key)
    const after = before === undefined ? value : storable(this.#reduce(before, value), this.table.name)
    if (after === undefined) entries.delete(key)
    else entries.set(key, after)
  }
}

export class MemoryAggregatingState<In, Acc, Out> extends KeyedEntry<Acc> implements AggregatingState<In, Out> {
  readonly #aggregate: AggregateFunction<In, Acc, Out>

  constructor(current: CurrentKey, table: KeyedTable<Acc>, aggregate: AggregateFunction<In, Acc, Out>) {
    super(current, table)
    this.#aggregate = aggregate
  }

  get(): Out | undefined {
    const accumulator = this.entry()
    return accumulator === undefined ? undefined : this.#aggregate.getResult(accumulator)
  }

  add(value: In): void {
    const key = this.changeInPlace()
    const { entries } = this.table
    const before = entries.get(key) ?? this.#aggregate.createAccumulator()
    const after = storable(this.#aggregate.add(value, before), this.table.name)
    if (after === undefined) entries.delete(key)
    else entries.set(key, after)
  }
}
