/** Makes records from their numbers: for tests, demonstrations and load. Repeatable when the user's function is. */
import { StreamError } from '../../base/errors.ts'
import type {
  Boundedness,
  Source,
  SourceReader,
  SourceReaderContext,
  SplitEnumerator,
  SplitEnumeratorContext,
} from '../../operators/source.ts'
import { StridedReader } from '../sequence/strided-reader.ts'
import { interleavedSplits, type StridedSplit } from '../sequence/strided-split.ts'
import { type SplitQueueState, splitQueue } from '../split-queue.ts'
import { RateLimit } from './rate-limit.ts'

/** How many records are generated, and how fast. */
export interface DataGeneratorOptions {
  /** Numbers 0 to `count` - 1. Left out: without end. */
  readonly count?: number | undefined
  /** Of all subtasks together. Left out: as fast as it goes. */
  readonly ratePerSecond?: number | undefined
}

/** `generate` gets the number of the record, from 0. Subtask s of n makes records s, s + n, s + 2n, ... */
export class DataGeneratorSource<out T> implements Source<T, StridedSplit, SplitQueueState<StridedSplit>> {
  readonly boundedness: Boundedness
  readonly #generate: (index: number) => T
  readonly #count: number
  readonly #ratePerSecond: number | undefined

  /** INVALID_ARGUMENT when an option is out of range. */
  constructor(generate: (index: number) => T, options: DataGeneratorOptions = {}) {
    const { count, ratePerSecond } = options
    if (typeof generate !== 'function') throw refused('generate', generate, 'a function (index) => value')
    if (count !== undefined && !(Number.isSafeInteger(count) && count >= 0))
      throw refused('count', count, 'a whole number of at least 0')
    if (ratePerSecond !== undefined && !(Number.isFinite(ratePerSecond) && ratePerSecond > 0))
      throw refused('ratePerSecond', ratePerSecond, 'a number above 0')
    this.boundedness = count === undefined ? 'continuous-unbounded' : 'bounded'
    this.#generate = generate
    this.#count = count ?? Number.MAX_SAFE_INTEGER
    this.#ratePerSecond = ratePerSecond
  }

  createEnumerator(
    context: SplitEnumeratorContext<StridedSplit>,
    restored: SplitQueueState<StridedSplit> | undefined,
  ): SplitEnumerator<StridedSplit, SplitQueueState<StridedSplit>> {
    return splitQueue({ context, restored, find: () => interleavedSplits(this.#count, context.parallelism) })
  }

  createReader(context: SourceReaderContext): SourceReader<T, StridedSplit> {
    if (this.#ratePerSecond === undefined) return new StridedReader(context, this.#generate)
    const limit = new RateLimit(context.environment.clock, this.#ratePerSecond / context.parallelism)
    return new StridedReader(context, this.#generate, limit)
  }
}

function refused(option: string, value: unknown, legal: string): StreamError {
  return new StreamError('INVALID_ARGUMENT', {
    message: `DataGeneratorSource: \`${option}\` is ${String(value)}.`,
    hint: `Give ${legal}.`,
    details: { option, value: String(value) },
  })
}
