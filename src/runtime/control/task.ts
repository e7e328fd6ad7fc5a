/**
 * Hosts the chart of one subtask in one attempt: each of its orders becomes one call of `TaskDeps`, each answer a fact. It
 * holds the timer of the cancellation and decides nothing.
 */
import { type DataEnd, task as machine, type TaskFact, type TaskInput, type TaskOrder } from '#machines/task'
import type { Clock, Timer } from '../../base/clock.ts'
import type { Cause } from './causes.ts'
import { type ChartTap, hostChart } from './host-chart.ts'
import { whenDone } from './when-done.ts'

type Work = void | Promise<void>
export type TaskReport = Omit<Extract<TaskOrder, { type: 'reportState' }>, 'type'>

export interface TaskDeps extends TaskInput {
  /** Names the chart: `job/count-0#1/task`. */
  readonly id: string
  readonly clock: Clock
  /** What was thrown, as plain data. */
  causeOf(thrown: unknown): Cause
  /** FINISHED, CANCELED and FAILED are told when nothing of the task runs any more. */
  reportState(report: TaskReport): void
  /** Makes the operators and the channels. */
  deploy(): Work
  /** Answers whether all operators of this subtask had finished. */
  restoreState(): { readonly finished: boolean } | Promise<{ readonly finished: boolean }>
  /** From the last operator of the chain to the first. */
  openOperators(): Work
  /** Settled when what the checkpoint held uncommitted is committed. */
  commitRestored(): Work
  /** Settled when the records that were in flight to this subtask are processed; no channel is read meanwhile. */
  processInFlight(): Work
  /** Channels and sources may be read from now on. */
  run(): void
  /**
   * Timers stop; where the data was drained finish() from first to last, without checkpointing the commits too; end of
   * data downstream.
   */
  finishOperators(end: DataEnd): Work
  /** Settled when downstream has taken out everything up to the end of the data. */
  drainOutput(): Work
  awaitFinalCheckpoint(): void
  /** `withEndOfData`: largest watermark and end of data come first, for no operator was opened to send them. */
  endPartitions(order: { readonly withEndOfData: boolean }): void
  /** Settled when all are closed and nothing of theirs is under way. */
  closeOperators(): Work
  /** Stops processing, cuts off what waits, closes what is open. Settled when nothing runs any more; what it throws is dropped. */
  disposeOperators(): Work
  failed(cause: Error): void
  readonly tap?: ChartTap | undefined
}

export interface Task {
  start(): void
  send(fact: TaskFact): void
  /** A user's function or the runtime threw. */
  fail(thrown: unknown): void
  snapshot(): { readonly value: unknown }
  stop(): void
}

export function hostTask(deps: TaskDeps): Task {
  let timer: Timer | undefined
  const fail = (thrown: unknown) => host.send({ type: 'task.failed', cause: deps.causeOf(thrown) })
  const answer = (work: () => Work, fact: TaskFact) => whenDone(work, () => host.send(fact), fail)
  const attempt = (call: () => void) => whenDone(call, () => {}, fail)

  const host = hostChart(machine, {
    id: deps.id,
    input: {
      task: deps.task,
      attempt: deps.attempt,
      finalCheckpoint: deps.finalCheckpoint,
      cancellationTimeoutMs: deps.cancellationTimeoutMs,
    },
    obey(order) {
      switch (order.type) {
        case 'reportState':
          return deps.reportState(order)
        case 'deploy':
          return answer(() => deps.deploy(), { type: 'task.deployed' })
        case 'restoreState':
          return whenDone(
            () => deps.restoreState(),
            ({ finished }) => host.send({ type: 'state.restored', finished }),
            fail,
          )
        case 'openOperators':
          return answer(() => deps.openOperators(), { type: 'operators.opened' })
        case 'commitRestored':
          return answer(() => deps.commitRestored(), { type: 'committables.committed' })
        case 'processInFlight':
          return answer(() => deps.processInFlight(), { type: 'inFlight.processed' })
        case 'run':
          return attempt(() => deps.run())
        case 'finishOperators':
          return answer(() => deps.finishOperators(order), { type: 'operators.finished' })
        case 'drainOutput':
          return answer(() => deps.drainOutput(), { type: 'output.drained' })
        case 'awaitFinalCheckpoint':
          return attempt(() => deps.awaitFinalCheckpoint())
        case 'endPartitions':
          return attempt(() => deps.endPartitions(order))
        case 'closeOperators':
          return answer(() => deps.closeOperators(), { type: 'operators.closed' })
        case 'disposeOperators': {
          const disposed = () => host.send({ type: 'operators.disposed' })
          return whenDone(() => deps.disposeOperators(), disposed, disposed)
        }
        case 'startTimer':
          timer = deps.clock.setTimer(order.delayMs, () => host.send({ type: 'timer.fired', timer: order.timer }))
          return
        case 'stopTimer':
          return timer?.cancel()
        default:
          return order satisfies never
      }
    },
    failed: deps.failed,
    tap: deps.tap,
  })

  return {
    start: () => host.start(),
    send: (fact) => host.send(fact),
    fail,
    snapshot: () => host.snapshot(),
    stop() {
      host.stop()
      timer?.cancel()
    },
  }
}
