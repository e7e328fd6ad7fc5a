import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { CheckpointEvent, CoordinatorInput } from '#machines/checkpoint-coordinator-vocabulary'
import { StreamError } from '../../src/base/errors.ts'
import { silentLogger } from '../../src/base/logger.ts'
import { VirtualClock } from '../../src/base/virtual-clock.ts'
import { causes } from '../../src/runtime/control/causes.ts'
import { hostCheckpointCoordinator } from '../../src/runtime/control/checkpoint-coordinator.ts'
import type { CheckpointWork } from '../../src/runtime/control/checkpoint-work.ts'

const tasks = [
  { task: 'a', attempt: 0 },
  { task: 'b', attempt: 0 },
]
const input: CoordinatorInput = {
  settings: {
    intervalMs: null,
    minPauseMs: 0,
    timeoutMs: 100,
    maxConcurrent: 2,
    maxQueued: 10,
    tolerableFailures: 'unlimited',
    unaligned: false,
    alignedTimeoutMs: 0,
    intervalDuringBacklogMs: null,
    numRetained: 1,
    retention: 'NO_EXTERNALIZED_CHECKPOINTS',
  },
  nextCheckpointId: 1,
  completed: [],
  restoredFrom: null,
}

type Publishing = 'succeeds' | 'fails' | 'is unclear'
type Disturbance = 'decline' | 'task failure' | 'failover' | 'expiry' | 'stop'

/** Three requests and what disturbs them, in any order in which promises and messages may come. */
async function race(scheduler: fc.Scheduler, publishing: readonly Publishing[], disturbances: readonly Disturbance[]) {
  const clock = new VirtualClock()
  const log: string[] = []
  const events: CheckpointEvent[] = []
  const visible = new Set<number>()
  const discarded: number[] = []
  const answers: string[] = []
  let publications = 0
  const later = <Value>(value: Value, what: string) => scheduler.schedule(Promise.resolve(value), what)
  const work: CheckpointWork = {
    clock,
    logger: silentLogger,
    causes: causes(),
    plan: () => ({ trigger: tasks, waitFor: tasks, commitTo: tasks, finished: [], notRunning: [] }),
    snapshotCoordinators: ({ checkpointId }) => later(null, `coordinators of ${checkpointId}`),
    triggerTasks({ barrier, tasks: triggered }) {
      for (const one of triggered)
        void later(one, `${one.task} acknowledges ${barrier.checkpointId}`).then(() =>
          coordinator.acknowledge({ checkpointId: barrier.checkpointId, ...one, handles: null }),
        )
    },
    triggerTasksBehind: () => {},
    notifyComplete: ({ checkpointId }) => log.push(`told complete ${checkpointId}`),
    notifyAborted: ({ checkpointId }) => log.push(`told aborted ${checkpointId}`),
    async publish({ checkpointId }) {
      const outcome = publishing[publications++ % publishing.length] as Publishing
      await later(null, `publishing ${checkpointId} ${outcome}`)
      if (outcome !== 'fails') visible.add(checkpointId)
      if (outcome === 'succeeds') return { handle: checkpointId, bytes: 1, path: null }
      throw new StreamError('FILE_ERROR', {
        message: 'disk',
        details: outcome === 'fails' ? {} : { visible: 'unknown' },
      })
    },
    async readStore() {
      await later(null, 'reading the store')
      return [...visible]
        .filter((id) => !discarded.includes(id))
        .map((checkpointId) => ({ checkpointId, kind: 'checkpoint', handle: checkpointId, discardable: true }))
    },
    async discardCheckpoint({ checkpointId }) {
      discarded.push(checkpointId)
      await later(null, `deleting ${checkpointId}`)
    },
    async discardPending({ checkpointId }) {
      expect(visible.has(checkpointId), `state of ${checkpointId} is deleted, which is visible`).toBe(false)
      await later(null, `deleting what there is of ${checkpointId}`)
    },
    discardHandles: async () => {},
    failJob: () => log.push('job failed'),
    report(event) {
      events.push(event)
      if ('checkpointId' in event) log.push(`${event.type} ${event.checkpointId}`)
    },
  }
  const coordinator = hostCheckpointCoordinator('job/coordinator', input, work)
  coordinator.start()
  const disturb: Record<Disturbance, () => void> = {
    decline: () =>
      coordinator.decline({
        checkpointId: 1,
        task: 'a',
        attempt: 0,
        reason: 'CHECKPOINT_DECLINED',
        message: 'no',
        cause: null,
      }),
    'task failure': () => coordinator.taskFailed({ task: 'b', attempt: 0, message: 'gone' }),
    failover: () => void coordinator.failOver().then(() => log.push('settled')),
    expiry: () => clock.advance(101),
    stop() {
      log.push('stopped')
      void coordinator.stopScheduler().then(() => log.push('settled'))
    },
  }
  for (const number of [1, 2, 3])
    void later(null, `request ${number}`).then(() =>
      coordinator.trigger({ kind: number === 3 ? 'synchronousSavepoint' : 'checkpoint' }).then(
        ({ checkpointId }) => answers.push(`completed ${checkpointId}`),
        (error: StreamError) => answers.push(`${error.code} ${error.details.checkpointId}`),
      ),
    )
  for (const disturbance of disturbances) void later(null, disturbance).then(disturb[disturbance])
  await scheduler.waitIdle()
  return { coordinator, log, events, visible, discarded, answers }
}

