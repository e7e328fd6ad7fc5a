/**
 * What a subtask's surroundings can send to an alignment chart: channels that keep their order and may skip ids, a
 * coordinator that triggers and aborts, a task that answers. Bounded, so that a walk ends. And the real host, driven so
 * that its own answers come exactly when a path says so.
 */
import {
  type Alignment,
  type AlignmentFact,
  type AlignmentOrder,
  type Barrier,
  type Permission,
  permission,
} from '#machines/alignment-vocabulary'
import type { UntimedFact } from '../../src/runtime/control/alignment-work.ts'
import { type AlignmentHost, hostAlignment, type UnalignedDeps } from '../../src/runtime/control/barrier-alignment.ts'

export interface Surroundings {
  /** By channel: the highest id that came through it, or ENDED. */
  readonly passed: readonly number[]
  readonly triggered: number
  readonly aborted: readonly number[]
  /** By channel: the barriers that lie in its queue and were announced. */
  readonly announced: readonly (readonly number[])[]
  readonly atMs: number
}

export interface Bounds {
  readonly channels: number
  readonly ids: readonly number[]
  readonly checkpointsAfterTasksFinish: boolean
  /** Left out: checkpoints. */
  readonly kind?: Barrier['kind'] | undefined
  /** The coordinator gives checkpoints up. */
  readonly aborts?: boolean | undefined
  /** The coordinator triggers directly. */
  readonly triggers?: boolean | undefined
  /** A channel still delivers one element although the subtask stands still already. */
  readonly unruly?: boolean | undefined
  /** Barriers may overtake. By channel: as what they come; they are announced where they are timeoutable. */
  readonly modes?: readonly (readonly Barrier['mode'][])[] | undefined
  /** Of `modes`: how long barriers may be aligned. */
  readonly alignedTimeoutMs?: number | undefined
  /** Every fact may come now, or when that time is over. */
  readonly late?: boolean | undefined
}

const ENDED = 99
/** Of a checkpoint that was triggered at 0. */
const TOO_LATE = 11
export const REFUSED = { reason: 'CHECKPOINT_DECLINED', message: 'refused' } as const

export function surroundings({ channels }: Bounds): Surroundings {
  return {
    passed: Array<number>(channels).fill(-1),
    triggered: -1,
    aborted: [],
    announced: Array<readonly number[]>(channels).fill([]),
    atMs: 0,
  }
}

function barrier(checkpointId: number, kind: Barrier['kind'] = 'checkpoint', mode: Barrier['mode'] = 'aligned') {
  return { checkpointId, timestamp: 0, kind, mode } satisfies Barrier
}

interface Chart {
  readonly value: unknown
  readonly context: Pick<Alignment, 'held' | 'due' | 'deferred'> & { readonly pending?: unknown }
}

/** Of which checkpoint the timer is armed, as the chart has it. */
export function timedId({ pending }: { readonly pending?: unknown }): number | undefined {
  const followed = pending as { readonly barrier?: Barrier } | null | undefined
  return followed?.barrier?.mode === 'timeoutable' ? followed.barrier.checkpointId : undefined
}

export function alignmentFacts(bounds: Bounds) {
  const { ids, kind } = bounds
  return (chart: Chart, now: Surroundings) => {
    const { value, context } = chart
    const moves: { readonly fact: AlignmentFact; readonly environment: Surroundings }[] = []
    const times = bounds.late === true ? [...new Set([now.atMs, TOO_LATE])] : [now.atMs]
    const add = (fact: UntimedFact, after: Partial<Surroundings> = {}) => {
      for (const atMs of times) moves.push({ fact: { ...fact, atMs }, environment: { ...now, ...after, atMs } })
    }
    if (!permission(chart).standstill || (bounds.unruly === true && value !== 'closed'))
      for (let channel = 0; channel < bounds.channels; channel++) {
        if (context.held[channel] || now.passed[channel] === ENDED) continue
        if (context.deferred.some((fact) => 'channel' in fact && fact.channel === channel)) continue
        const passed = now.passed[channel] as number
        const waiting = now.announced[channel] as readonly number[]
        const passes = (id: number) => ({
          passed: now.passed.with(channel, Math.max(passed, id)),
          announced: now.announced.with(
            channel,
            waiting.filter((other) => other !== id),
          ),
        })
        const arrives = (id: number, mode: Barrier['mode'] | undefined) => {
          const sequence = mode === undefined ? undefined : 10 * id
          add({ type: 'barrier.arrived', channel, barrier: barrier(id, kind, mode), sequence }, passes(id))
        }
        const modes = bounds.modes?.[channel]
        for (const checkpointId of ids.filter((id) => id > Math.max(passed, ...waiting))) {
          if (waiting.length === 0) {
            for (const mode of modes ?? [undefined]) arrives(checkpointId, mode)
            add({ type: 'cancellation.arrived', channel, checkpointId }, passes(checkpointId))
          }
          if (modes?.includes('timeoutable') === true)
            add(
              {
                type: 'announcement.arrived',
                channel,
                barrier: barrier(checkpointId, kind, 'timeoutable'),
                sequence: 10 * checkpointId,
              },
              { announced: now.announced.with(channel, [...waiting, checkpointId]) },
            )
        }
        // The first one comes when what lies before it is read; each may be made to overtake.
        for (const id of waiting.slice(0, 1)) arrives(id, 'timeoutable')
        for (const id of waiting) arrives(id, 'unaligned')
        if (waiting.length === 0) add({ type: 'partition.ended', channel }, passes(ENDED))
      }
    if (bounds.aborts === true)
      for (const checkpointId of ids.filter((id) => !now.aborted.includes(id)))
        add({ type: 'checkpoint.aborted', checkpointId }, { aborted: [...now.aborted, checkpointId].sort() })
    if (bounds.triggers === true)
      for (const checkpointId of ids.filter((id) => id > now.triggered))
        add({ type: 'checkpoint.triggered', barrier: barrier(checkpointId) }, { triggered: checkpointId })
    const timed = timedId(context)
    if (timed !== undefined) add({ type: 'timeout.passed', checkpointId: timed })
    const checkpointId = context.due?.barrier.checkpointId ?? -1
    if (value === 'aligned') {
      add({ type: 'operators.prepared', checkpointId })
      add({ type: 'operators.notPrepared', checkpointId, ...REFUSED })
    }
    if (value === 'snapshotting') {
      add({ type: 'snapshot.taken', checkpointId })
      add({ type: 'snapshot.failed', checkpointId, ...REFUSED })
    }
    add({ type: 'input.closed' })
    return moves
  }
}

