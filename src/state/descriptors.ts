/** What a user declares of a state, and what he then holds: bound to the current key, synchronous, never a promise. */
import { StreamError } from '../base/errors.ts'
import type { Serializer } from '../elements/serializer.ts'

export interface StateTtlConfig {
  /** Milliseconds. */
  readonly ttlMs: number
  readonly updateType?: 'OnCreateAndWrite' | 'OnReadAndWrite' | undefined
  readonly stateVisibility?: 'NeverReturnExpired' | 'ReturnExpiredIfNotCleanedUp' | undefined
  readonly cleanupFullSnapshot?: boolean | undefined
}

export interface StateOptions<T> {
  /** Left out: the default serializer. Of a map state that of its values, of an aggregating state that of its accumulator. */
  readonly serializer?: Serializer<T> | undefined
  readonly ttl?: StateTtlConfig | undefined
}

export type StateKind = 'value' | 'list' | 'map' | 'reducing' | 'aggregating'

abstract class Descriptor<T> {
  abstract readonly kind: StateKind
  readonly name: string
  readonly serializer: Serializer<T> | undefined

  /** Throws INVALID_ARGUMENT for an empty name, UNSUPPORTED for a time-to-live. */
  constructor(name: string, options: StateOptions<T> | undefined) {
    if (typeof name !== 'string' || name === '')
      throw new StreamError('INVALID_ARGUMENT', {
        message: `A state needs a name; this one is ${JSON.stringify(name) ?? typeof name}.`,
        hint: 'Give each state of an operator a name of its own: it finds its values again after a restart.',
      })
    if (options?.ttl !== undefined)
      throw new StreamError('UNSUPPORTED', {
        message: `State '${name}' has a time-to-live; this version does not expire state.`,
        hint: 'Leave `ttl` out, and clear the state with a timer.',
      })
    this.name = name
    this.serializer = options?.serializer
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
  new <T>(name: string, options?: StateOptions<T> & { readonly default?: undefined }): ValueStateDescriptor<T>
}

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

export class ListStateDescriptor<T> extends Descriptor<T> {
  readonly kind = 'list'
  constructor(name: string, options?: StateOptions<T>) {
    super(name, options)
  }
}

/** Keys of the map are what may be a key of a stream; `serializer` is that of the values. */
export class MapStateDescriptor<K, V> extends Descriptor<V> {
  readonly kind = 'map'
  declare readonly keyType?: ((key: K) => K) | undefined
  constructor(name: string, options?: StateOptions<V>) {
    super(name, options)
  }
}

export class ReducingStateDescriptor<T> extends Descriptor<T> {
  readonly kind = 'reducing'
  readonly reduce: (a: T, b: T) => T
  constructor(name: string, reduce: (a: T, b: T) => T, options?: StateOptions<T>) {
    super(name, options)
    this.reduce = reduce
  }
}

export interface AggregateFunction<In, Acc, Out> {
  createAccumulator(): Acc
  /** May change and return the accumulator that it got. */
  add(value: In, accumulator: Acc): Acc
  getResult(accumulator: Acc): Out
  merge(a: Acc, b: Acc): Acc
}

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
  value(): Read
  /** `undefined` clears. */
  update(value: T | undefined): void
  clear(): void
}

export interface ListState<T> {
  /** Empty where nothing is stored. What is added later does not appear in it. */
  get(): Iterable<T>
  add(value: T): void
  addAll(values: Iterable<T>): void
  /** Replaces the whole list. */
  update(values: Iterable<T>): void
  clear(): void
}

/** As a `Map`; keys are equal when their encoded values are. `put`, `contains` and `remove` are Flink's names. */
export interface MapState<K, V> extends Iterable<[K, V]> {
  get(key: K): V | undefined
  set(key: K, value: V): this
  has(key: K): boolean
  /** Whether it was there. */
  delete(key: K): boolean
  keys(): IterableIterator<K>
  values(): IterableIterator<V>
  entries(): IterableIterator<[K, V]>
  isEmpty(): boolean
  clear(): void
  put(key: K, value: V): void
  contains(key: K): boolean
  remove(key: K): void
}

export interface ReducingState<T> {
  get(): T | undefined
  add(value: T): void
  clear(): void
}

export interface AggregatingState<In, Out> {
  get(): Out | undefined
  add(value: In): void
  clear(): void
}
