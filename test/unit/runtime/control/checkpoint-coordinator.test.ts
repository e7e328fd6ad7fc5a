import { describe, expect, it } from 'vitest'
import { checkpointCoordinator } from '#machines/checkpoint-coordinator'
import type {
  Completed,
  CoordinatorInput,
  CoordinatorSettings,
  EndStatus,
} from '#machines/checkpoint-coordinator-vocabulary'
import { StreamError } from '../../../../src/base/errors.ts'
import { silentLogger } from '../../../../src/base/logger.ts'
import { eventLoopTurns } from '../../../../src/base/turns.ts'
import { VirtualClock } from '../../../../src/base/virtual-clock.ts'
import { causes } from '../../../../src/runtime/control/causes.ts'
import { hostCheckpointCoordinator } from '../../../../src/runtime/control/checkpoint-coordinator.ts'
import type { CheckpointWork, Published } from '../../../../src/runtime/control/checkpoint-work.ts'
import { hostChart } from '../../../../src/runtime/control/host-chart.ts'

const tasks = [{ task: 'map-0', attempt: 3 }]
const settings: CoordinatorSettings = {
  intervalMs: null,
  minPauseMs: 0,
  timeoutMs: 1000,
  maxConcurrent: 1,
  maxQueued: 10,
  tolerableFailures: 0,
  unaligned: false,
  alignedTimeoutMs: 0,
  intervalDuringBacklogMs: null,
  numRetained: 1,
  retention: 'NO_EXTERNALIZED_CHECKPOINTS',
}
const fileError = (message: string, details = {}) => new StreamError('FILE_ERROR', { message, details })
const turn = () => new Promise<void>((resolve) => eventLoopTurns().next(resolve))

function coordinatorWith(given: Partial<CheckpointWork> = {}, input: Partial<CoordinatorInput> = {}) {
  const clock = new VirtualClock({ startMs: 50 })
  const log: string[] = []
  const failures: StreamError[] = []
  const kept = causes()
  const work: CheckpointWork = {
    clock,
    logger: { ...silentLogger, warn: (message) => log.push(message) },
    plan: () => ({ trigger: tasks, waitFor: tasks, commitTo: tasks, finished: [], notRunning: [] }),
    snapshotCoordinators: async () => 'splits',
    triggerTasks: ({ barrier, full, options }) => log.push(`trigger ${JSON.stringify({ ...barrier, full, options })}`),
    triggerTasksBehind: ({ barrier, options }) => log.push(`trigger behind ${JSON.stringify({ ...barrier, options })}`),
    notifyComplete: ({ checkpointId, subsumedId }) => log.push(`complete ${checkpointId}, subsumes ${subsumedId}`),
    notifyAborted: ({ checkpointId, latestCompletedId }) =>
      log.push(`aborted ${checkpointId}, latest ${latestCompletedId}`),
    publish: async ({ checkpointId }) => ({ handle: `chk-${checkpointId}`, bytes: 5, path: `/chk-${checkpointId}` }),
    readStore: async () => [],
    discardCheckpoint: async ({ checkpointId }) => void log.push(`delete ${checkpointId}`),
    discardPending: async ({ checkpointId, acknowledged }) =>
      void log.push(`delete pending ${checkpointId}: ${acknowledged.length}`),
    discardHandles: async ({ checkpointId, handles }) => void log.push(`delete late ${checkpointId}: ${handles}`),
    failJob: (failure) => failures.push(kept.thrown(failure) as StreamError),
    causes: kept,
    report() {},
    acknowledged: ({ checkpointId, result, known }) =>
      log.push(`${result} ${checkpointId}${known ? '' : ', not known'}`),
    ...given,
  }
  const coordinator = hostCheckpointCoordinator(
    'job/coordinator',
    { settings, nextCheckpointId: 1, completed: [], restoredFrom: null, ...input },
    work,
  )
  coordinator.start()
  const acknowledge = (checkpointId: number, attempt = 3) =>
    coordinator.acknowledge({ checkpointId, task: 'map-0', attempt, handles: 'file' })
  return { coordinator, clock, log, failures, acknowledge }
}