/** One step of a replay as the task of the subtask saw it. */
export interface SeenStep {
  readonly fact: AlignmentFact
  readonly orders: readonly AlignmentOrder[]
  readonly permission: Permission
  /** Which of the host's two questions is unanswered. */
  readonly waitsFor: 'operators' | 'snapshot' | undefined
  readonly pendingIds: readonly number[]
}

interface Answer {
  readonly to: 'operators' | 'snapshot'
  done(): void
  refuse(cause: Error): void
}

/** The real host with a task that answers when it is told to. */
export class SlowTask {
  readonly seen: SeenStep[] = []
  readonly host: AlignmentHost
  #orders: AlignmentOrder[] = []
  #permission: Permission = { standstill: true, held: [] }
  #answer: Answer | undefined
  #timer: (() => void) | undefined
  #nowMs = 0

  constructor(mode: 'EXACTLY_ONCE' | 'AT_LEAST_ONCE', bounds: Bounds) {
    const note = (order: AlignmentOrder) => void this.#orders.push(order)
    const later = (to: 'operators' | 'snapshot') =>
      new Promise<void>((done, refuse) => {
        this.#answer = { to, done, refuse }
      })
    this.host = hostAlignment({
      id: 'model/alignment',
      mode,
      channels: bounds.channels,
      checkpointsAfterTasksFinish: bounds.checkpointsAfterTasksFinish,
      alignedTimeoutMs: bounds.alignedTimeoutMs,
      unaligned: bounds.modes && this.#overtaking(note),
      deps: {
        permit: (permission) => {
          this.#permission = permission
        },
        prepareOperators: (barrier) => {
          note({ type: 'prepareOperators', barrier })
          return later('operators')
        },
        takeSnapshot: ({ barrier, alignmentMs, startDelayMs }) => {
          note({ type: 'takeSnapshot', barrier, alignmentMs, startDelayMs })
          return later('snapshot')
        },
        forwardBarrier: (barrier) => note({ type: 'forwardBarrier', barrier }),
        declined: (refusal) => note({ type: 'abortCheckpoint', ...refusal }),
        forwardCancellation: (checkpointId) => note({ type: 'forwardCancellation', checkpointId }),
        causeOf: () => undefined,
        startMeasuring: (checkpointId) => note({ type: 'startMeasuring', checkpointId }),
        endMeasuring: (checkpointId) => note({ type: 'endMeasuring', checkpointId }),
        nowMs: () => this.#nowMs,
        failed: (cause) => {
          throw cause
        },
      },
    })
    this.host.start()
  }

  async perform(fact: AlignmentFact): Promise<void> {
    this.#orders = []
    this.#nowMs = fact.atMs
    switch (fact.type) {
      case 'operators.prepared':
      case 'snapshot.taken':
        await this.#settle((answer) => answer.done())
        break
      case 'operators.notPrepared':
      case 'snapshot.failed':
        await this.#settle((answer) => answer.refuse(new Error(REFUSED.message)))
        break
      case 'timeout.passed':
        this.#fire()
        break
      default:
        this.host.send(fact)
    }
    this.seen.push({
      fact,
      orders: this.#orders,
      permission: this.#permission,
      waitsFor: this.#answer?.to,
      pendingIds: this.host.pendingIds(),
    })
  }

  /** Whether the timer of the host runs. */
  get timed(): boolean {
    return this.#timer !== undefined
  }

  #overtaking(note: (order: AlignmentOrder) => void): UnalignedDeps {
    return {
      clock: {
        setTimer: (_, fired) => {
          this.#timer = fired
          return {
            cancel: () => {
              if (this.#timer === fired) this.#timer = undefined
            },
          }
        },
      },
      prioritiseBarrier: (channel, sequence) =>
        note({ type: 'prioritiseBarrier', checkpointId: sequence / 10, channel, sequence }),
      startCapture: (checkpointId, channels) => note({ type: 'startCapture', checkpointId, channels }),
      endChannelCapture: (checkpointId, channel, upTo) =>
        note({ type: 'endChannelCapture', checkpointId, channel, upTo }),
      finishCapture: (checkpointId, alignmentMs) => note({ type: 'finishCapture', checkpointId, alignmentMs }),
      dropCapture: (checkpointId) => note({ type: 'dropCapture', checkpointId }),
    }
  }

  #fire(): void {
    const fired = this.#timer
    if (fired === undefined) throw new Error('the path lets a timer fire that the host has not set')
    this.#timer = undefined
    fired()
  }

  async #settle(act: (answer: Answer) => void): Promise<void> {
    const answer = this.#answer
    if (answer === undefined) throw new Error('the path answers a question that the host has not asked')
    this.#answer = undefined
    act(answer)
    await Promise.resolve()
    await Promise.resolve()
  }
}
