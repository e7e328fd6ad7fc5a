/** Types that keep mistakes from compiling: what may be a key, and the dead end of a function that returns a promise. */
import type { DataStream } from './data-stream.ts'

/**
 * K where each part may stand in a key, and `never` at a part that may not: `undefined`, `null`, a Date, a function, a
 * Map, a promise. Keys are strings, numbers, bigints, booleans, and arrays and plain objects of these; the same is
 * checked at run time, where the error names the path of the part.
 */
export type KeyOf<K> = 0 extends 1 & K
  ? K
  : K extends string | number | bigint | boolean
    ? K
    : K extends NotAKey
      ? never
      : K extends object
        ? { readonly [Part in keyof K]: KeyOf<K[Part]> }
        : never

type NotAKey =
  | ((...args: never) => unknown)
  | (abstract new (
      ...args: never
    ) => unknown)
  | Date
  | RegExp
  | Error
  | ArrayBufferView
  | ArrayBufferLike
  | ReadonlyMap<unknown, unknown>
  | ReadonlySet<unknown>
  | WeakMap<WeakKey, unknown>
  | WeakSet<WeakKey>
  | PromiseLike<unknown>

/**
 * What `map` gives for a function that returns a promise: nothing can be done with it. Processing is synchronous per
 * record; a source or a sink may wait.
 */
export interface FunctionReturnedPromise {
  readonly aFunctionGivenToMapMustReturnItsValue: 'not a promise of it'
}

/** The element type of a stream: `ElementOf<typeof words>`. */
export type ElementOf<S> = S extends DataStream<infer T> ? T : never
