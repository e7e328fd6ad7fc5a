/**
 * Replays a barrier trace: what arrives on the channels of one subtask, in order, against the real alignment charts and
 * their host. Channels and clock are the replay's own; it decides nothing about barriers.
 */
import type { Barrier, DueSnapshot, Permission } from '#machines/alignment-vocabulary'
import { StreamError } from '../base/errors.ts'
import { VirtualClock } from '../base/virtual-clock.ts'
import {
  type AlignmentDeps,
  type AlignmentHost,
  hostAlignment,
  type UnalignedDeps,
} from '../runtime/control/barrier-alignment.ts'
import { type BarrierOutcome, type BarrierTrace, barrierMode, misplaced } from './barrier-trace.ts'
import { type BarrierAt, type BarrierStep, parseBarrierStep } from './barrier-trace-step.ts'
import { type Arrived, ReplayedChannel } from './replayed-channel.ts'

export type { BarrierOutcome, BarrierTrace } from './barrier-trace.ts'

/** Throws a StreamError of code TRACE_INVALID for a mode or a step that it does not know, or that do not fit together. */
export function replayBarriers(trace: BarrierTrace): BarrierOutcome {
  const subtask = new ReplayedSubtask(trace)
  const blockedAfter: Record<string, readonly number[]> = {}
  trace.steps.forEach((text, index) => {
    subtask.take(parseBarrierStep(text), index)
    blockedAfter[index] = subtask.blocked()
  })
  return subtask.outcome(blockedAfter)
}

class ReplayedSubtask {
  readonly #trace: BarrierTrace
  readonly #host: AlignmentHost
  readonly #clock = new VirtualClock()
  readonly #channels: readonly ReplayedChannel[]
  /** Of a barrier that is a checkpoint's and did not become unaligned upstream. */
  readonly #barrierMode: Barrier['mode']
  readonly #createdAtMs = new Map<number, number>()
  #permission: Permission = { standstill: true, held: [] }
  #processedBytes = 0
  #measuredFrom = 0
  readonly #triggered: number[] = []
  readonly #triggeredAs: ('aligned' | 'unaligned')[] = []
  readonly #aborted: (readonly [number, string])[] = []
  readonly #processed: number[] = []
  readonly #measuredBytes = new Map<number, number>()
  readonly #inflight: Record<string, readonly number[]> = {}
  #capturing: number | null = null
  readonly #alignmentMs: Record<string, number> = {}
  readonly #alignmentBytes: Record<string, number> = {}