describe('who asks for a checkpoint', () => {
  it('gets its id and path when it is complete', async () => {
    const { coordinator, acknowledge, log } = coordinatorWith()
    const asked = coordinator.trigger({
      kind: 'savepoint',
      targetDirectory: '/sp',
      options: { format: 'canonical', drain: true },
    })
    await turn()
    acknowledge(1)
    expect(await asked).toEqual({ checkpointId: 1, handle: 'chk-1', path: '/chk-1' })
    expect(log).toEqual([
      'trigger {"checkpointId":1,"timestamp":50,"kind":"savepoint","mode":"aligned","format":"canonical","full":false,"options":{"format":"canonical","drain":true}}',
      'SUCCESS 1',
    ])
    expect(coordinator.latestCompleted()).toBeUndefined()
  })

  it('is told why there is none, and may as well not listen', async () => {
    const { coordinator } = coordinatorWith({
      plan: () => ({ trigger: tasks, waitFor: tasks, commitTo: tasks, finished: [], notRunning: ['map-0'] }),
    })
    void coordinator.trigger({ kind: 'checkpoint' })
    await expect(coordinator.trigger({ kind: 'checkpoint' })).rejects.toMatchObject({
      code: 'CHECKPOINT_FAILED',
      details: { reason: 'NOT_ALL_REQUIRED_TASKS_RUNNING', checkpointId: null },
    })
    await turn()
  })

  it('is told when the place for it cannot be made: an I/O error, which counts', async () => {
    const { coordinator, failures, log } = coordinatorWith({
      snapshotCoordinators: async () => {
        throw fileError('no space')
      },
    })
    await expect(coordinator.trigger({ kind: 'checkpoint' })).rejects.toMatchObject({
      details: { reason: 'IO_EXCEPTION', checkpointId: 1 },
    })
    expect(failures).toMatchObject([{ code: 'CHECKPOINT_FAILURES_EXCEEDED', details: { reason: 'IO_EXCEPTION' } }])
    expect(log).toContain('aborted 1, latest null')
  })

  it('gets unaligned or timeoutable barriers where these are on, and a savepoint never', async () => {
    const { coordinator, log } = coordinatorWith(
      {},
      { settings: { ...settings, unaligned: true, alignedTimeoutMs: 5, maxConcurrent: 9 } },
    )
    for (const kind of ['checkpoint', 'savepoint'] as const) void coordinator.trigger({ kind })
    await turn()
    expect(log.map((line) => /"mode":"(\w+)"/.exec(line)?.[1])).toEqual(['timeoutable', 'aligned'])
  })
})

describe('late and strange acknowledgements', () => {
  it('are answered, and their state is deleted unless it may belong to a completed checkpoint', async () => {
    const { coordinator, clock, log, acknowledge } = coordinatorWith(
      {},
      { settings: { ...settings, tolerableFailures: 'unlimited' } },
    )
    void coordinator.trigger({ kind: 'checkpoint' })
    await turn()
    acknowledge(1, 2)
    acknowledge(1)
    acknowledge(1)
    await turn()
    acknowledge(1)
    void coordinator.trigger({ kind: 'checkpoint' })
    await turn()
    clock.advance(1000)
    acknowledge(2)
    acknowledge(77)
    await turn()
    expect(log.filter((line) => !line.startsWith('trigger'))).toEqual([
      'delete late 1: file',
      'UNKNOWN 1',
      'SUCCESS 1',
      'DUPLICATE 1',
      'complete 1, subsumes null',
      'DUPLICATE 1, not known',
      'delete pending 2: 0',
      'aborted 2, latest 1',
      'delete late 2: file',
      'DISCARDED 2',
      'delete late 77: file',
      'UNKNOWN 77, not known',
    ])
  })

  it('are remembered for the last 16 expired ids', async () => {
    const { coordinator, clock, log, acknowledge } = coordinatorWith(
      {},
      { settings: { ...settings, tolerableFailures: 'unlimited' } },
    )
    for (let id = 1; id <= 17; id++) {
      void coordinator.trigger({ kind: 'checkpoint' })
      await turn()
      clock.advance(1000)
      await turn()
    }
    log.length = 0
    for (const id of [1, 2, 17]) acknowledge(id)
    expect(log.filter((line) => !line.startsWith('delete'))).toEqual([
      'UNKNOWN 1, not known',
      'DISCARDED 2',
      'DISCARDED 17',
    ])
  })
})

