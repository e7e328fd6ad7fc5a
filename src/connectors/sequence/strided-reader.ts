/** Reads splits of whole numbers, one split after the other, a value for each number. */
import { END_OF_INPUT, MORE_AVAILABLE, NOTHING_AVAILABLE, type SourceStatus } from '../../operators/operator.ts'
import type { ReaderOutput, SourceReader, SourceReaderContext } from '../../operators/source.ts'
import { Availability } from '../availability.ts'
import type { StridedSplit } from './strided-split.ts'

/** Says how many numbers may be emitted now; limits a rate. */
export interface Throttle {
  /** 0: none before `granted` settles. */
  take(): number
  granted(): Promise<void>
  close(): void
}

export class StridedReader<T> implements SourceReader<T, StridedSplit> {
  readonly #context: SourceReaderContext
  readonly #generate: (index: number) => T
  readonly #throttle: Throttle | undefined
  readonly #availability = new Availability()
  #splits: StridedSplit[] = []
  #current: StridedSplit | undefined
  #next = 0
  #step = 1
  #end = 0
  #allowed = Number.POSITIVE_INFINITY
  #noMoreSplits = false

  constructor(context: SourceReaderContext, generate: (index: number) => T, throttle?: Throttle | undefined) {
    this.#context = context
    this.#generate = generate
    this.#throttle = throttle
    if (throttle !== undefined) this.#allowed = 0
  }

  start(): void {
    if (this.#splits.length === 0) this.#context.sendSplitRequest()
  }

  pollNext(output: ReaderOutput<T>): SourceStatus {
    const index = this.#next
    if (index >= this.#end) return this.#nextSplit(output)
    if (this.#allowed <= 0 && !this.#mayGoOn()) return NOTHING_AVAILABLE
    const value = this.#generate(index)
    this.#allowed--
    this.#next = index + this.#step
    output.collect(value)
    return MORE_AVAILABLE
  }

  isAvailable(): Promise<void> {
    return this.#current === undefined || this.#throttle === undefined
      ? this.#availability.wait()
      : this.#throttle.granted()
  }

  snapshotState(): readonly StridedSplit[] {
    if (this.#current === undefined) return [...this.#splits]
    return [{ ...this.#current, next: this.#next }, ...this.#splits]
  }

  addSplits(splits: readonly StridedSplit[]): void {
    this.#splits.push(...splits)
    this.#availability.wake()
  }

  notifyNoMoreSplits(): void {
    this.#noMoreSplits = true
    this.#availability.wake()
  }

  close(): void {
    this.#throttle?.close()
  }

  #mayGoOn(): boolean {
    this.#allowed = this.#throttle?.take() ?? Number.POSITIVE_INFINITY
    return this.#allowed > 0
  }

  #nextSplit(output: ReaderOutput<T>): SourceStatus {
    if (this.#current !== undefined) output.releaseOutputForSplit(this.#current.id)
    const had = this.#current !== undefined
    this.#current = this.#splits.shift()
    if (this.#current !== undefined) {
      const { next, step, end } = this.#current
      this.#next = next
      this.#step = step
      this.#end = end
      return MORE_AVAILABLE
    }
    if (this.#noMoreSplits) return END_OF_INPUT
    if (had) this.#context.sendSplitRequest()
    return NOTHING_AVAILABLE
  }
}
