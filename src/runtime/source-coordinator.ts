/**
 * The job's side of one source: runs its split enumerator and sends what it deals out to the readers. What is dealt out
 * between a snapshot of the enumerator and the trigger of that checkpoint waits, so that it belongs to the next one.
 */

import type { Timer } from '../base/clock.ts'
import { StreamError, toError } from '../base/errors.ts'
import { defaultSerializer, type Serializer } from '../elements/serializer.ts'
import { framed, unframed } from '../operators/framed.ts'
import type {
  Source,
  SourceEnvironment,
  SourceSplit,
  SplitEnumerator,
  SplitEnumeratorContext,
} from '../operators/source.ts'

/** Crosses the link: plain JSON. */
export type SourceEvent =
  /** Serialised splits in base64. */
  { readonly type: 'addSplits'; readonly splits: readonly string[] } | { readonly type: 'noMoreSplits' }

export interface SourceCoordinatorOptions {
  readonly source: Source<unknown>
  readonly operatorName: string
  readonly parallelism: number
  readonly environment: SourceEnvironment
  /** What `snapshot` returned for the checkpoint that is restored. */
  readonly restored: Uint8Array | undefined
  send(subtask: number, event: SourceEvent): void
  backlogChanged(backlog: boolean): void
  fail(cause: unknown): void
}

type HeldEvent = readonly [subtask: number, event: SourceEvent]

/** Of those that were held back: about so many, then other work of the thread. */
const SPLITS_AT_ONCE = 200

export class SourceCoordinator {
  readonly #options: SourceCoordinatorOptions
  readonly #splitSerializer: Serializer<SourceSplit>
  readonly #stateSerializer: Serializer<unknown>
  readonly #enumerator: SplitEnumerator<SourceSplit, unknown>
  readonly #readers = new Set<number>()
  /** What is meant for a reader that has not registered yet. */
  readonly #early = new Map<number, SourceEvent[]>()
  readonly #timers = new Set<Timer>()
  /** Checkpoints whose trigger has not gone out yet. */
  readonly #untriggered = new Set<number>()
  #held: HeldEvent[] = []
  #closed = false
  /** As it was reported last. */
  #backlog = false

  constructor(options: SourceCoordinatorOptions) {
    this.#options = options
    this.#splitSerializer = (options.source.splitSerializer ?? defaultSerializer()) as Serializer<SourceSplit>
    this.#stateSerializer = (options.source.enumeratorSerializer ?? defaultSerializer()) as Serializer<unknown>
    this.#enumerator = options.source.createEnumerator(this.#context(), this.#restoredState(options.restored))
  }

  async start(): Promise<void> {
    await this.#enumerator.start()
  }

