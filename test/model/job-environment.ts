/** What may happen to a job of one or two tasks, in one region or two, in whatever order, with one restart; and its real host. */
import type { SnapshotFrom } from 'xstate'
import type { Cause } from '#machines/cause'
import { type JobFact, type JobInput, type JobOrder, job as machine } from '#machines/job'
import { StreamError } from '../../src/base/errors.ts'
import { VirtualClock } from '../../src/base/virtual-clock.ts'
import { causes } from '../../src/runtime/control/causes.ts'
import type { ChartStep } from '../../src/runtime/control/host-chart.ts'
import { hostJob } from '../../src/runtime/control/job.ts'
import { explore } from './explore.ts'

type Chart = SnapshotFrom<typeof machine>

export const again: Cause = { code: 'USER_FUNCTION_FAILED', message: 'boom', restartHelps: true, thrown: null }
export const final: Cause = { code: 'STATE_CORRUPT', message: 'no', restartHelps: false, thrown: null }
export const stuck: Cause = { code: 'TASK_CANCELLATION_TIMED_OUT', message: 'stuck', restartHelps: false, thrown: null }
const disk: Cause = { code: 'FILE_ERROR', message: 'full', restartHelps: true, thrown: null }
const atMs = 0

/** The state in one word: `running.working`. */
export function place(value: unknown): string {
  return typeof value === 'string'
    ? value
    : Object.entries(value as object)
        .map(([key, inner]) => `${key}.${place(inner)}`)
        .join()
}

export const isTerminal = (where: string) => /^(suspended|finished|failed|canceled)/.test(where)
export const isAlive = (state: string | undefined) =>
  !['CREATED', 'FINISHED', 'CANCELED', 'FAILED'].includes(state ?? 'CREATED')
const MOST_ATTEMPTS = 2
const MOST_RESTORES = 3

const mayAwait = (where: string) => where === 'running.working' || where === 'running.stopping'
/** All of it is on its way out, or over: nothing restarts any more. */
const isLeaving = (where: string) => isTerminal(where) || /^(failing|cancelling)|leaving$/.test(where)
/** Others run on meanwhile. */
const restarts = (where: string) => where === 'running.asking' || /^restarting.(waiting|restoring|asking)$/.test(where)

/** How many records have been answered: the disk answers in order. */
interface Environment {
  readonly written: number
}

function* possible({ value, context: c }: Chart, { written }: Environment): Generator<JobFact> {
  const where = place(value)
  const { attempt } = c
  const leaves = (task: number) => isLeaving(where) || (where.startsWith('restarting') && c.restarting[task])

  if (where === 'initializing') yield { type: 'job.initialized' }
  if (written < c.revision) {
    yield { type: 'record.written', revision: written + 1 }
    for (const cause of mayAwait(where) ? [disk, final] : [disk])
      yield { type: 'record.notWritten', revision: written + 1, cause, atMs }
  }
  if (where.endsWith('restoring')) {
    yield { type: 'state.restored', attempt, checkpointId: attempt === 1 ? null : 4 }
    for (const cause of [again, final]) yield { type: 'state.notRestored', attempt, cause, atMs }
  }
  for (const [task, state] of c.states.entries()) {
    if (!isAlive(state)) continue
    const its = { task, attempt: c.attempts[task] as number }
    yield { type: 'task.changed', ...its, state: 'FINISHED' }
    yield { type: 'task.failed', ...its, cause: again, atMs }
    if (leaves(task)) yield { type: 'task.changed', ...its, state: 'CANCELED' }
    const goesOn = mayAwait(where) || (restarts(where) && !c.restarting[task])
    if (goesOn && !c.awaitFinalCheckpoint[task]) yield { type: 'finalCheckpoint.awaited', ...its }
    if (task === 0) yield { type: 'task.failed', ...its, cause: leaves(task) ? stuck : final, atMs }
  }
  if (where.endsWith('asking')) {
    if (attempt < (where === 'restarting.asking' ? MOST_RESTORES : MOST_ATTEMPTS))
      yield { type: 'restart.granted', attempt, delayMs: 10 }
    yield { type: 'restart.denied', attempt, reason: 'used up' }
  }
  if (where === 'restarting.waiting' && !c.backoffOver) yield { type: 'timer.fired', timer: 'backoff', attempt }
  if (where === 'running.lastCheckpoint') {
    yield { type: 'suspension.checkpointed', attempt, checkpointId: 9 }
    yield { type: 'suspension.notCheckpointed', attempt, cause: disk, atMs }
    yield { type: 'timer.fired', timer: 'suspension', attempt }
  }
  if (c.finalCheckpointCalled && mayAwait(where))
    for (const outcome of ['completed', 'missed', 'failed'] as const)
      yield { type: 'finalCheckpoint.ended', attempt, outcome }
  if (where === 'running.stopping') {
    yield { type: 'stop.abandoned' }
    for (const cause of [again, final]) yield { type: 'stop.failed', attempt, cause, atMs }
    yield { type: 'cancel.requested', savepoint: 'sp' }
  }
  if (where.endsWith('settling')) yield { type: 'checkpoints.settled' }
  // Anybody may ask or complain at any time, also when it is too late.
  yield { type: 'cancel.requested', savepoint: null }
  yield { type: 'suspend.requested', timeoutMs: 10_000 }
  yield { type: 'stop.requested' }
  if (c.sealed === null && /^running|restarting.restoring/.test(where))
    yield { type: 'savepoint.published', attempt, savepoint: 'sp', drained: true }
  for (const cause of [again, final]) yield { type: 'failure.reported', attempt, cause, atMs }
  if (attempt > 1 || isTerminal(where)) {
    yield* ofAttempt(attempt - 1)
    // Of the first task: its last one, or the newest, which is not its own.
    const [its] = c.attempts as [number]
    yield* ofTask({ task: 0, attempt: its < attempt ? attempt : its - 1 })
  }
}

