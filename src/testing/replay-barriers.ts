/**
 * Replays a barrier trace: what arrives on the channels of one subtask, in order, against the real alignment charts and
 * their host. Queues and clock are the replay's own; it decides nothing about barriers.
 */
import type { Barrier, Permission, Refusal } from '#machines/alignment-vocabulary'
import { StreamError } from '../base/errors.ts'
import { VirtualClock } from '../base/virtual-clock.ts'
import { type AlignmentHost, hostAlignment } from '../runtime/control/barrier-alignment.ts'
import { type BarrierStep, parseBarrierStep } from './barrier-trace-step.ts'

/** What comes through the channels of one task, and what must come of it. */
export interface BarrierTrace {
  readonly name?: string | undefined
  /** Those of `aligned` and `at-least-once` run; the others throw a StreamError of code UNSUPPORTED. */
  readonly mode: 'aligned' | 'alternating' | 'unaligned' | 'at-least-once'
  readonly channels: number
  readonly checkpointsAfterTasksFinish?: boolean | undefined
  /** Bytes of one record; 0 when left out. */
  readonly recordBytes?: number | undefined
  /** `r1 q1 p1 b7@1 b7@1#30 s7@1 c7@1 e1 +100 ~100 close`; what each means stands at BarrierStep. */
  readonly steps: readonly string[]
}

/** Keys of maps are checkpoint ids, or numbers of steps (from 0). */
export interface BarrierOutcome {
  /** Ids in the order in which the snapshot was taken. */
  readonly triggered: readonly number[]
  readonly triggeredAs: readonly ('aligned' | 'unaligned')[]
  /** Id and reason, in the order of the declines. */
  readonly aborted: readonly (readonly [number, string])[]
  readonly blockedAfter: Readonly<Record<string, readonly number[]>>
  readonly blockedAtEnd: readonly number[]
  /** Step numbers of the records in the order in which they were processed. */
  readonly processed: readonly number[]
  readonly pendingAtEnd: boolean
  readonly pendingIds: readonly number[]
  readonly alignmentMs: Readonly<Record<string, number>>
  readonly alignmentBytes: Readonly<Record<string, number>>
}

/** Throws a StreamError of code UNSUPPORTED for a mode, and TRACE_INVALID for a step, that it does not know. */
export function replayBarriers(trace: BarrierTrace): BarrierOutcome {
  const subtask = new ReplayedSubtask(trace)
  const blockedAfter: Record<string, readonly number[]> = {}
  trace.steps.forEach((text, index) => {
    subtask.take(parseBarrierStep(text), index)
    blockedAfter[index] = subtask.blocked()
  })
  return subtask.outcome(blockedAfter)
}

/** What waits in a channel's queue. */
interface Waiting {
  readonly index: number
  readonly step: BarrierStep
  /** A record that the subtask is too busy for; what lies behind it waits too. */
  stuck: boolean
}

class ReplayedSubtask {
  readonly #host: AlignmentHost
  readonly #clock = new VirtualClock()
  readonly #queues: Waiting[][]
  readonly #createdAtMs = new Map<number, number>()
  readonly #recordBytes: number
  #permission: Permission = { standstill: true, held: [] }
  #processedBytes = 0
  #measuredFrom = 0
  readonly #triggered: number[] = []
  readonly #aborted: (readonly [number, string])[] = []
  readonly #processed: number[] = []
  readonly #measuredBytes = new Map<number, number>()
  readonly #alignmentMs: Record<string, number> = {}
  readonly #alignmentBytes: Record<string, number> = {}

