/**
 * Hosts the checkpoint coordinator and the actors of its pending checkpoints: holds timers and promises, and hands work
 * over to the rest of the runtime. It decides nothing about checkpoints.
 */
import { checkpointCoordinator, isSettled, latestCompleted } from '#machines/checkpoint-coordinator'
import type {
  CheckpointKind,
  Completed,
  CoordinatorFact,
  CoordinatorInput,
  CoordinatorOrder,
  EndStatus,
  Json,
  SavepointOptions,
  TaskAttempt,
} from '#machines/checkpoint-coordinator-vocabulary'
import { StreamError } from '../../base/errors.ts'
import type { Cause } from './causes.ts'
import { failureOf, jobFailure, requestFailure } from './checkpoint-failures.ts'
import { begun, type CheckpointWork } from './checkpoint-work.ts'
import { hostChart } from './host-chart.ts'
import { NamedTimers } from './named-timers.ts'
import { hostPendingCheckpoint, type PendingCheckpoint } from './pending-checkpoint.ts'

export interface TriggerOptions {
  readonly kind: CheckpointKind
  /** Of a savepoint. */
  readonly targetDirectory?: string | undefined
  readonly full?: boolean | undefined
  /** Of a savepoint. Reaches `snapshotCoordinators`, `triggerTasks` and `publish` as it is. */
  readonly options?: SavepointOptions | undefined
}

export interface Triggered {
  readonly checkpointId: number
  readonly handle: Json
  readonly path: string | null
}

type Told<Fact extends { readonly checkpointId: number }> = Omit<Fact, 'type' | 'atMs'>
type FactOf<Type extends CoordinatorFact['type']> = Extract<CoordinatorFact, { type: Type }>
type Unstamped<Fact> = Fact extends unknown ? Omit<Fact, 'atMs'> : never

export interface CheckpointCoordinator {
  /** Registered first, started after: what is told before waits. */
  start(): void
  /** Periodic checkpoints from now on; the first after `firstDelayMs`, or else after one interval. */
  startScheduler(firstDelayMs?: number): void
  /**
   * No periodic checkpoints any more; what is queued or pending is given up. Resolves when nothing can complete any
   * more of what was triggered before: a savepoint that is triggered then is the next to complete.
   */
  stopScheduler(): Promise<void>
  /** Resolves when it is complete, else rejects with CHECKPOINT_FAILED. Never an unhandled rejection. */
  trigger(options: TriggerOptions): Promise<Triggered>
  acknowledge(told: Told<FactOf<'task.acknowledged'>>): void
  decline(
    told: {
      readonly checkpointId: number
      readonly reason: string
      readonly message: string
      /** What was thrown there; null: nothing was. */
      readonly cause: Cause | null
    } & TaskAttempt,
  ): void
  taskFailed(task: TaskAttempt & { readonly message: string }): void
  /** Pending checkpoints that it has not acknowledged are given up; that counts as no failure. */
  taskFinished(task: TaskAttempt): void
  /** Before anything is restored: everything pending is given up. Resolves when `latestCompleted` is what to restore. */
  failOver(): Promise<void>
  backlogChanged(source: string, backlog: boolean): void
  /** Deletions that the coordinator did not order began or ended: leftovers found at the start. */
  discardsStarted(count: number): void
  discardsFinished(count: number): void
  latestCompleted(): Completed | undefined
  /** What the store holds, oldest first. */
  completed(): readonly Completed[]
  /**
   * Nothing is triggered any more and everything pending is given up; the retention policy is applied. Resolves when
   * what was being made durable is settled and everything that goes is deleted.
   */
  shutDown(jobStatus: EndStatus): Promise<void>
}

interface Asker {
  resolve(triggered: Triggered): void
  reject(error: StreamError): void
}

