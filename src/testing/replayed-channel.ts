/**
 * A channel of a replayed subtask: a queue whose elements are numbered, and a lane for what overtakes it. Captures what
 * lies in it between two places.
 */
import type { Barrier } from '#machines/alignment-vocabulary'

/** What comes to the subtask. `index`: the number of the step that brought it. */
export type Arrived =
  | { readonly type: 'record'; readonly index: number }
  | { readonly type: 'barrier'; readonly barrier: Barrier; readonly sequence: number }
  | { readonly type: 'announcement'; readonly barrier: Barrier; readonly sequence: number }
  | { readonly type: 'cancellation'; readonly checkpointId: number }
  | { readonly type: 'end' }

/** What waits in the queue. */
interface Waiting {
  readonly sequence: number
  readonly element: Arrived
  /** The subtask is too busy for it; what lies behind it waits too. */
  stuck: boolean
}

export class ReplayedChannel {
  #queue: readonly Waiting[] = []
  #nextSequence = 0
  readonly #lane: Arrived[] = []
  readonly #announced = new Set<number>()
  /** Records of the capture that is open, or was the last to be open. */
  #captured: readonly { readonly sequence: number; readonly index: number }[] = []
  #capturing = false

  record(index: number, busy: boolean): void {
    if (this.#capturing) this.#captured = [...this.#captured, { sequence: this.#nextSequence, index }]
    this.append({ type: 'record', index }, busy)
  }

  append(element: Arrived, stuck = false): void {
    this.#queue = [...this.#queue, { sequence: this.#nextSequence++, element, stuck }]
  }

  /** The oldest record that the subtask was too busy for is processed. */
  process(): void {
    const waiting = this.#queue.find(({ element, stuck }) => element.type === 'record' && stuck)
    if (waiting !== undefined) waiting.stuck = false
  }

  /** An unaligned barrier overtakes. One that was announced lies in the queue already, if it did not overtake. */
  barrier(barrier: Barrier): void {
    const sequence = this.#nextSequence
    if (this.#announced.has(barrier.checkpointId)) this.#release(barrier.checkpointId)
    else if (barrier.mode === 'unaligned') this.#lane.push({ type: 'barrier', barrier, sequence })
    else this.append({ type: 'barrier', barrier, sequence })
  }

  announce(barrier: Barrier): void {
    const sequence = this.#nextSequence
    this.#announced.add(barrier.checkpointId)
    this.append({ type: 'barrier', barrier, sequence }, true)
    this.#lane.push({ type: 'announcement', barrier, sequence })
  }

  /** The barrier at this place comes next. */
  prioritise(sequence: number): void {
    const element = this.#queue.find((waiting) => waiting.sequence === sequence)?.element
    if (element?.type !== 'barrier') return
    this.#queue = this.#queue.filter((waiting) => waiting.sequence !== sequence)
    this.#lane.push({ ...element, barrier: { ...element.barrier, mode: 'unaligned' } })
  }

  takeUrgent(): Arrived | undefined {
    return this.#lane.shift()
  }

  takeQueued(): Arrived | undefined {
    const [first, ...rest] = this.#queue
    if (first === undefined || first.stuck) return undefined
    this.#queue = rest
    return first.element
  }

  startCapture(upTo: number | null): void {
    this.#captured = this.#queue.flatMap(({ sequence, element }) =>
      element.type === 'record' ? [{ sequence, index: element.index }] : [],
    )
    this.#capturing = true
    if (upTo !== null) this.endCapture(upTo)
  }

  endCapture(upTo: number | null): void {
    this.#capturing = false
    if (upTo !== null) this.#captured = this.#captured.filter(({ sequence }) => sequence < upTo)
  }

  /** The steps of the records that were captured; they are forgotten. */
  takeCaptured(): readonly number[] {
    const captured = this.#captured
    this.#captured = []
    this.#capturing = false
    return captured.map(({ index }) => index)
  }

  #release(checkpointId: number): void {
    for (const waiting of this.#queue)
      if (waiting.element.type === 'barrier' && waiting.element.barrier.checkpointId === checkpointId)
        waiting.stuck = false
  }
}