/** Words of an attempt in which the task is not any more, or never was. */
function* ofTask(task: { readonly task: number; readonly attempt: number }): Generator<JobFact> {
  yield { type: 'task.changed', ...task, state: 'FINISHED' }
  yield { type: 'task.failed', ...task, cause: final, atMs }
  yield { type: 'finalCheckpoint.awaited', ...task }
}

/** Late words of an attempt that is over. */
function* ofAttempt(attempt: number): Generator<JobFact> {
  yield { type: 'failure.reported', attempt, cause: final, atMs }
  yield { type: 'state.restored', attempt, checkpointId: 3 }
  yield { type: 'state.notRestored', attempt, cause: final, atMs }
  yield { type: 'restart.granted', attempt, delayMs: 10 }
  yield { type: 'restart.denied', attempt, reason: 'late' }
  yield { type: 'timer.fired', timer: 'backoff', attempt }
  yield { type: 'timer.fired', timer: 'suspension', attempt }
  yield { type: 'finalCheckpoint.ended', attempt, outcome: 'missed' }
  yield { type: 'suspension.checkpointed', attempt, checkpointId: 3 }
  yield { type: 'suspension.notCheckpointed', attempt, cause: final, atMs }
  yield { type: 'stop.failed', attempt, cause: final, atMs }
  yield { type: 'savepoint.published', attempt, savepoint: 'late', drained: true }
}

const answers = (fact: JobFact) => fact.type === 'record.written' || fact.type === 'record.notWritten'

export const walkJob = (input: JobInput) =>
  explore(machine, {
    input,
    environment: { written: 0 },
    facts: (snapshot, environment) =>
      [...possible(snapshot, environment)].map((fact) => ({
        fact,
        environment: { written: environment.written + (answers(fact) ? 1 : 0) },
      })),
    // Which record it is, and how a task is gone, decide nothing more; nor does a cause before the job fails of it.
    identity: ({ value, context: c }, { written }) =>
      JSON.stringify([
        value,
        isLeaving(place(value)) ? null : [c.attempt, c.restarting, c.backoffOver, c.restoreFailed === null],
        /^running.working|^restarting/.test(place(value)) ? c.attempts : null,
        c.sealed,
        c.revision - written,
        mayAwait(place(value)) ? c.finalCheckpointCalled : null,
        c.awaitFinalCheckpoint.map(
          (awaits, task) => awaits && (mayAwait(place(value)) || (restarts(place(value)) && !c.restarting[task])),
        ),
        c.states.map((state) => (isAlive(state) ? 'alive' : state === 'FINISHED' ? state : 'gone')),
      ]),
    limit: 100_000,
  })

/** The microtasks of a record that was written. */
const settled = async () => {
  for (let turn = 0; turn < 8; turn++) await Promise.resolve()
}

/** Answers come as facts, never from the work itself; only records, which are written in order, answer for themselves. */
export async function replayJob(input: JobInput, facts: readonly JobFact[]) {
  const steps: ChartStep[] = []
  const deeds: JobOrder[] = []
  const statuses: string[] = []
  const writes: { readonly written: () => void; readonly failed: (thrown: unknown) => void }[] = []
  const does = (order: object) => void deeds.push(order as JobOrder)
  const begins = (order: object) => {
    does(order)
    return new Promise<never>(() => {})
  }
  const host = hostJob({
    ...input,
    id: 'job',
    clock: new VirtualClock(),
    causes: causes(),
    writeRecord(order) {
      does(order)
      return new Promise<void>((written, failed) => writes.push({ written, failed }))
    },
    restoreState: begins,
    deployTasks: does,
    cancelTasks: does,
    askRestart: does,
    recordFailure: does,
    startScheduler: does,
    triggerFinalCheckpoint: begins,
    stopScheduler: () => does({ type: 'stopScheduler' }),
    admitStop: () => does({ type: 'admitStop' }),
    refuseStop: () => does({ type: 'refuseStop' }),
    overtakeStop: () => does({ type: 'overtakeStop' }),
    reportSealed: does,
    confirmSeal: does,
    denySeal: does,
    takeSuspendCheckpoint: begins,
    settleCheckpoints: begins,
    endJob: does,
    statusChanged: (status) => statuses.push(status),
    failed: (broken) => {
      throw broken
    },
    tap: { stepped: (step) => steps.push(step) },
  })
  host.start()
  for (const fact of facts) {
    if (fact.type !== 'record.written' && fact.type !== 'record.notWritten') {
      host.send(fact)
      continue
    }
    await settled()
    if (fact.type === 'record.written') writes.shift()?.written()
    else if (fact.cause.restartHelps) writes.shift()?.failed(new RangeError(disk.message))
    else writes.shift()?.failed(new StreamError('STATE_CORRUPT', { message: final.message }))
    await settled()
  }
  await settled()
  return { last: steps.at(-1), deeds, statuses, status: host.status(), hasEnded: host.hasEnded() }
}
