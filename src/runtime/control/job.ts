/**
 * Hosts the chart of a job: each of its orders becomes one call of `JobDeps`, each answer a fact. It holds the timers and
 * decides nothing.
 */
import {
  type FinalCheckpointOutcome,
  type JobFact,
  type JobInput,
  type JobOrder,
  type JobStatus,
  type JobTimer,
  jobHasEnded,
  jobStatus,
  job as machine,
} from '#machines/job'
import type { Clock, Timer } from '../../base/clock.ts'
import type { ErrorCode } from '../../base/error-codes.ts'
import type { Causes } from './causes.ts'
import { type ChartTap, hostChart } from './host-chart.ts'
import { whenDone } from './when-done.ts'

/** The order of that type, without its type. */
export type JobOrderOf<T extends JobOrder['type']> = Omit<Extract<JobOrder, { type: T }>, 'type'>

export interface JobDeps extends JobInput {
  /** Names the chart: `job`. */
  readonly id: string
  readonly clock: Clock
  readonly causes: Causes
  /** Called in the order of revisions, the next only when the last has settled. A rejection fails the job. */
  writeRecord(order: JobOrderOf<'writeRecord'>): void | Promise<void>
  /** Resolves with the id of the checkpoint whose state is at hand, null when the tasks start empty. */
  restoreState(order: JobOrderOf<'restoreState'>): number | null | Promise<number | null>
  deployTasks(order: JobOrderOf<'deployTasks'>): void
  /** May be ordered again, and when nothing was deployed. */
  cancelTasks(order: JobOrderOf<'cancelTasks'>): void
  /** Answer with `restart.granted` or `restart.denied` of the same attempt. */
  askRestart(order: JobOrderOf<'askRestart'>): void
  recordFailure(order: JobOrderOf<'recordFailure'>): void
  startScheduler(order: JobOrderOf<'startScheduler'>): void
  /** Resolves with what became of it. A rejection is one that failed: the next periodic checkpoint serves as well. */
  triggerFinalCheckpoint(
    order: JobOrderOf<'triggerFinalCheckpoint'>,
  ): FinalCheckpointOutcome | Promise<FinalCheckpointOutcome>
  stopScheduler(): void
  /** Somebody may go on to end the job with a savepoint, or may not. */
  admitStop(): void
  refuseStop(): void
  /** It does not come to that: what becomes of the job is the answer. */
  overtakeStop(): void
  /** From here on the job ends with it. */
  reportSealed(order: JobOrderOf<'reportSealed'>): void
  /** The record names it, or nothing of it may be committed. */
  confirmSeal(order: JobOrderOf<'confirmSeal'>): void
  denySeal(order: JobOrderOf<'denySeal'>): void
  /** Resolves with the id of the completed checkpoint. */
  takeSuspendCheckpoint(order: JobOrderOf<'takeSuspendCheckpoint'>): number | Promise<number>
  /** A rejection leaves the checkpoints and changes nothing else. */
  settleCheckpoints(order: JobOrderOf<'settleCheckpoints'>): void | Promise<void>
  /** Nothing is ordered after this. */
  endJob(order: JobOrderOf<'endJob'>): void
  /** The status has changed. Called before the orders that belong to the new one. */
  statusChanged?(status: JobStatus): void
  failed(cause: Error): void
  readonly tap?: ChartTap | undefined
}

export interface Job {
  start(): void
  send(fact: JobFact): void
  status(): JobStatus
  /** The newest attempt, from 1: that of the tasks that were deployed last, or are being prepared. */
  attempt(): number
  /** Of one task, by its place. */
  attemptOf(task: number): number
  /** The last order was given. */
  hasEnded(): boolean
  stop(): void
}

