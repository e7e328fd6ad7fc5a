/**
 * Hosts the chart that ends a job with a savepoint: each of its orders becomes one call of `StopDeps`, each answer a fact.
 * It holds the promises of those who ask and decides nothing.
 */
import {
  isStopping,
  stopWithSavepoint as machine,
  type StopFact,
  type StopOrder,
  type StopRefusal,
  type StopRequest,
} from '#machines/stop-with-savepoint'
import type { Cause } from './causes.ts'
import { type ChartTap, hostChart } from './host-chart.ts'
import { whenDone } from './when-done.ts'

export type { StopRefusal }

/** What somebody asks for; the number of the request is this host's. */
export type StopWish = Omit<StopRequest, 'requestId'>

export interface StopDeps {
  /** Names the chart: `job/stop`. */
  readonly id: string
  /** Answer with `stop.admitted` or `stop.refused`. */
  askJob(): void
  /** Resolves when nothing can complete any more of what was triggered before. */
  stopScheduler(): Promise<void>
  /** Resolves with its path when it is complete. */
  triggerSavepoint(wish: StopWish): Promise<string>
  abandonStop(): void
  cancelJob(order: { readonly savepoint: string }): void
  failJob(order: { readonly cause: Cause }): void
  causeOf(thrown: unknown): Cause
  /** What whoever asked gets. */
  refusal(ends: StopWish['ends'], why: StopRefusal): Error
  /** The chart or this host is broken. */
  failed(cause: Error): void
  readonly tap?: ChartTap | undefined
}

type Answers =
  | 'stop.requested'
  | 'scheduler.stopped'
  | 'scheduler.notStopped'
  | 'savepoint.completed'
  | 'savepoint.failed'

/** What the job tells; the answers to the chart's orders are the host's own. */
export type StopNews = Exclude<StopFact, { readonly type: Answers }>

export interface StopHost {
  start(): void
  /** Resolves with the path of the savepoint when the job has ended with it. Never an unhandled rejection. */
  request(wish: StopWish): Promise<string>
  send(news: StopNews): void
  /** While it is, nobody else may have a checkpoint. */
  isUnderWay(): boolean
}

interface Asker {
  resolve(savepoint: string): void
  reject(error: Error): void
}

export function hostStopWithSavepoint(deps: StopDeps): StopHost {
  const askers = new Map<number, Asker>()
  let requests = 0

  const obey = (order: StopOrder) => {
    switch (order.type) {
      case 'askJob':
        return deps.askJob()
      case 'stopScheduler': {
        const { requestId } = order
        return whenDone(
          () => deps.stopScheduler(),
          () => host.send({ type: 'scheduler.stopped', requestId }),
          (thrown) => host.send({ type: 'scheduler.notStopped', requestId, cause: deps.causeOf(thrown) }),
        )
      }
      case 'triggerSavepoint': {
        const { type: _, requestId, ...wish } = order
        return whenDone(
          () => deps.triggerSavepoint(wish),
          (savepoint) => host.send({ type: 'savepoint.completed', requestId, savepoint }),
          (thrown) => host.send({ type: 'savepoint.failed', requestId, cause: deps.causeOf(thrown) }),
        )
      }
      case 'abandonStop':
        return deps.abandonStop()
      case 'cancelJob':
        return deps.cancelJob(order)
      case 'failJob':
        return deps.failJob(order)
      case 'answerStop':
        return take(order.requestId)?.resolve(order.savepoint)
      case 'rejectStop':
        return take(order.requestId)?.reject(deps.refusal(order.ends, order.why))
      default:
        return order satisfies never
    }
  }

  const take = (requestId: number): Asker | undefined => {
    const asker = askers.get(requestId)
    askers.delete(requestId)
    return asker
  }

  const host = hostChart(machine, {
    id: deps.id,
    input: undefined,
    obey,
    failed(cause) {
      for (const asker of askers.values()) asker.reject(cause)
      askers.clear()
      deps.failed(cause)
    },
    tap: deps.tap,
  })

  return {
    start: () => host.start(),
    request(wish) {
      const requestId = ++requests
      const answered = new Promise<string>((resolve, reject) => askers.set(requestId, { resolve, reject }))
      answered.catch(() => {})
      host.send({ type: 'stop.requested', requestId, ...wish })
      return answered
    },
    send: (news) => host.send(news),
    isUnderWay: () => isStopping(host.snapshot()),
  }
}
