/**
 * What a subtask's surroundings can send to an alignment chart: channels that keep their order and may skip ids, a
 * coordinator that triggers and aborts, a task that answers. Bounded, so that a walk ends. And the real host, driven so
 * that its own answers come exactly when a path says so.
 */
import type { Alignment, AlignmentFact, AlignmentOrder, Barrier, Permission } from '#machines/alignment-vocabulary'
import { type AlignmentHost, hostAlignment } from '../../src/runtime/control/barrier-alignment.ts'

export interface Surroundings {
  /** By channel: the highest id that came through it, or ENDED. */
  readonly passed: readonly number[]
  readonly triggered: number
  readonly aborted: readonly number[]
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
}

const ENDED = 99
export const REFUSED = { reason: 'CHECKPOINT_DECLINED', message: 'refused' } as const

export function surroundings({ channels }: Bounds): Surroundings {
  return { passed: Array<number>(channels).fill(-1), triggered: -1, aborted: [] }
}

export function barrier(checkpointId: number, kind: Barrier['kind'] = 'checkpoint'): Barrier {
  return { checkpointId, timestamp: 0, kind, mode: 'aligned' }
}

interface Chart {
  readonly value: unknown
  readonly context: Pick<Alignment, 'held' | 'due' | 'deferred'>
}

export function alignmentFacts(bounds: Bounds) {
  const { ids } = bounds
  return ({ value, context }: Chart, now: Surroundings) => {
    const moves: { readonly fact: AlignmentFact; readonly environment: Surroundings }[] = []
    const add = (fact: AlignmentFact, after: Partial<Surroundings> = {}) =>
      moves.push({ fact, environment: { ...now, ...after } })
    const atMs = 0
    if (value === 'waiting' || bounds.unruly === true)
      for (let channel = 0; channel < bounds.channels; channel++) {
        if (context.held[channel] || now.passed[channel] === ENDED) continue
        if (context.deferred.some((fact) => 'channel' in fact && fact.channel === channel)) continue
        const passes = (id: number) => ({ passed: now.passed.with(channel, id) })
        for (const checkpointId of ids.filter((id) => id > (now.passed[channel] as number))) {
          const arrived = barrier(checkpointId, bounds.kind)
          add({ type: 'barrier.arrived', channel, barrier: arrived, atMs }, passes(checkpointId))
          add({ type: 'cancellation.arrived', channel, checkpointId, atMs }, passes(checkpointId))
        }
        add({ type: 'partition.ended', channel, atMs }, passes(ENDED))
      }
    if (bounds.aborts === true)
      for (const checkpointId of ids.filter((id) => !now.aborted.includes(id)))
        add({ type: 'checkpoint.aborted', checkpointId, atMs }, { aborted: [...now.aborted, checkpointId].sort() })
    if (bounds.triggers === true)
      for (const checkpointId of ids.filter((id) => id > now.triggered))
        add({ type: 'checkpoint.triggered', barrier: barrier(checkpointId), atMs }, { triggered: checkpointId })
    const checkpointId = context.due?.barrier.checkpointId ?? -1
    if (value === 'aligned') {
      add({ type: 'operators.prepared', checkpointId, atMs })
      add({ type: 'operators.notPrepared', checkpointId, ...REFUSED, atMs })
    }
    if (value === 'snapshotting') {
      add({ type: 'snapshot.taken', checkpointId, atMs })
      add({ type: 'snapshot.failed', checkpointId, ...REFUSED, atMs })
    }
    add({ type: 'input.closed', atMs })
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

  constructor(mode: 'EXACTLY_ONCE' | 'AT_LEAST_ONCE', { channels, checkpointsAfterTasksFinish }: Bounds) {
    const note = (order: AlignmentOrder) => void this.#orders.push(order)
    const later = (to: 'operators' | 'snapshot') =>
      new Promise<void>((done, refuse) => {
        this.#answer = { to, done, refuse }
      })
    this.host = hostAlignment({
      id: 'model/alignment',
      mode,
      channels,
      checkpointsAfterTasksFinish,
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
        nowMs: () => 0,
        failed: (cause) => {
          throw cause
        },
      },
    })
    this.host.start()
  }

  async perform(fact: AlignmentFact): Promise<void> {
    this.#orders = []
    switch (fact.type) {
      case 'operators.prepared':
      case 'snapshot.taken':
        await this.#settle((answer) => answer.done())
        break
      case 'operators.notPrepared':
      case 'snapshot.failed':
        await this.#settle((answer) => answer.refuse(new Error(REFUSED.message)))
        break
      default:
        this.host.send(fact)
    }
    this.seen.push({ fact, orders: this.#orders, permission: this.#permission, waitsFor: this.#answer?.to })
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
