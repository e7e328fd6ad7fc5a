/** Reads one collection from the start or, after a restore, from behind the last emitted element. */
import { StreamError } from '../../base/errors.ts'
import { END_OF_INPUT, MORE_AVAILABLE, NOTHING_AVAILABLE, type SourceStatus } from '../../operators/operator.ts'
import type { ReaderOutput, SourceReader, SourceReaderContext } from '../../operators/source.ts'
import { Availability } from '../availability.ts'
import type { CollectionSplit } from './collection-source.ts'

/** Elements skipped in one call, so that a long way to the old position does not hold the thread. */
const SKIPPED_AT_ONCE = 1_000

export class CollectionReader<T> implements SourceReader<T, CollectionSplit> {
  readonly #context: SourceReaderContext
  readonly #values: Iterable<T>
  readonly #availability = new Availability()
  #split: CollectionSplit | undefined
  #iterator: Iterator<T> | undefined
  #toSkip = 0
  #emitted = 0
  #noMoreSplits = false

  constructor(context: SourceReaderContext, values: Iterable<T>) {
    this.#context = context
    this.#values = values
  }

  start(): void {
    if (this.#split === undefined) this.#context.sendSplitRequest()
  }

  pollNext(output: ReaderOutput<T>): SourceStatus {
    if (this.#split === undefined) return this.#noMoreSplits ? END_OF_INPUT : NOTHING_AVAILABLE
    this.#iterator ??= this.#values[Symbol.iterator]()
    const iterator = this.#iterator
    if (this.#toSkip > 0) return this.#skip(iterator)
    const next = iterator.next()
    if (next.done === true) return this.#ended(output)
    this.#emitted++
    output.collect(next.value)
    return MORE_AVAILABLE
  }

  isAvailable(): Promise<void> {
    return this.#availability.wait()
  }

  snapshotState(): readonly CollectionSplit[] {
    return this.#split === undefined ? [] : [{ ...this.#split, emitted: this.#emitted }]
  }

  addSplits(splits: readonly CollectionSplit[]): void {
    for (const split of splits) {
      this.#split = split
      this.#emitted = split.emitted
      this.#toSkip = split.emitted
    }
    this.#availability.wake()
  }

  notifyNoMoreSplits(): void {
    this.#noMoreSplits = true
    this.#availability.wake()
  }

  close(): void {
    this.#iterator?.return?.()
    this.#iterator = undefined
  }

  #skip(iterator: Iterator<T>): SourceStatus {
    for (let left = SKIPPED_AT_ONCE; left > 0 && this.#toSkip > 0; left--) {
      if (iterator.next().done === true)
        throw new StreamError('SOURCE_CHANGED', {
          message: `The collection given to fromData had at least ${this.#emitted} elements before the restart and now ends after ${this.#emitted - this.#toSkip}.`,
          hint: 'A collection must give the same elements each time it is iterated.',
          details: { emitted: this.#emitted, found: this.#emitted - this.#toSkip },
        })
      this.#toSkip--
    }
    return MORE_AVAILABLE
  }

  #ended(output: ReaderOutput<T>): SourceStatus {
    if (this.#split !== undefined) output.releaseOutputForSplit(this.#split.id)
    this.#split = undefined
    this.#iterator = undefined
    this.#context.sendSplitRequest()
    return NOTHING_AVAILABLE
  }
}
