import { describe, expect, test } from 'vitest'
import type { JobOrder } from '#machines/job'
import { StreamError } from '../../../../src/base/errors.ts'
import { seededRandom } from '../../../../src/base/random.ts'
import { VirtualClock } from '../../../../src/base/virtual-clock.ts'
import { causes } from '../../../../src/runtime/control/causes.ts'
import { hostJob, type JobDeps } from '../../../../src/runtime/control/job.ts'
import { type RestartStrategy, restartSupervisor } from '../../../../src/runtime/control/restart-supervisor.ts'

const settled = async () => {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve()
}

/** A job of two tasks whose disk and tasks do what they are told, wired to a real restart supervisor. */
function jobOfTwo(strategy: RestartStrategy, options: Partial<JobDeps> = {}) {
  const clock = new VirtualClock()
  const kept = causes()
  const log: string[] = []
  const orders: JobOrder[] = []
  const statuses: string[] = []
  const note = (order: object, text: string) => {
    orders.push(order as JobOrder)
    log.push(text)
  }
  const broken = (defect: Error) => {
    throw defect
  }
  const supervisor = restartSupervisor({
    id: 'job/restarts',
    strategy,
    random: seededRandom(1),
    granted: ({ attempt, delayMs }) => job.send({ type: 'restart.granted', attempt, delayMs }),
    denied: ({ attempt, reason }) => job.send({ type: 'restart.denied', attempt, reason }),
    failed: broken,
  })
  const job = hostJob({
    id: 'job',
    clock,
    causes: kept,
    regions: [0, 0],
    retention: 'RETAIN_ON_CANCELLATION',
    suspendsToCheckpoint: true,
    writeRecord: (order) => note(order, `record ${order.status} ${order.checkpoints}`),
    restoreState(order) {
      note(order, `restore ${order.attempt}`)
      return order.attempt === 1 ? null : 4
    },
    deployTasks(order) {
      note(order, `deploy ${order.attempt} from ${order.checkpointId}`)
      for (const task of order.tasks) job.send({ type: 'task.changed', attempt: order.attempt, task, state: 'RUNNING' })
    },
    cancelTasks(order) {
      note(order, `cancel ${order.tasks.map(({ task, attempt }) => `${task}#${attempt}`).join(' ')}`)
      for (const one of order.tasks) job.send({ type: 'task.changed', ...one, state: 'CANCELED' })
    },
    askRestart(order) {
      note(order, `ask ${order.attempt}`)
      supervisor.ask(order)
    },
    recordFailure: (order) => note(order, `failure ${order.cause.code}`),
    startScheduler: (order) => note(order, 'scheduler on'),
    triggerFinalCheckpoint(order) {
      note(order, 'final checkpoint')
      return 'completed'
    },
    stopScheduler: () => note({ type: 'stopScheduler' }, 'scheduler off'),
    admitStop: () => note({ type: 'admitStop' }, 'stop admitted'),
    refuseStop: () => note({ type: 'refuseStop' }, 'stop refused'),
    overtakeStop: () => note({ type: 'overtakeStop' }, 'stop overtaken'),
    reportSealed: (order) => note(order, `sealed ${order.savepoint}`),
    confirmSeal: (order) => note(order, `commit ${order.savepoint}`),
    denySeal: (order) => note(order, `deny ${order.savepoint}`),
    takeSuspendCheckpoint(order) {
      note(order, 'last checkpoint')
      return 9
    },
    settleCheckpoints: (order) => note(order, order.keep ? 'keep checkpoints' : 'delete checkpoints'),
    endJob: (order) => note(order, `end ${order.status}`),
    statusChanged: (status) => statuses.push(status),
    failed: broken,
    ...options,
  })
  supervisor.start()
  job.start()
  const fail = (task: number, thrown: unknown) =>
    job.send({
      type: 'task.failed',
      attempt: job.attemptOf(task),
      task,
      cause: kept.of(thrown, 'USER_FUNCTION_FAILED'),
      atMs: clock.now(),
    })
  return { job, clock, log, statuses, kept, fail, end: () => orders.find((order) => order.type === 'endJob') }
}

/** How often the final checkpoint is called for when this is what becomes of each of the first two calls, and then nothing. */
async function callsWhen(...becomes: readonly ((call: number) => 'completed' | 'missed' | 'failed')[]) {
  let calls = 0
  const { job } = jobOfTwo(
    { type: 'none' },
    {
      triggerFinalCheckpoint: async () => becomes[calls++]?.(calls) ?? new Promise<never>(() => {}),
    },
  )
  job.send({ type: 'job.initialized' })
  await settled()
  for (const task of [0, 1]) job.send({ type: 'finalCheckpoint.awaited', attempt: 1, task })
  await settled()
  const before = calls
  job.send({ type: 'task.changed', attempt: 1, task: 0, state: 'FINISHED' })
  await settled()
  return [before, calls]
}

const twice: RestartStrategy = { type: 'fixed-delay', attempts: 1, delayMs: 1000 }

describe('a job', () => {
  test('calls for its final checkpoint once, at once again when it was missed, and when the next task finishes where it failed', async () => {
    const fails = () => {
      throw new StreamError('CHECKPOINT_FAILED', { message: 'expired' })
    }
    expect(await callsWhen()).toEqual([1, 1])
    expect(await callsWhen(() => 'completed')).toEqual([1, 1])
    expect(await callsWhen(() => 'missed')).toEqual([2, 2])
    expect(await callsWhen(() => 'failed')).toEqual([1, 2])
    expect(await callsWhen(fails)).toEqual([1, 2])
    expect(await callsWhen(() => 'missed', fails)).toEqual([2, 3])
  })

  test('records itself before its first task, runs, and ends with its record before its checkpoints go', async () => {
    const { job, log, statuses } = jobOfTwo({ type: 'none' })
    job.send({ type: 'job.initialized' })
    await settled()
    for (const task of [0, 1]) job.send({ type: 'task.changed', attempt: 1, task, state: 'FINISHED' })
    await settled()
    expect(log).toEqual([
      'record CREATED kept',
      'restore 1',
      'deploy 1 from null',
      'scheduler on',
      'record RUNNING kept',
      'scheduler off',
      'record FINISHED deleting',
      'delete checkpoints',
      'end FINISHED',
    ])
    expect(statuses).toEqual(['CREATED', 'RUNNING', 'FINISHED'])
    expect(job.hasEnded()).toBe(true)
  })

  test('restarts a failed attempt after the backoff, from the newest checkpoint, then fails with the very object that was thrown', async () => {
    const boom = new RangeError('boom')
    const { job, clock, log, statuses, kept, fail, end } = jobOfTwo(twice)
    job.send({ type: 'job.initialized' })
    await settled()
    log.length = 0
    fail(0, new TypeError('first'))
    clock.advance(999)
    expect(log).toEqual(['failure USER_FUNCTION_FAILED', 'ask 1', 'scheduler off', 'cancel 0#1 1#1'])
    clock.advance(1)
    expect(log.slice(4)).toEqual(['restore 2', 'deploy 2 from 4', 'scheduler on'])
    fail(1, boom)
    await settled()
    expect(statuses.slice(2)).toEqual(['RESTARTING', 'RUNNING', 'FAILING', 'FAILED'])
    const result = end()
    expect(result).toMatchObject({ status: 'FAILED', denied: 'all 1 restart attempts are used up' })
    expect(result?.type === 'endJob' && result.cause && kept.thrown(result.cause)).toBe(boom)
    expect(clock.nextDeadlineMs()).toBeUndefined()
  })

  test('restarts the region of a failed task alone, and goes on listening to the others in the attempt they are in', async () => {
    const { job, clock, log, fail } = jobOfTwo({ type: 'fixed-delay', attempts: 9, delayMs: 10 }, { regions: [0, 1] })
    job.send({ type: 'job.initialized' })
    await settled()
    log.length = 0
    fail(1, new RangeError('boom'))
    clock.advance(10)
    expect(log).toEqual([
      'failure USER_FUNCTION_FAILED',
      'ask 1',
      'scheduler off',
      'cancel 1#1',
      'restore 2',
      'deploy 2 from 4',
      'scheduler on',
    ])
    expect([job.attempt(), job.attemptOf(0), job.attemptOf(1)]).toEqual([2, 1, 2])
    log.length = 0
    job.send({ type: 'task.changed', attempt: 2, task: 0, state: 'FINISHED' })
    job.send({ type: 'task.changed', attempt: 1, task: 1, state: 'FINISHED' })
    job.send({ type: 'task.changed', attempt: 2, task: 1, state: 'FINISHED' })
    expect(job.status()).toBe('RUNNING')
    fail(0, new RangeError('boom'))
    expect(log).toEqual(['failure USER_FUNCTION_FAILED', 'ask 2', 'scheduler off', 'cancel 0#1'])
    clock.advance(10)
    job.send({ type: 'task.changed', attempt: 3, task: 0, state: 'FINISHED' })
    expect(job.status()).toBe('FINISHED')
  })

  test('takes along what fails while another region is restored: both are restored together, and the strategy is asked once', async () => {
    let restored: (checkpointId: number) => void = () => {}
    const tasks: (readonly number[])[] = []
    const { job, clock, log, fail } = jobOfTwo(twice, {
      regions: [0, 1],
      restoreState(order) {
        tasks.push(order.tasks)
        return order.attempt === 1 ? null : new Promise((resolve) => (restored = resolve))
      },
    })
    job.send({ type: 'job.initialized' })
    await settled()
    log.length = 0
    fail(0, new RangeError('boom'))
    clock.advance(1000)
    fail(1, new RangeError('boom'))
    restored(4)
    await settled()
    expect([job.status(), tasks]).toEqual(['RESTARTING', [[0, 1], [0], [0, 1]]])
    restored(5)
    await settled()
    expect(log).toEqual([
      'failure USER_FUNCTION_FAILED',
      'ask 1',
      'scheduler off',
      'cancel 0#1',
      'failure USER_FUNCTION_FAILED',
      'cancel 1#1',
      'deploy 3 from 5',
      'scheduler on',
    ])
  })

  test('waits for its tasks beyond the backoff', async () => {
    const { job, clock, log, fail } = jobOfTwo(twice, { cancelTasks() {} })
    job.send({ type: 'job.initialized' })
    await settled()
    fail(0, new RangeError('boom'))
    clock.advance(5000)
    expect(log).not.toContain('restore 2')
    job.send({ type: 'task.changed', attempt: 1, task: 1, state: 'CANCELED' })
    expect(log).toContain('restore 2')
  })

  test('asks again when a restore fails, and fails for good when no restart can help', async () => {
    let restores = 0
    const { job, clock, log, fail, end } = jobOfTwo(
      { type: 'fixed-delay', attempts: 5, delayMs: 10 },
      {
        restoreState() {
          restores += 1
          if (restores === 2) throw new RangeError('disk is away')
          if (restores === 3) throw new StreamError('STATE_CORRUPT', { message: 'unreadable' })
          return null
        },
      },
    )
    job.send({ type: 'job.initialized' })
    await settled()
    fail(0, new RangeError('boom'))
    clock.advance(10)
    expect([job.status(), job.attempt()]).toEqual(['RESTARTING', 2])
    clock.advance(10)
    await settled()
    expect(log.filter((line) => line.startsWith('failure'))).toEqual([
      'failure USER_FUNCTION_FAILED',
      'failure FILE_ERROR',
      'failure STATE_CORRUPT',
    ])
    expect(end()).toMatchObject({ status: 'FAILED', cause: { code: 'STATE_CORRUPT' }, denied: null })
  })

  test('that is cancelled during the backoff leaves no timer and keeps what the retention says', async () => {
    const { job, clock, log, fail } = jobOfTwo(twice)
    job.send({ type: 'job.initialized' })
    await settled()
    fail(0, new RangeError('boom'))
    job.send({ type: 'cancel.requested', savepoint: null })
    await settled()
    expect(log.slice(-3)).toEqual(['record CANCELED kept', 'keep checkpoints', 'end CANCELED'])
    expect(clock.nextDeadlineMs()).toBeUndefined()
  })

  test('that is cancelled with savepoint names it in its record', async () => {
    const records: unknown[] = []
    const { job } = jobOfTwo(twice, {
      writeRecord: ({ status, sealed }) => void records.push([status, sealed?.savepoint]),
    })
    job.send({ type: 'job.initialized' })
    await settled()
    job.send({ type: 'cancel.requested', savepoint: '/sp-1' })
    await settled()
    expect(records.at(-1)).toEqual(['CANCELED', '/sp-1'])
  })

  test('when suspended takes a last checkpoint, cancels its tasks and keeps its checkpoints', async () => {
    const { job, clock, log } = jobOfTwo(twice, { retention: 'NO_EXTERNALIZED_CHECKPOINTS' })
    job.send({ type: 'job.initialized' })
    await settled()
    log.length = 0
    job.send({ type: 'suspend.requested', timeoutMs: 10_000 })
    await settled()
    expect(log).toEqual([
      'scheduler off',
      'last checkpoint',
      'cancel 0#1 1#1',
      'scheduler off',
      'record SUSPENDED kept',
      'keep checkpoints',
      'end SUSPENDED',
    ])
    expect(clock.nextDeadlineMs()).toBeUndefined()
  })

  test('when suspended waits for the last checkpoint no longer than it was told', async () => {
    const { job, clock } = jobOfTwo(twice, { takeSuspendCheckpoint: () => new Promise(() => {}) })
    job.send({ type: 'job.initialized' })
    await settled()
    job.send({ type: 'suspend.requested', timeoutMs: 10_000 })
    clock.advance(9_999)
    expect(job.status()).toBe('RUNNING')
    clock.advance(1)
    expect(job.status()).toBe('SUSPENDED')
  })

  test('whose record cannot be written fails, says so and deletes nothing', async () => {
    const { job, log, end } = jobOfTwo(
      { type: 'none' },
      {
        writeRecord({ status }) {
          if (status !== 'CREATED') throw new StreamError('FILE_ERROR', { message: 'disk is full' })
        },
        retention: 'NO_EXTERNALIZED_CHECKPOINTS',
      },
    )
    job.send({ type: 'job.initialized' })
    await settled()
    expect(log).not.toContain('delete checkpoints')
    expect(end()).toMatchObject({
      status: 'FAILED',
      cause: { code: 'FILE_ERROR' },
      notRecorded: { code: 'FILE_ERROR' },
    })
  })

  test('ends all the same when its checkpoints cannot be deleted', async () => {
    const { job, end } = jobOfTwo(twice, { settleCheckpoints: () => Promise.reject(new RangeError('busy')) })
    job.send({ type: 'job.initialized' })
    await settled()
    job.send({ type: 'cancel.requested', savepoint: null })
    await settled()
    expect(end()).toMatchObject({ status: 'CANCELED', notRecorded: null })
  })
})