describe('while metadata is being made durable', () => {
  it('a failover and a stop wait for it, and it completes', async () => {
    let publish: (published: Published) => void = () => {}
    const { coordinator, acknowledge, log, clock } = coordinatorWith({
      publish: () => new Promise((resolve) => (publish = resolve)),
    })
    void coordinator.trigger({ kind: 'checkpoint' })
    await turn()
    acknowledge(1)
    const settled: string[] = []
    void coordinator.failOver().then(() => settled.push('failover'))
    void coordinator.stopScheduler().then(() => settled.push('stop'))
    clock.advance(5000)
    await turn()
    expect(settled).toEqual([])
    publish({ handle: 'chk-1', bytes: 1, path: null })
    await turn()
    expect(settled).toEqual(['failover', 'stop'])
    expect(coordinator.latestCompleted()).toMatchObject({ checkpointId: 1, handle: 'chk-1' })
    expect(log).toContain('complete 1, subsumes null')
  })

  it('an outcome that is not known fails the job, deletes nothing, and has the store read again', async () => {
    const found: readonly Completed[] = [{ checkpointId: 1, kind: 'checkpoint', handle: 'chk-1', discardable: true }]
    const { coordinator, acknowledge, log, failures } = coordinatorWith(
      {
        publish: async () => {
          throw fileError('the answer was lost', { visible: 'unknown' })
        },
        readStore: async () => found,
      },
      { settings: { ...settings, tolerableFailures: 'unlimited' } },
    )
    const asked = coordinator.trigger({ kind: 'checkpoint' })
    await turn()
    acknowledge(1)
    await expect(asked).rejects.toMatchObject({ details: { reason: 'FINALIZE_CHECKPOINT_FAILURE' } })
    expect(failures).toMatchObject([{ code: 'CHECKPOINT_FAILURES_EXCEEDED', restartHelps: true }])
    await coordinator.failOver()
    expect(coordinator.completed()).toEqual(found)
    expect(log.filter((line) => line.startsWith('delete'))).toEqual([])
  })
})

describe('what the store keeps', () => {
  const restored: Completed = { checkpointId: 4, kind: 'savepoint', handle: 'sp', discardable: false }

  it('is the newest; what is subsumed is deleted, but for what is not ours', async () => {
    const { coordinator, acknowledge, log } = coordinatorWith(
      {},
      { nextCheckpointId: 5, completed: [restored], restoredFrom: { checkpointId: 4, claimMode: 'NO_CLAIM' } },
    )
    expect(coordinator.latestCompleted()).toEqual(restored)
    for (const id of [5, 6]) {
      void coordinator.trigger({ kind: 'checkpoint' })
      await turn()
      acknowledge(id)
      await turn()
    }
    expect(coordinator.completed().map((one) => one.checkpointId)).toEqual([6])
    expect(log.filter((line) => /^(delete|complete)/.test(line))).toEqual([
      'complete 5, subsumes null',
      'delete 5',
      'complete 6, subsumes 5',
    ])
  })

  const ends: readonly [CoordinatorSettings['retention'], EndStatus, boolean][] = [
    ['NO_EXTERNALIZED_CHECKPOINTS', 'FINISHED', false],
    ['NO_EXTERNALIZED_CHECKPOINTS', 'CANCELED', false],
    ['NO_EXTERNALIZED_CHECKPOINTS', 'FAILED', false],
    ['NO_EXTERNALIZED_CHECKPOINTS', 'SUSPENDED', true],
    ['DELETE_ON_CANCELLATION', 'FINISHED', false],
    ['DELETE_ON_CANCELLATION', 'CANCELED', false],
    ['DELETE_ON_CANCELLATION', 'FAILED', true],
    ['DELETE_ON_CANCELLATION', 'SUSPENDED', true],
    ['RETAIN_ON_CANCELLATION', 'FINISHED', false],
    ['RETAIN_ON_CANCELLATION', 'CANCELED', true],
    ['RETAIN_ON_CANCELLATION', 'FAILED', true],
    ['RETAIN_ON_CANCELLATION', 'SUSPENDED', true],
  ]
  it.each(ends)('%s, %s: stays %s', async (retention, status, stays) => {
    const own: Completed = { checkpointId: 5, kind: 'checkpoint', handle: 'chk-5', discardable: true }
    const { coordinator, log } = coordinatorWith(
      {},
      { completed: [restored, own], settings: { ...settings, retention, numRetained: 2 } },
    )
    await coordinator.shutDown(status)
    expect(log).toEqual(stays ? [] : ['delete 5'])
  })

  it('a shut down waits for what is being deleted, also when that fails', async () => {
    const { coordinator, log } = coordinatorWith({
      discardPending: async () => {
        throw fileError('busy')
      },
    })
    void coordinator.trigger({ kind: 'checkpoint' })
    await turn()
    await coordinator.shutDown('CANCELED')
    expect(log.at(-1)).toContain('Could not delete state of checkpoint 1')
  })
})

