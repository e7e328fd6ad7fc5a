/** What the table of options says about one option, and the types that follow from it. It reads no value. */
import type { Duration } from './duration.ts'
import type { MemorySize } from './memory-size.ts'

/** The part of the house that an option belongs to: a heading of docs/CONFIGURATION.md. */
export type OptionArea = 'checkpointing' | 'restart' | 'state' | 'pipeline' | 'rest'

interface Described {
  readonly area: OptionArea
  /** One or two sentences for docs/CONFIGURATION.md: what it does, and what its special values mean. */
  readonly description: string
  /** Flink's older names of the key. The key itself wins where both are given. */
  readonly aliases?: readonly string[]
  /**
   * `later`: checked, and a warning says that it has no effect yet. `never`: checked, for Flink's sake; the description
   * says so. A test holds `now`, which is what it is when left out, against what the code reads.
   */
  readonly effect?: 'now' | 'later' | 'never'
}

/** A number has both ends included; `above` is an end that is not. */
interface NumberRange {
  readonly min?: number
  readonly max?: number
  readonly above?: number
}

export type OptionDefinition = Described &
  (
    | {
        readonly type: 'duration'
        readonly default: number | undefined
        readonly minMs?: number
        readonly maxMs?: number
      }
    | {
        readonly type: 'memory'
        readonly default: number | undefined
        readonly minBytes?: number
        readonly maxBytes?: number
      }
    | ({ readonly type: 'integer' | 'number'; readonly default: number | undefined } & NumberRange)
    | { readonly type: 'boolean'; readonly default: boolean }
    | {
        readonly type: 'text'
        readonly default: string | undefined
        readonly pattern?: RegExp
        readonly legal?: string
      }
    | {
        readonly type: 'choice'
        readonly default: string | undefined
        readonly values: readonly string[]
        /** Other spellings, lower-case, and the value that they mean. */
        readonly synonyms?: Readonly<Record<string, string>>
      }
  )

/** What reading an option of this definition gives: milliseconds, bytes, a number, a text. */
export type ValueOf<D extends OptionDefinition> = Plain<D> | (undefined extends D['default'] ? undefined : never)

type Plain<D extends OptionDefinition> = D extends { readonly type: 'choice'; readonly values: readonly (infer V)[] }
  ? V
  : D extends { readonly type: 'boolean' }
    ? boolean
    : D extends { readonly type: 'text' }
      ? string
      : number

/** What a program may write for it. */
export type InputOf<D extends OptionDefinition> = D extends { readonly type: 'duration' }
  ? Duration
  : D extends { readonly type: 'memory' }
    ? MemorySize
    : D extends { readonly type: 'choice'; readonly synonyms: infer S }
      ? Plain<D> | (keyof S & string)
      : Plain<D>
