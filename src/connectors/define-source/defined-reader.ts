/**
 * Reads the splits of a user's own source ahead of the records' way, so that emitting and snapshots never wait. The
 * position of a split is that of its last emitted record, never of one that was only read ahead.
 */
import type { Timer } from '../../base/clock.ts'
import { StreamError } from '../../base/errors.ts'
import { NO_TIMESTAMP } from '../../elements/stream-element.ts'
import { END_OF_INPUT, MORE_AVAILABLE, NOTHING_AVAILABLE, type SourceStatus } from '../../operators/operator.ts'
import type { ReaderOutput, SourceReader, SourceReaderContext } from '../../operators/source.ts'
import { Availability } from '../availability.ts'
import type { SourceRecord } from './define-source.ts'
import type { DefinedSplit } from './defined-split.ts'
import { RecordQueue } from './record-queue.ts'

export interface DefinedReaderOptions<T, P> {
  readonly context: SourceReaderContext
  readonly bounded: boolean
  read(split: string, position: P | undefined, signal: AbortSignal): AsyncIterable<SourceRecord<T, P>>
}

/** Records read ahead, of all splits of the reader together; beyond it each split may bring one that was under way. */
const READ_AHEAD = 1_000
/** Reading goes on when so few are left. */
const READ_ON = 500
/** How long closing waits for a `next()` that does not heed the abort. */
const CUT_OFF_MS = 1_000

/** What is queued behind the last record of a split, in place of a value. */
const ENDED = Symbol('ended')
const FAILED = Symbol('failed')

interface OpenSplit<T, P> {
  readonly id: string
  position: P | undefined
  output: ReaderOutput<T> | undefined
  /** One each: a signal with a listener of every split would be taken for a leak. */
  readonly abort: AbortController
}

export class DefinedReader<T, P> implements SourceReader<T, DefinedSplit<P>> {
  readonly #options: DefinedReaderOptions<T, P>
  readonly #context: SourceReaderContext
  readonly #availability = new Availability()
  readonly #room = new Availability()
  readonly #queue = new RecordQueue<OpenSplit<T, P>>(READ_AHEAD)
  readonly #splits = new Map<string, OpenSplit<T, P>>()
  readonly #pumps = new Set<Promise<void>>()
  #started = false
  #closed = false
  #noMoreSplits = false

  constructor(options: DefinedReaderOptions<T, P>) {
    this.#options = options
    this.#context = options.context
  }

  start(): void {
    this.#started = true
    for (const split of this.#splits.values()) this.#pump(split)
    if (this.#splits.size === 0) this.#context.sendSplitRequest()
  }

  pollNext(output: ReaderOutput<T>): SourceStatus {
    const queue = this.#queue
    if (queue.size === 0) return this.#splits.size === 0 && this.#noMoreSplits ? END_OF_INPUT : NOTHING_AVAILABLE
    const split = queue.owner
    const value = queue.value
    const position = queue.position
    const timestamp = queue.timestamp
    queue.drop()
    if (queue.size === READ_ON) this.#room.wake()
    if (value === ENDED) return this.#finished(split, output)
    if (value === FAILED) throw position
    split.output ??= output.createOutputForSplit(split.id)
    split.position = position as P
    split.output.collect(value as T, timestamp)
    return MORE_AVAILABLE
  }

  isAvailable(): Promise<void> {
    return this.#availability.wait()
  }

  snapshotState(): readonly DefinedSplit<P>[] {
    return Array.from(this.#splits.values(), ({ id, position }) => ({ id, position }))
  }

  addSplits(splits: readonly DefinedSplit<P>[]): void {
    for (const { id, position } of splits) {
      const split: OpenSplit<T, P> = { id, position, output: undefined, abort: new AbortController() }
      this.#splits.set(id, split)
      if (this.#started) this.#pump(split)
    }
  }

  notifyNoMoreSplits(): void {
    this.#noMoreSplits = true
    this.#availability.wake()
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#room.wake()
    for (const { abort } of this.#splits.values()) abort.abort()
    if (this.#pumps.size === 0) return
    let timer: Timer | undefined
    const cutOff = new Promise<void>((settle) => {
      timer = this.#context.environment.clock.setTimer(CUT_OFF_MS, settle)
    })
    await Promise.race([Promise.all(this.#pumps), cutOff])
    timer?.cancel()
  }

  #finished(split: OpenSplit<T, P>, output: ReaderOutput<T>): SourceStatus {
    this.#splits.delete(split.id)
    output.releaseOutputForSplit(split.id)
    if (this.#splits.size === 0 && !this.#noMoreSplits) this.#context.sendSplitRequest()
    return MORE_AVAILABLE
  }

  #pump(split: OpenSplit<T, P>): void {
    const pump: Promise<void> = this.#readAhead(split).then(
      () => this.#bring(split, ENDED, undefined, NO_TIMESTAMP),
      (thrown: unknown) => this.#bring(split, FAILED, thrown, NO_TIMESTAMP),
    )
    this.#pumps.add(pump)
    void pump.finally(() => this.#pumps.delete(pump))
  }

  /** Resolves at the end of the split. After the abort whatever still comes is dropped. */
  async #readAhead(split: OpenSplit<T, P>): Promise<void> {
    const { signal } = split.abort
    const iterator = this.#options.read(split.id, split.position, signal)[Symbol.asyncIterator]()
    const stop = () => void giveUp(iterator)
    signal.addEventListener('abort', stop)
    while (!this.#closed) {
      const next = await iterator.next()
      if (this.#closed) return
      if (next.done === true) return this.#returned(split)
      const record: unknown = next.value
      if (!isRecord(record)) throw noRecord(split.id, record)
      this.#bring(split, record.value, record.position, record.timestamp ?? NO_TIMESTAMP)
      while (this.#queue.size >= READ_AHEAD && !this.#closed) await this.#room.wait()
    }
  }

  #bring(split: OpenSplit<T, P>, value: unknown, position: unknown, timestamp: number): void {
    if (this.#closed) return
    this.#queue.push(split, value, position, timestamp)
    this.#availability.wake()
  }

  #returned(split: OpenSplit<T, P>): void {
    if (this.#options.bounded) return
    throw new StreamError('SOURCE_ENDED', {
      message: `read() of the unbounded source returned for split ${JSON.stringify(split.id)}.`,
      hint: "An unbounded source yields until its signal is aborted. Declare it `boundedness: 'bounded'` if its splits end.",
      details: { split: split.id },
    })
  }
}

/** Lets the iterator clean up. Nobody is there any more whom its failure could concern. */
async function giveUp(iterator: AsyncIterator<unknown>): Promise<void> {
  try {
    await iterator.return?.()
  } catch {
    // Thrown by the user's clean-up after the abort.
  }
}

function isRecord(record: unknown): record is SourceRecord<unknown, unknown> {
  if (typeof record !== 'object' || record === null || !('value' in record) || !('position' in record)) return false
  const { timestamp } = record as { timestamp?: unknown }
  return timestamp === undefined || (typeof timestamp === 'number' && !Number.isNaN(timestamp))
}

function noRecord(split: string, record: unknown): StreamError {
  return new StreamError('SOURCE_INVALID', {
    message: `read() yielded ${JSON.stringify(record) ?? typeof record} for split ${JSON.stringify(split)}, which is no record.`,
    hint: 'Yield { value, position } and, if the record has one, a timestamp in milliseconds.',
    details: { split },
  })
}