export function hostJob(deps: JobDeps): Job {
  const timers = new Map<JobTimer, Timer>()
  /** Records are written one after the other. */
  let writing: Promise<void> = Promise.resolve()
  let told: JobStatus = 'INITIALIZING'

  const failure = (thrown: unknown, code: ErrorCode) => ({
    cause: deps.causes.of(thrown, code),
    atMs: deps.clock.now(),
  })

  const host = hostChart(machine, {
    id: deps.id,
    input: { regions: deps.regions, retention: deps.retention, suspendsToCheckpoint: deps.suspendsToCheckpoint },
    permit(snapshot) {
      const status = jobStatus(snapshot)
      if (status === told) return
      told = status
      deps.statusChanged?.(status)
    },
    obey(order) {
      switch (order.type) {
        case 'writeRecord': {
          const { revision } = order
          writing = writing.then(() =>
            Promise.resolve()
              .then(() => deps.writeRecord(order))
              .then(
                () => host.send({ type: 'record.written', revision }),
                (thrown) => host.send({ type: 'record.notWritten', revision, ...failure(thrown, 'FILE_ERROR') }),
              ),
          )
          return
        }
        case 'restoreState':
          return whenDone(
            () => deps.restoreState(order),
            (checkpointId) => host.send({ type: 'state.restored', attempt: order.attempt, checkpointId }),
            (thrown) =>
              host.send({ type: 'state.notRestored', attempt: order.attempt, ...failure(thrown, 'FILE_ERROR') }),
          )
        case 'deployTasks':
          return deps.deployTasks(order)
        case 'cancelTasks':
          return deps.cancelTasks(order)
        case 'askRestart':
          return deps.askRestart(order)
        case 'recordFailure':
          return deps.recordFailure(order)
        case 'startTimer': {
          const { timer, attempt, delayMs } = order
          timers.get(timer)?.cancel()
          timers.set(
            timer,
            deps.clock.setTimer(delayMs, () => host.send({ type: 'timer.fired', timer, attempt })),
          )
          return
        }
        case 'stopTimer':
          return timers.get(order.timer)?.cancel()
        case 'startScheduler':
          return deps.startScheduler(order)
        case 'triggerFinalCheckpoint':
          return whenDone(
            () => deps.triggerFinalCheckpoint(order),
            (outcome) => host.send({ type: 'finalCheckpoint.ended', attempt: order.attempt, outcome }),
            // The coordinator has reported why.
            () => host.send({ type: 'finalCheckpoint.ended', attempt: order.attempt, outcome: 'failed' }),
          )
        case 'stopScheduler':
          return deps.stopScheduler()
        case 'takeSuspendCheckpoint':
          return whenDone(
            () => deps.takeSuspendCheckpoint(order),
            (checkpointId) => host.send({ type: 'suspension.checkpointed', attempt: order.attempt, checkpointId }),
            (thrown) =>
              host.send({
                type: 'suspension.notCheckpointed',
                attempt: order.attempt,
                ...failure(thrown, 'FILE_ERROR'),
              }),
          )
        case 'admitStop':
          return deps.admitStop()
        case 'refuseStop':
          return deps.refuseStop()
        case 'overtakeStop':
          return deps.overtakeStop()
        case 'reportSealed':
          return deps.reportSealed(order)
        case 'confirmSeal':
          return deps.confirmSeal(order)
        case 'denySeal':
          return deps.denySeal(order)
        case 'settleCheckpoints':
          return whenDone(
            () => deps.settleCheckpoints(order),
            () => host.send({ type: 'checkpoints.settled' }),
            // What could not be deleted is left: the record says that the job is over.
            () => host.send({ type: 'checkpoints.settled' }),
          )
        case 'endJob':
          return deps.endJob(order)
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
    status: () => jobStatus(host.snapshot()),
    attempt: () => host.snapshot().context.attempt,
    attemptOf: (task) => host.snapshot().context.attempts[task] as number,
    hasEnded: () => jobHasEnded(host.snapshot()),
    stop() {
      host.stop()
      for (const timer of timers.values()) timer.cancel()
    },
  }
}