const arbitrary = fc.tuple(
  fc.scheduler(),
  fc.array(fc.constantFrom<Publishing>('succeeds', 'succeeds', 'fails', 'is unclear'), { minLength: 1, maxLength: 3 }),
  fc.array(fc.constantFrom<Disturbance>('decline', 'task failure', 'failover', 'expiry', 'stop'), { maxLength: 3 }),
)

describe('whatever comes first', () => {
  it('a checkpoint ends once, everybody is told what is true, and nobody waits for ever', async () => {
    await fc.assert(
      fc.asyncProperty(arbitrary, async ([scheduler, publishing, disturbances]) => {
        const { coordinator, log, events, visible, discarded, answers } = await race(
          scheduler,
          publishing,
          disturbances,
        )
        expect(answers.length).toBe(3)
        for (const id of [1, 2, 3]) {
          const ends = log.filter(
            (line) => line === `checkpoint.completed ${id}` || line === `checkpoint.aborted ${id}`,
          )
          const wasTriggered = log.includes(`checkpoint.triggered ${id}`)
          expect(ends.length).toBe(wasTriggered ? 1 : 0)
          // Told in the very step in which it ended.
          const end = log.indexOf(ends[0] as string)
          if (ends[0]?.includes('aborted')) expect(log[end - 1]).toBe(`told aborted ${id}`)
          else expect(log).not.toContain(`told aborted ${id}`)
          if (log.includes(`told complete ${id}`)) expect(visible).toContain(id)
        }
        // A completion is never followed by the abort of an older checkpoint.
        for (const [index, line] of log.entries()) {
          const id = Number(/^told complete (\d)/.exec(line)?.[1] ?? Number.NaN)
          for (const later of log.slice(index)) {
            const aborted = Number(/^told aborted (\d)/.exec(later)?.[1] ?? Number.NaN)
            const kind = events.find((event) => event.type === 'checkpoint.aborted' && event.checkpointId === aborted)
            if (aborted < id) expect(kind).toMatchObject({ kind: 'synchronousSavepoint' })
          }
        }
        // Recovery is offered what is there.
        const latest = coordinator.latestCompleted()
        if (latest !== undefined) {
          expect(visible).toContain(latest.checkpointId)
          expect(discarded).not.toContain(latest.checkpointId)
        }
      }),
      { numRuns: 400, seed: 1 },
    )
  })

  it('nothing that was triggered before a stop completes after the stop has settled', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), async (scheduler) => {
        const { log } = await race(scheduler, ['succeeds'], ['stop'])
        const before = log.slice(0, log.indexOf('stopped')).filter((line) => line.startsWith('checkpoint.triggered '))
        const after = log.slice(log.indexOf('settled'))
        for (const line of before) expect(after).not.toContain(line.replace('checkpoint.triggered', 'told complete'))
      }),
      { numRuns: 200, seed: 1 },
    )
  })
})