  constructor(trace: BarrierTrace) {
    this.#trace = trace
    const { mode, channels, alignedTimeoutMs = 0, checkpointsAfterTasksFinish = true } = trace
    this.#barrierMode = barrierMode(trace)
    this.#channels = Array.from({ length: channels }, () => new ReplayedChannel())
    this.#host = hostAlignment({
      id: 'replay/alignment',
      mode: mode === 'at-least-once' ? 'AT_LEAST_ONCE' : 'EXACTLY_ONCE',
      channels,
      checkpointsAfterTasksFinish,
      alignedTimeoutMs: mode === 'alternating' ? alignedTimeoutMs : 0,
      unaligned: mode === 'alternating' || mode === 'unaligned' ? this.#overtaking() : undefined,
      deps: this.#aligning(),
    })
    this.#host.start()
  }

  /** One step of the trace, with everything that it sets free. */
  take(step: BarrierStep, index: number) {
    if ('checkpointId' in step && !this.#createdAtMs.has(step.checkpointId))
      this.#createdAtMs.set(step.checkpointId, this.#clock.now())
    this.#perform(step, index)
    this.#drain()
  }

  blocked(): readonly number[] {
    return this.#permission.held.flatMap((held, channel) => (held ? [channel] : []))
  }

  outcome(blockedAfter: BarrierOutcome['blockedAfter']): BarrierOutcome {
    if (this.#capturing !== null) this.#inflight[this.#capturing] = this.#takeCaptured()
    const pendingIds = this.#host.pendingIds()
    return {
      triggered: this.#triggered,
      triggeredAs: this.#triggeredAs,
      aborted: this.#aborted,
      blockedAfter,
      blockedAtEnd: this.blocked(),
      inflight: this.#inflight,
      processed: this.#processed,
      pendingAtEnd: pendingIds.length > 0,
      pendingIds,
      alignmentMs: this.#alignmentMs,
      alignmentBytes: this.#alignmentBytes,
    }
  }

  #aligning(): AlignmentDeps {
    return {
      permit: (permission) => {
        this.#permission = permission
      },
      prepareOperators: () => {},
      forwardBarrier: () => {},
      forwardCancellation: () => {},
      takeSnapshot: (snapshot) => this.#snapshotTaken(snapshot),
      declined: ({ checkpointId, reason }) => void this.#aborted.push([checkpointId, reason]),
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
    }
  }

  #overtaking(): UnalignedDeps {
    return {
      clock: {
        setTimer: (delayMs, fired) =>
          this.#clock.setTimer(delayMs, () => {
            fired()
            this.#drain()
          }),
      },
      prioritiseBarrier: (channel, sequence) => this.#channel(channel).prioritise(sequence),
      startCapture: (checkpointId, captured) => {
        this.#capturing = checkpointId
        for (const { channel, upTo } of captured) this.#channel(channel).startCapture(upTo)
      },
      endChannelCapture: (_, channel, upTo) => this.#channel(channel).endCapture(upTo),
      finishCapture: (checkpointId, alignmentMs) => {
        this.#inflight[checkpointId] = this.#takeCaptured()
        this.#aligned(checkpointId, alignmentMs)
      },
      dropCapture: () => void this.#takeCaptured(),
    }
  }

  #perform(step: BarrierStep, index: number) {
    switch (step.type) {
      case 'advance':
        return this.#clock.advance(step.ms)
      case 'skip':
        return this.#clock.skip(step.ms)
      case 'close':
        return this.#host.send({ type: 'input.closed' })
      case 'process':
        return this.#channel(step.channel).process()
      case 'record':
        return this.#channel(step.channel).record(index, step.busy)
      case 'barrier':
        return this.#channel(step.channel).barrier(
          this.#barrier(step, step.kind === 'savepoint' ? 'aligned' : this.#barrierMode),
        )
      case 'unalignedBarrier':
        if (this.#barrierMode === 'aligned') throw misplaced(index, `An unaligned barrier`, this.#trace)
        return this.#channel(step.channel).barrier(this.#barrier(step, 'unaligned'))
      case 'announcement':
        if (this.#barrierMode !== 'timeoutable' || this.#trace.localChannels?.includes(step.channel))
          throw misplaced(index, `An announcement on channel ${step.channel}`, this.#trace)
        return this.#channel(step.channel).announce(this.#barrier(step, 'timeoutable'))
      case 'cancellation':
      case 'end':
        return this.#channel(step.channel).append(step)
      default:
        return step satisfies never
    }
  }

  /** What overtakes comes before what waits, on whatever channel. */
  #drain(): void {
    while (this.#takeFrom((channel) => channel.takeUrgent()) || this.#takeFrom((channel) => channel.takeQueued()));
  }

  #takeFrom(take: (channel: ReplayedChannel) => Arrived | undefined): boolean {
    for (const [number, channel] of this.#channels.entries()) {
      if (this.#permission.standstill || this.#permission.held[number]) continue
      const element = take(channel)
      if (element === undefined) continue
      this.#handle(element, number)
      return true
    }
    return false
  }

  #handle(element: Arrived, channel: number) {
    switch (element.type) {
      case 'record':
        this.#processed.push(element.index)
        this.#processedBytes += this.#trace.recordBytes ?? 0
        return
      case 'barrier': {
        const { barrier, sequence } = element
        return this.#host.send({ type: 'barrier.arrived', channel, barrier, sequence })
      }
      case 'announcement': {
        const { barrier, sequence } = element
        return this.#host.send({ type: 'announcement.arrived', channel, barrier, sequence })
      }
      case 'cancellation':
        return this.#host.send({ type: 'cancellation.arrived', channel, checkpointId: element.checkpointId })
      case 'end':
        return this.#host.send({ type: 'partition.ended', channel })
      default:
        return element satisfies never
    }
  }

  #barrier({ checkpointId, kind, createdAtMs }: BarrierAt, mode: Barrier['mode']): Barrier {
    const timestamp = createdAtMs ?? this.#createdAtMs.get(checkpointId) ?? this.#clock.now()
    return { checkpointId, timestamp, kind, mode }
  }

  #snapshotTaken({ barrier: { checkpointId, mode }, alignmentMs }: DueSnapshot): void {
    this.#triggered.push(checkpointId)
    this.#triggeredAs.push(mode === 'unaligned' ? 'unaligned' : 'aligned')
    if (mode !== 'unaligned') this.#aligned(checkpointId, alignmentMs)
  }

  #aligned(checkpointId: number, alignmentMs: number): void {
    this.#alignmentMs[checkpointId] = alignmentMs
    this.#alignmentBytes[checkpointId] = this.#measuredBytes.get(checkpointId) ?? 0
  }

  #takeCaptured(): readonly number[] {
    this.#capturing = null
    return this.#channels.flatMap((channel) => channel.takeCaptured()).sort((one, other) => one - other)
  }

  #channel(number: number): ReplayedChannel {
    const channel = this.#channels[number]
    if (channel !== undefined) return channel
    throw new StreamError('TRACE_INVALID', {
      message: `A step of the trace names channel ${number}, but the trace has ${this.#channels.length} channels.`,
      hint: 'Channels count from 0.',
    })
  }
}