export function hostCheckpointCoordinator(
  id: string,
  input: CoordinatorInput,
  work: CheckpointWork,
): CheckpointCoordinator {
  const pending = new Map<number, PendingCheckpoint>()
  const askers = new Map<number, Asker>()
  let requests = 0
  /** Set once, by a defect: the chart takes no fact any more. */
  let broken: StreamError | undefined
  let waiting: { readonly until: () => boolean; readonly asker: { resolve(): void; reject(error: Error): void } }[] = []
  const timers = new NamedTimers(work.clock, (name) => send({ type: 'timer.fired', name }))
  const now = () => work.clock.monotonic()
  const send = (fact: Unstamped<CoordinatorFact>) => host.send({ ...fact, atMs: now() } as CoordinatorFact)

  const obey = (order: CoordinatorOrder) => {
    switch (order.type) {
      case 'startTimer':
        return timers.start(order.name, order.delayMs)
      case 'cancelTimer':
        return timers.cancel(order.name)
      case 'makePlan':
        return makePlan(order.kind)
      case 'startPending': {
        const { type: _, ...start } = order
        const actor = hostPendingCheckpoint(start, {
          id: `${id}/checkpoint-${order.checkpointId}`,
          work,
          tell: (fact) => host.send(fact),
          failed,
        })
        pending.set(order.checkpointId, actor)
        return actor.start()
      }
      case 'snapshotCoordinators':
        return snapshotCoordinators(order)
      case 'acknowledgeCoordinators':
        return pending.get(order.checkpointId)?.send({ type: 'coordinators.acknowledged', snapshots: order.snapshots })
      case 'triggerTasks':
        return work.triggerTasks(order)
      case 'finalizeCheckpoint':
        return pending.get(order.checkpointId)?.send({ type: 'finalization.granted' })
      case 'abortPending':
        return pending
          .get(order.checkpointId)
          ?.send({ type: 'abort.ordered', reason: order.reason, message: order.message })
      case 'releasePending':
        return release(order.checkpointId)
      case 'notifyComplete':
        return work.notifyComplete(order)
      case 'notifyAborted':
        return work.notifyAborted(order)
      case 'discardCheckpoint':
        return discard(
          `checkpoint ${order.checkpointId}`,
          () => work.discardCheckpoint(order),
          () => send({ type: 'discards.finished', count: 1 }),
        )
      case 'discardHandles':
        return discard(
          `late state of subtask ${order.task} for checkpoint ${order.checkpointId}`,
          () => work.discardHandles(order),
          () => {},
        )
      case 'answerAcknowledgement':
        return work.acknowledged?.(order)
      case 'readStore':
        return readStore()
      case 'failJob':
        return work.failJob(jobFailure(order, work.causes))
      case 'answerRequest':
        askers
          .get(order.requestId)
          ?.resolve({ checkpointId: order.checkpointId, handle: order.handle, path: order.path })
        askers.delete(order.requestId)
        return
      case 'rejectRequest':
        askers.get(order.requestId)?.reject(requestFailure(order))
        askers.delete(order.requestId)
        return
      case 'report':
        return work.report(order.event)
      default:
        return order satisfies never
    }
  }

  /** Nothing is addressed to it any more; what waits there already, its abort for one, is still dealt with. */
  function release(checkpointId: number): void {
    const actor = pending.get(checkpointId)
    pending.delete(checkpointId)
    void Promise.resolve(actor).then((released) => released?.release())
  }

  function makePlan(kind: CheckpointKind): void {
    try {
      const plan = work.plan(kind)
      if ('reason' in plan) send({ type: 'plan.failed', ...plan })
      else send({ type: 'plan.made', ...plan, timestamp: work.clock.now() })
    } catch (thrown) {
      const { reason, message } = failureOf(thrown, 'IO_EXCEPTION')
      send({ type: 'plan.failed', reason, message })
    }
  }

  function snapshotCoordinators(checkpoint: Parameters<CheckpointWork['snapshotCoordinators']>[0]): void {
    const { checkpointId } = checkpoint
    begun(() => work.snapshotCoordinators(checkpoint)).then(
      (snapshots) => send({ type: 'coordinators.acknowledged', checkpointId, snapshots }),
      (thrown: unknown) => {
        const { reason, message } = failureOf(thrown, 'TRIGGER_CHECKPOINT_FAILURE')
        send({ type: 'coordinators.failed', checkpointId, reason, message })
      },
    )
  }

  function readStore(): void {
    begun(() => work.readStore()).then(
      (completed) => send({ type: 'store.read', completed }),
      (thrown: unknown) => send({ type: 'store.notRead', message: failureOf(thrown, 'IO_EXCEPTION').message }),
    )
  }

  /** Always answered: what could not be deleted is no longer being deleted either. */
  function discard(what: string, discarding: () => Promise<void>, done: () => void): void {
    begun(discarding)
      .catch((thrown: unknown) => work.logger.warn(`Could not delete ${what}: ${String(thrown)}`))
      .then(done)
  }

  /** The chart or a host is broken: nobody waits for it in vain. */
  function failed(cause: Error): void {
    timers.cancelAll()
    for (const actor of pending.values()) actor.release()
    broken = StreamError.is(cause)
      ? cause
      : new StreamError('INTERNAL', { message: `The checkpoint coordinator ${id} broke: ${cause.message}`, cause })
    for (const asker of [...askers.values(), ...waiting.map((one) => one.asker)]) asker.reject(broken)
    askers.clear()
    waiting = []
    work.failJob(work.causes.of(broken, 'INTERNAL'))
  }

  const host = hostChart(checkpointCoordinator, {
    id,
    input,
    obey,
    failed,
    permit() {
      const due = waiting.filter((one) => one.until())
      waiting = waiting.filter((one) => !due.includes(one))
      for (const one of due) one.asker.resolve()
    },
    ...(work.tap && { tap: work.tap }),
  })

  const wait = async (condition: () => boolean): Promise<void> => {
    // Told while a fact is dealt with, the fact that this is about still waits: it comes before the next microtask.
    await undefined
    if (broken !== undefined) throw broken
    if (!condition())
      await new Promise<void>((resolve, reject) => waiting.push({ until: condition, asker: { resolve, reject } }))
  }
  const until = (condition: () => boolean) => handled(wait(condition))
  const settled = () => until(() => isSettled(host.snapshot()))
  const isGone = () => host.snapshot().matches('shutDown') && host.snapshot().context.cleaning === 0

  return {
    start: () => host.start(),
    startScheduler: (firstDelayMs) => send({ type: 'scheduler.started', firstDelayMs: firstDelayMs ?? null }),
    stopScheduler() {
      send({ type: 'scheduler.stopped' })
      return settled()
    },
    trigger({ kind, targetDirectory, full, options }) {
      if (broken !== undefined) return handled(Promise.reject(broken))
      const requestId = ++requests
      const triggered = new Promise<Triggered>((resolve, reject) => askers.set(requestId, { resolve, reject }))
      send({
        type: 'checkpoint.requested',
        requestId,
        kind,
        targetDirectory: targetDirectory ?? null,
        full: full ?? false,
        options: options ?? null,
      })
      return handled(triggered)
    },
    acknowledge({ checkpointId, task, attempt, handles }) {
      const actor = pending.get(checkpointId)
      if (actor === undefined) send({ type: 'task.acknowledged', checkpointId, task, attempt, handles })
      else actor.send({ type: 'task.acknowledged', task, attempt, handles })
    },
    decline({ checkpointId, task, attempt, reason, message, cause }) {
      pending.get(checkpointId)?.send({ type: 'task.declined', task, attempt, reason, message, cause })
    },
    taskFailed({ task, attempt, message }) {
      for (const actor of [...pending.values()]) actor.send({ type: 'task.failed', task, attempt, message })
    },
    taskFinished({ task, attempt }) {
      for (const actor of [...pending.values()]) actor.send({ type: 'task.finished', task, attempt })
    },
    failOver() {
      send({ type: 'job.failedOver' })
      return settled()
    },
    backlogChanged: (source, backlog) => send({ type: 'backlog.changed', source, backlog }),
    discardsStarted: (count) => send({ type: 'discards.started', count }),
    discardsFinished: (count) => send({ type: 'discards.finished', count }),
    latestCompleted: () => latestCompleted(host.snapshot()),
    completed: () => host.snapshot().context.completed,
    shutDown(jobStatus) {
      send({ type: 'coordinator.shutDown', jobStatus })
      return until(isGone)
    },
  }
}

/** The promise itself: whoever drops it causes no unhandled rejection. */
function handled<Result>(promise: Promise<Result>): Promise<Result> {
  promise.catch(() => {})
  return promise
}