  constructor({ name, mode, channels, checkpointsAfterTasksFinish = true, recordBytes = 0 }: BarrierTrace) {
    if (mode !== 'aligned' && mode !== 'at-least-once')
      throw unsupported(`The trace "${name ?? ''}" is of mode "${mode}".`)
    this.#recordBytes = recordBytes
    this.#queues = Array.from({ length: channels }, () => [])
    this.#host = hostAlignment({
      id: 'replay/alignment',
      mode: mode === 'aligned' ? 'EXACTLY_ONCE' : 'AT_LEAST_ONCE',
      channels,
      checkpointsAfterTasksFinish,
      deps: {
        permit: (permission) => {
          this.#permission = permission
        },
        prepareOperators: () => {},
        forwardBarrier: () => {},
        forwardCancellation: () => {},
        takeSnapshot: ({ barrier, alignmentMs }) => this.#snapshotTaken(barrier.checkpointId, alignmentMs),
        declined: ({ checkpointId, reason }: Refusal) => void this.#aborted.push([checkpointId, reason]),
        causeOf: () => undefined,
        startMeasuring: () => {
          this.#measuredFrom = this.#processedBytes
        },
        endMeasuring: (checkpointId) =>
          void this.#measuredBytes.set(checkpointId, this.#processedBytes - this.#measuredFrom),
        nowMs: () => this.#clock.now(),
        failed: (cause) => {
          throw cause
        },
      },
    })
    this.#host.start()
  }

  /** One step of the trace, with everything that it sets free. */
  take(step: BarrierStep, index: number) {
    if ('checkpointId' in step && !this.#createdAtMs.has(step.checkpointId))
      this.#createdAtMs.set(step.checkpointId, this.#clock.now())
    switch (step.type) {
      case 'advance':
        return this.#clock.advance(step.ms)
      case 'skip':
        return this.#clock.skip(step.ms)
      case 'close':
        return this.#host.send({ type: 'input.closed' })
      case 'process': {
        const waiting = this.#queue(step.channel).find(({ stuck }) => stuck)
        if (waiting !== undefined) waiting.stuck = false
        return this.#drain()
      }
      default:
        this.#queue(step.channel).push({ index, step, stuck: step.type === 'record' && step.busy })
        return this.#drain()
    }
  }

  blocked(): readonly number[] {
    return this.#permission.held.flatMap((held, channel) => (held ? [channel] : []))
  }

  outcome(blockedAfter: BarrierOutcome['blockedAfter']): BarrierOutcome {
    const pendingIds = this.#host.pendingIds()
    return {
      triggered: this.#triggered,
      triggeredAs: this.#triggered.map(() => 'aligned'),
      aborted: this.#aborted,
      blockedAfter,
      blockedAtEnd: this.blocked(),
      processed: this.#processed,
      pendingAtEnd: pendingIds.length > 0,
      pendingIds,
      alignmentMs: this.#alignmentMs,
      alignmentBytes: this.#alignmentBytes,
    }
  }

  #drain(): void {
    for (let moved = true; moved; ) {
      moved = false
      this.#queues.forEach((queue, channel) => {
        while (!this.#permission.standstill && !this.#permission.held[channel] && queue[0]?.stuck === false) {
          this.#handle(queue.shift() as Waiting)
          moved = true
        }
      })
    }
  }

  #handle({ step, index }: Waiting) {
    switch (step.type) {
      case 'record':
        this.#processed.push(index)
        this.#processedBytes += this.#recordBytes
        return
      case 'barrier':
        return this.#host.send({ type: 'barrier.arrived', channel: step.channel, barrier: this.#barrier(step) })
      case 'cancellation':
        return this.#host.send({ type: 'cancellation.arrived', channel: step.channel, checkpointId: step.checkpointId })
      case 'end':
        return this.#host.send({ type: 'partition.ended', channel: step.channel })
      default:
        throw unsupported(`Step ${index} of the trace is of type "${step.type}".`)
    }
  }

  #barrier({ checkpointId, kind, createdAtMs }: Extract<BarrierStep, { readonly type: 'barrier' }>): Barrier {
    const timestamp = createdAtMs ?? this.#createdAtMs.get(checkpointId) ?? this.#clock.now()
    return { checkpointId, timestamp, kind, mode: 'aligned' }
  }

  #snapshotTaken(checkpointId: number, alignmentMs: number): void {
    this.#triggered.push(checkpointId)
    this.#alignmentMs[checkpointId] = alignmentMs
    this.#alignmentBytes[checkpointId] = this.#measuredBytes.get(checkpointId) ?? 0
  }

  #queue(channel: number): Waiting[] {
    const queue = this.#queues[channel]
    if (queue !== undefined) return queue
    throw new StreamError('TRACE_INVALID', {
      message: `A step of the trace names channel ${channel}, but the trace has ${this.#queues.length} channels.`,
      hint: 'Channels count from 0.',
    })
  }
}

function unsupported(what: string): StreamError {
  return new StreamError('UNSUPPORTED', {
    message: `${what} Unaligned barriers cannot be replayed.`,
    hint: 'Traces of modes "aligned" and "at-least-once" can be.',
  })
}