describe('what was under way when it was replaced or ended', () => {
  it('a timer that was replaced and fires all the same is no tick', () => {
    const orders: string[] = []
    const host = hostChart(checkpointCoordinator, {
      id: 'job/coordinator',
      input: { settings: { ...settings, intervalMs: 10 }, nextCheckpointId: 1, completed: [], restoredFrom: null },
      obey: (order) => orders.push(order.type),
      failed: (cause) => {
        throw cause
      },
    })
    host.start()
    host.send({ type: 'scheduler.started', firstDelayMs: null, atMs: 0 })
    host.send({ type: 'scheduler.started', firstDelayMs: null, atMs: 3 })
    host.send({ type: 'timer.fired', name: 'tick@10', atMs: 10 })
    expect(orders).not.toContain('makePlan')
    host.send({ type: 'timer.fired', name: 'tick@13', atMs: 13 })
    expect(orders).toContain('makePlan')
  })

  it('a request whose plan is being made is refused by a shut down, and by nothing else later', async () => {
    const { coordinator, log } = coordinatorWith({
      plan() {
        void coordinator.shutDown('CANCELED')
        return { trigger: tasks, waitFor: tasks, commitTo: tasks, finished: [], notRunning: [] }
      },
    })
    await expect(coordinator.trigger({ kind: 'savepoint' })).rejects.toMatchObject({
      details: { reason: 'CHECKPOINT_COORDINATOR_SHUTDOWN', checkpointId: null },
    })
    await coordinator.shutDown('CANCELED')
    expect(log).toEqual([])
  })

  it('a failover that is asked for while a fact is dealt with waits for what came before it', async () => {
    let publish: (published: Published) => void = () => {}
    let settled = false
    const { coordinator, acknowledge } = coordinatorWith({
      publish: () => new Promise((resolve) => (publish = resolve)),
      triggerTasks() {
        acknowledge(1)
        void coordinator.failOver().then(() => {
          settled = true
        })
      },
    })
    void coordinator.trigger({ kind: 'checkpoint' })
    await turn()
    expect(settled).toBe(false)
    publish({ handle: 'chk-1', bytes: 1, path: null })
    await turn()
    expect(settled).toBe(true)
    expect(coordinator.latestCompleted()?.checkpointId).toBe(1)
  })

  it('an abort that is ordered while the checkpoint deals with a fact of its own still deletes its state', async () => {
    const { coordinator, acknowledge, log } = coordinatorWith({ acknowledged: () => void coordinator.failOver() })
    void coordinator.trigger({ kind: 'checkpoint' })
    await turn()
    acknowledge(1)
    await coordinator.shutDown('CANCELED')
    expect(log.slice(1)).toEqual(['aborted 1, latest null', 'delete pending 1: 1'])
  })
})

describe('a coordinator that is broken', () => {
  it('fails the job and leaves nobody waiting', async () => {
    const { coordinator, failures } = coordinatorWith({
      triggerTasks() {
        throw new StreamError('INTERNAL', { message: 'defect' })
      },
    })
    await expect(coordinator.trigger({ kind: 'checkpoint' })).rejects.toMatchObject({ code: 'INTERNAL' })
    expect(failures).toMatchObject([{ code: 'INTERNAL' }])
    await expect(coordinator.trigger({ kind: 'checkpoint' })).rejects.toMatchObject({ code: 'INTERNAL' })
    await expect(coordinator.shutDown('FAILED')).rejects.toMatchObject({ code: 'INTERNAL' })
  })
})