  readerRegistered(subtask: number): void {
    this.#readers.add(subtask)
    for (const event of this.#early.get(subtask) ?? []) this.#send(subtask, event)
    this.#early.delete(subtask)
    this.#guard(() => this.#enumerator.addReader(subtask))
  }

  splitRequested(subtask: number): void {
    this.#guard(() => this.#enumerator.handleSplitRequest(subtask))
  }

  /** The enumerator's state, serialised. From the call on nothing reaches a reader until `triggered`. */
  async snapshot(checkpointId: number): Promise<Uint8Array> {
    // What was dealt out before belongs to the readers in this checkpoint: it goes in front of its trigger.
    if (this.#untriggered.size === 0) this.#deliver(Number.POSITIVE_INFINITY)
    this.#untriggered.add(checkpointId)
    const state = this.#enumerator.snapshotState(checkpointId)
    // At once, where it is at hand: it may be what the enumerator works with, and that goes on.
    return this.#written(checkpointId, state instanceof Promise ? await state : state)
  }

  /** The trigger of this checkpoint is on its way to the readers, or the checkpoint is given up. */
  triggered(checkpointId: number): void {
    this.#untriggered.delete(checkpointId)
    this.#release()
  }

  notifyCheckpointComplete(checkpointId: number): void {
    this.#guard(() => this.#enumerator.notifyCheckpointComplete?.(checkpointId))
  }

  async close(): Promise<void> {
    this.#closed = true
    // Whoever comes next says it anew.
    this.#reportBacklog(false)
    this.#held = []
    for (const timer of this.#timers) timer.cancel()
    await this.#enumerator.close()
  }

  #context(): SplitEnumeratorContext<SourceSplit> {
    const { parallelism, environment } = this.#options
    return {
      parallelism,
      environment,
      registeredReaders: () => [...this.#readers].sort((one, other) => one - other),
      assignSplits: (subtask, splits) => {
        const bytes = splits.map((split) => Buffer.from(framed(this.#splitSerializer, split)).toString('base64'))
        this.#send(subtask, { type: 'addSplits', splits: bytes })
      },
      signalNoMoreSplits: (subtask) => this.#send(subtask, { type: 'noMoreSplits' }),
      callAsync: (call, handle) => this.#call(call, handle),
      callPeriodically: (call, handle, initialDelayMs, periodMs) =>
        this.#repeat(() => this.#call(call, handle), initialDelayMs, periodMs),
      setIsProcessingBacklog: (backlog) => !this.#closed && this.#reportBacklog(backlog),
      fail: (cause) => this.#options.fail(cause),
    }
  }

  #reportBacklog(backlog: boolean): void {
    if (backlog === this.#backlog) return
    this.#backlog = backlog
    this.#options.backlogChanged(backlog)
  }

  #send(subtask: number, event: SourceEvent): void {
    if (!this.#readers.has(subtask)) return void this.#early.set(subtask, [...(this.#early.get(subtask) ?? []), event])
    // Behind what is held: the order is kept.
    if (this.#untriggered.size > 0 || this.#held.length > 0) this.#held.push([subtask, event])
    else if (!this.#closed) this.#options.send(subtask, event)
  }

  /** What was held may be thousands of splits: they go a few at a time. */
  #release(): void {
    if (this.#untriggered.size > 0 || this.#closed) return
    this.#deliver(SPLITS_AT_ONCE)
    if (this.#held.length > 0) this.#after(1, () => this.#release())
  }

  #deliver(mostSplits: number): void {
    let count = 0
    for (let splits = 0; count < this.#held.length && splits < mostSplits; count++) {
      const [, event] = this.#held[count] as HeldEvent
      splits += event.type === 'addSplits' ? event.splits.length : 1
    }
    const sent = this.#held.splice(0, count)
    for (const [subtask, event] of sent) if (!this.#closed) this.#options.send(subtask, event)
  }

  #call<T>(call: () => Promise<T>, handle: (result: T) => void): void {
    // Also where the user's function throws instead of rejecting.
    const called = async () => call()
    called().then(
      (result) => this.#guard(() => handle(result)),
      (cause) => this.#failed(cause),
    )
  }

  #repeat(call: () => void, delayMs: number, periodMs: number): void {
    this.#after(delayMs, () => {
      this.#repeat(call, periodMs, periodMs)
      call()
    })
  }

  #after(delayMs: number, act: () => void): void {
    if (this.#closed) return
    const timer = this.#options.environment.clock.setTimer(delayMs, () => {
      this.#timers.delete(timer)
      if (!this.#closed) act()
    })
    this.#timers.add(timer)
  }

  /** A throw of the user's enumerator fails the job, not whoever brought the news. */
  #guard(call: () => unknown): void {
    if (this.#closed) return
    try {
      const called = call()
      // An asynchronous method fits the type, too.
      if (called instanceof Promise) called.catch((cause: unknown) => this.#failed(cause))
    } catch (thrown) {
      this.#failed(thrown)
    }
  }

  #failed(cause: unknown): void {
    if (!this.#closed) this.#options.fail(cause)
  }

  /** What cannot be written fails the job: no checkpoint of it would ever complete, and a restart brings it back. */
  #written(checkpointId: number, state: unknown): Uint8Array {
    try {
      return framed(this.#stateSerializer, state)
    } catch (thrown) {
      const refused = this.#unwritable(checkpointId, toError(thrown))
      this.#failed(refused)
      throw refused
    }
  }

  /** `cause`: the serializer's refusal, or whatever else a user's serializer throws. */
  #unwritable(checkpointId: number, cause: Error): StreamError {
    const { operatorName } = this.#options
    const refusal = StreamError.is(cause) ? cause : undefined
    return new StreamError(refusal?.code ?? 'NOT_SERIALIZABLE', {
      message: `The state of the split enumerator of source "${operatorName}" could not be written into checkpoint ${checkpointId}: ${cause.message}`,
      hint:
        refusal?.code === 'NOT_SERIALIZABLE'
          ? 'Keep plain data only in what its snapshotState() returns, or give the source an `enumeratorSerializer` that knows the type.'
          : (refusal?.hint ?? 'The `enumeratorSerializer` of this source threw.'),
      details: { ...refusal?.details, source: operatorName },
      cause,
    })
  }

  #restoredState(bytes: Uint8Array | undefined): unknown {
    return bytes === undefined
      ? undefined
      : unframed(this.#stateSerializer, bytes, `the split enumerator of source "${this.#options.operatorName}"`)
  }
}
