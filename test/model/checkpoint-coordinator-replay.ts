/**
 * Drives the real coordinator and its pending checkpoints so that exactly the given facts reach the chart, each by the
 * way on which it arises in earnest: a call, a timer, or a promise that settles. One task, 'a', takes part.
 */
import type {
  CheckpointEvent,
  CoordinatorFact,
  CoordinatorInput,
  Json,
} from '#machines/checkpoint-coordinator-vocabulary'
import { type ErrorText, StreamError } from '../../src/base/errors.ts'
import { silentLogger } from '../../src/base/logger.ts'
import { eventLoopTurns } from '../../src/base/turns.ts'
import { VirtualClock } from '../../src/base/virtual-clock.ts'
import { causes } from '../../src/runtime/control/causes.ts'
import { hostCheckpointCoordinator } from '../../src/runtime/control/checkpoint-coordinator.ts'
import type { CheckpointWork, Published } from '../../src/runtime/control/checkpoint-work.ts'
import type { ChartStep } from '../../src/runtime/control/host-chart.ts'

export const task = { task: 'a', attempt: 0 }

interface Deferred<Value> {
  readonly promise: Promise<Value>
  resolve(value: Value): void
  reject(error: StreamError): void
}

function deferred<Value>(): Deferred<Value> {
  let resolve: (value: Value) => void = () => {}
  let reject: (error: StreamError) => void = () => {}
  const promise = new Promise<Value>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
}

export async function replayFacts(input: CoordinatorInput, facts: readonly CoordinatorFact[]) {
  const clock = new VirtualClock()
  const turns = eventLoopTurns()
  const journal: ChartStep[] = []
  const events: CheckpointEvent[] = []
  const told: string[] = []
  const answers: string[] = []
  const snapshots = new Map<number, Deferred<Json>>()
  const publications = new Map<number, Deferred<Published>>()
  const discards: Deferred<void>[] = []
  let store: Deferred<CoordinatorInput['completed']> | undefined
  let next = 0

  const keep = <Key, Value>(map: Map<Key, Deferred<Value>>, key: Key) => {
    const kept = deferred<Value>()
    map.set(key, kept)
    return kept.promise
  }
  const discard = () => {
    const kept = deferred<void>()
    discards.push(kept)
    return kept.promise
  }
  const work: CheckpointWork = {
    clock,
    logger: silentLogger,
    causes: causes(),
    tap: { stepped: (step) => void (step.machine === 'checkpointCoordinator' && journal.push(step)) },
    plan() {
      // What comes before the plan was waiting already when it was asked for.
      while (facts[next] !== undefined && !facts[next]?.type.startsWith('plan.'))
        drive(facts[next++] as CoordinatorFact)
      const nextPlan = facts[next++]
      if (nextPlan?.type === 'plan.failed') return { reason: nextPlan.reason, message: nextPlan.message }
      const notRunning = nextPlan?.type === 'plan.made' ? nextPlan.notRunning : []
      return { trigger: [task], waitFor: [task], commitTo: [task], finished: [], notRunning }
    },
    snapshotCoordinators: ({ checkpointId }) => keep(snapshots, checkpointId),
    triggerTasks: ({ barrier }) => told.push(`trigger ${barrier.checkpointId}`),
    triggerTasksBehind: ({ barrier }) => told.push(`trigger behind ${barrier.checkpointId}`),
    notifyComplete: ({ checkpointId }) => told.push(`complete ${checkpointId}`),
    notifyAborted: ({ checkpointId }) => told.push(`aborted ${checkpointId}`),
    publish: ({ checkpointId }) => keep(publications, checkpointId),
    readStore() {
      store = deferred()
      return store.promise
    },
    discardCheckpoint: discard,
    discardPending: discard,
    discardHandles: async () => {},
    failJob: ({ code }) => void told.push(`failJob ${code}`),
    report: (event) => void events.push(event),
  }
  const coordinator = hostCheckpointCoordinator('job/coordinator', input, work)
  coordinator.start()

  const cause = (text: { readonly reason: string; readonly message: string }, details: ErrorText['details'] = {}) =>
    new StreamError('INTERNAL', { message: text.message, details: { reason: text.reason, ...details } })
  const drive = (fact: CoordinatorFact) => {
    switch (fact.type) {
      case 'scheduler.started':
        return coordinator.startScheduler(fact.firstDelayMs ?? undefined)
      case 'scheduler.stopped':
        return void coordinator.stopScheduler()
      case 'timer.fired':
        return clock.advance(0)
      case 'backlog.changed':
        return coordinator.backlogChanged(fact.source, fact.backlog)
      case 'checkpoint.requested':
        return void coordinator.trigger({ kind: fact.kind, full: fact.full }).then(
          ({ checkpointId }) => answers.push(`${fact.requestId} is ${checkpointId}`),
          (error: StreamError) => answers.push(`${fact.requestId} fails: ${error.details.reason}`),
        )
      case 'plan.made':
      case 'plan.failed':
        return // The host has told of it when it was asked.
      case 'coordinators.acknowledged':
        return snapshots.get(fact.checkpointId)?.resolve(fact.snapshots)
      case 'coordinators.failed':
        return snapshots.get(fact.checkpointId)?.reject(cause(fact))
      case 'pending.acknowledged':
      case 'task.acknowledged':
        return coordinator.acknowledge({ checkpointId: fact.checkpointId, ...task, handles: null })
      case 'pending.completed':
        return publications.get(fact.checkpointId)?.resolve(fact)
      case 'pending.aborted':
        if (fact.reason === 'CHECKPOINT_EXPIRED') return clock.advance(0)
        if (fact.reason === 'TASK_FAILURE') return coordinator.taskFailed({ ...task, message: fact.message })
        if (fact.reason === 'FINALIZE_CHECKPOINT_FAILURE')
          return publications.get(fact.checkpointId)?.reject(cause(fact, { visible: fact.visible }))
        return coordinator.decline({
          checkpointId: fact.checkpointId,
          ...task,
          reason: fact.reason,
          message: fact.message,
          cause: fact.cause,
        })
      case 'job.failedOver':
        return void coordinator.failOver()
      case 'discards.started':
        return coordinator.discardsStarted(fact.count)
      case 'discards.finished': {
        const due = discards.shift()
        return due === undefined ? coordinator.discardsFinished(fact.count) : due.resolve()
      }
      case 'store.read':
        return store?.resolve(fact.completed)
      case 'store.notRead':
        return store?.reject(new StreamError('FILE_ERROR', { message: fact.message }))
      case 'coordinator.shutDown':
        return void coordinator.shutDown(fact.jobStatus)
      default:
        return fact satisfies never
    }
  }
  while (next < facts.length) {
    const fact = facts[next++] as CoordinatorFact
    clock.skip(fact.atMs - clock.now())
    drive(fact)
    await new Promise<void>((resolve) => turns.next(resolve))
  }
  return { coordinator, journal, events, told, answers }
}
