/** What a user declares of a state, and what he then holds: bound to the current key, synchronous, never a promise. */
import { StreamError } from '../base/errors.ts'
import type { Serializer } from '../elements/serializer.ts'
import { type StateTtl, type StateTtlConfig, stateTtlOf } from './state-ttl.ts'

/** What every descriptor may be given beside its name. */
export interface StateOptions<T> {
  /** Left out: the default serializer. Of a map state that of its values, of an aggregating state that of its accumulator. */
  readonly serializer?: Serializer<T> | undefined
  /** How long entries live that nobody touches; left out: for ever. Of keyed state only. */
  readonly ttl?: StateTtlConfig | undefined
}

export type StateKind = 'value' | 'list' | 'map' | 'reducing' | 'aggregating'

abstract class Descriptor<T> {
  abstract readonly kind: StateKind
  /** Unique within the operator; under it the state is found again. */
  readonly name: string
  readonly serializer: Serializer<T> | undefined
  readonly ttl: StateTtl | undefined

  /** Throws INVALID_ARGUMENT for an empty name, CONFIG_INVALID for a time-to-live that is not legal. */
  constructor(name: string, options: StateOptions<T> | undefined) {
    if (typeof name !== 'string' || name === '')
      throw new StreamError('INVALID_ARGUMENT', {
        message: `A state needs a name; this one is ${JSON.stringify(name) ?? typeof name}.`,
        hint: 'Give each state of an operator a name of its own: it finds its values again after a restart.',
      })
    this.name = name
    this.serializer = options?.serializer
    this.ttl = options?.ttl === undefined ? undefined : stateTtlOf(options.ttl, name)
  }
}

/** `Read` is what `value()` gives: without `default` it may be undefined. */
export interface ValueStateDescriptor<T, Read extends T | undefined = T | undefined> extends Descriptor<T> {
  readonly kind: 'value'
  /** A function, so that no two keys share an object. */
  readonly default: (() => Read) | undefined
}

interface ValueStateDescriptorConstructor {
  new <T>(name: string, options: StateOptions<T> & { readonly default: () => T }): ValueStateDescriptor<T, T>
  new <T>(
    name: string,
    options?: StateOptions<T> & { readonly default?: (() => T) | undefined },
  ): ValueStateDescriptor<T>
}

/** One value a key. With `{ default: () => value }`, `value()` is never undefined. */
export const ValueStateDescriptor: ValueStateDescriptorConstructor = class<T> extends Descriptor<T> {
  readonly kind = 'value'
  readonly default: (() => never) | undefined
  constructor(name: string, options?: StateOptions<T> & { readonly default?: (() => T) | undefined }) {
    super(name, options)
    this.default = options?.default as (() => never) | undefined
    if (this.default !== undefined && typeof this.default !== 'function')
      throw new StreamError('INVALID_ARGUMENT', {
        message: `The default of state '${name}' is no function.`,
        hint: 'Write `default: () => value`: a function, so that no two keys share an object.',
      })
  }
}

/** A list a key; in operator state, a list of the subtask. */
export class ListStateDescriptor<T> extends Descriptor<T> {
  readonly kind = 'list'
  constructor(name: string, options?: StateOptions<T>) {
    super(name, options)
  }
}

/** Keys of the map are what may be a key of a stream; `serializer` is that of the values. */
export class MapStateDescriptor<K, V> extends Descriptor<V> {
  readonly kind = 'map'
  /** Never set: tells the types of keys apart. */
  declare readonly keyType?: ((key: K) => K) | undefined
  constructor(name: string, options?: StateOptions<V>) {
    super(name, options)
  }
}

/** One value a key, into which `reduce` folds each value that is added. It must be pure and associative. */
export class ReducingStateDescriptor<T> extends Descriptor<T> {
  readonly kind = 'reducing'
  /** Of what is stored and what is added. */
  readonly reduce: (a: T, b: T) => T
  constructor(name: string, reduce: (a: T, b: T) => T, options?: StateOptions<T>) {
    super(name, options)
    this.reduce = reduce
  }
}

/** How values of one type become a result of another, by way of an accumulator, which is what is stored. */
export interface AggregateFunction<In, Acc, Out> {
  /** Of no values. */
  createAccumulator(): Acc
  /** May change and return the accumulator that it got. */
  add(value: In, accumulator: Acc): Acc
  /** Of what was added so far. Must not change the accumulator. */
  getResult(accumulator: Acc): Out
  /** Of two accumulators one, as if all their values had been added to it. */
  merge(a: Acc, b: Acc): Acc
}

/** An accumulator a key, into which `aggregate` takes each value that is added. */
export class AggregatingStateDescriptor<In, Acc, Out> extends Descriptor<Acc> {
  readonly kind = 'aggregating'
  readonly aggregate: AggregateFunction<In, Acc, Out>
  constructor(name: string, aggregate: AggregateFunction<In, Acc, Out>, options?: StateOptions<Acc>) {
    super(name, options)
    this.aggregate = aggregate
  }
}

/** A value got from a state must not be changed without handing it back, and one handed over not afterwards. */
export interface ValueState<T, Read extends T | undefined = T | undefined> {
  /** What is stored for the current key; else the default, else undefined. */
  value(): Read
  /** `undefined` clears. */
  update(value: T | undefined): void
  /** Of the current key. */
  clear(): void
}

/** A list of the current key, in the order in which it was added. */
export interface ListState<T> {
  /** Empty where nothing is stored. What is added later does not appear in it. */
  get(): Iterable<T>
  /** Appends one. */
  add(value: T): void
  /** Appends all, in order. */
  addAll(values: Iterable<T>): void
  /** Replaces the whole list. */
  update(values: Iterable<T>): void
  /** Of the current key. */
  clear(): void
}

/** As a `Map`; keys are equal when their encoded values are. `put`, `contains` and `remove` are Flink's names. */
export interface MapState<K, V> extends Iterable<[K, V]> {
  /** Undefined where there is none. */
  get(key: K): V | undefined
  /** Returns the map itself, as a Map does. */
  set(key: K, value: V): this
  /** Whether something is stored under `key`. */
  has(key: K): boolean
  /** Whether it was there. */
  delete(key: K): boolean
  /** In the order in which keys were first set. */
  keys(): IterableIterator<K>
  /** In the order of `keys`. */
  values(): IterableIterator<V>
  /** In the order of `keys`. */
  entries(): IterableIterator<[K, V]>
  /** Whether the current key has no entry. */
  isEmpty(): boolean
  /** Every entry of the current key. */
  clear(): void
  /** Flink's name of `set`. */
  put(key: K, value: V): void
  /** Flink's name of `has`. */
  contains(key: K): boolean
  /** Flink's name of `delete`. */
  remove(key: K): void
}

/** The values that were added, reduced to one. */
export interface ReducingState<T> {
  /** Undefined before the first value. */
  get(): T | undefined
  /** Reduces it with what is stored. */
  add(value: T): void
  /** Of the current key. */
  clear(): void
}

/** The values that were added, as a result. */
export interface AggregatingState<In, Out> {
  /** The result of the accumulator; undefined before the first value. */
  get(): Out | undefined
  /** Takes it into the accumulator. */
  add(value: In): void
  /** Of the current key. */
  clear(): void
}
