import { describe, expect, it } from 'vitest'
import type { JobVertex } from '../../../src/graph/job-graph.ts'
import type { SubtaskCheckpointMetrics } from '../../../src/runtime/checkpoint-metrics.ts'
import { CheckpointStatistics } from '../../../src/runtime/checkpoint-statistics.ts'

const vertexOf = (name: string, parallelism: number): JobVertex => ({
  ...{ id: name.repeat(32), name, parallelism, maxParallelism: 128, maxParallelismIsSet: false, operators: [] },
})

const metricsOf = (given: Partial<SubtaskCheckpointMetrics> = {}): SubtaskCheckpointMetrics => ({
  ...{ startDelayMs: 1, alignmentMs: 2, unaligned: false, syncMs: 3, asyncMs: 4 },
  ...{ processedBytes: 0, persistedBytes: 0, checkpointedBytes: 10, stateBytes: 100 },
  ...given,
})

const [SOURCE, MAP_1, MAP_2] = [
  { vertex: 0, subtask: 0 },
  { vertex: 1, subtask: 0 },
  { vertex: 1, subtask: 1 },
] as const

/** A source and two maps; one checkpoint a second. */
function fixture(most = 10) {
  const statistics = new CheckpointStatistics([vertexOf('a', 1), vertexOf('b', 2)], most)
  const trigger = (checkpointId: number, kind: 'checkpoint' | 'savepoint' = 'checkpoint') =>
    statistics.triggered({ checkpointId, kind, triggeredAtMs: checkpointId * 1000 }, [])
  const acknowledge = (checkpointId: number, tookMs = 100, metrics = metricsOf()) => {
    for (const place of [SOURCE, MAP_1, MAP_2])
      statistics.acknowledged(checkpointId, place, checkpointId * 1000 + tookMs, metrics)
  }
  const complete = (checkpointId: number, kind: 'checkpoint' | 'savepoint' = 'checkpoint') => {
    trigger(checkpointId, kind)
    acknowledge(checkpointId)
    return statistics.completed(checkpointId, checkpointId * 1000 + 150, `/chk-${checkpointId}`)
  }
  const ids = () => statistics.snapshot().history.map(({ checkpointId }) => checkpointId)
  return { statistics, trigger, acknowledge, complete, ids }
}

describe('The statistics of the checkpoints of a job', () => {
  it('begin with nothing', () => {
    const { statistics } = fixture()
    expect(statistics.snapshot()).toMatchObject({
      counts: { total: 0, inProgress: 0, completed: 0, failed: 0, restored: 0 },
      latest: { completed: null, savepoint: null, failed: null, restored: null },
      summary: { endToEndMs: { max: 0, p50: null } },
      history: [],
    })
  })

  it('show one in progress: who has acknowledged, and what so far', () => {
    const { statistics, trigger } = fixture()
    trigger(1)
    expect(statistics.snapshot().history[0]).toMatchObject({ latestAckAtMs: null, endToEndMs: null, stateBytes: 0 })
    statistics.acknowledged(1, MAP_2, 1030, metricsOf({ unaligned: true, persistedBytes: 7 }))
    const { counts, history } = statistics.snapshot()
    expect(counts).toEqual({ total: 1, inProgress: 1, completed: 0, failed: 0, restored: 0 })
    expect(history[0]).toMatchObject({
      ...{ checkpointId: 1, kind: 'checkpoint', status: 'IN_PROGRESS', unaligned: true, savepointFormat: null },
      ...{ triggeredAtMs: 1000, endedAtMs: null, failure: null, path: null, discarded: false },
      ...{ numSubtasks: 3, numAcknowledgedSubtasks: 1, latestAckAtMs: 1030, endToEndMs: 30, persistedBytes: 7 },
    })
    expect(history[0]?.vertices.map((vertex) => vertex.subtasks)).toEqual([
      [{ status: 'PENDING_OR_FAILED', index: 0 }],
      [
        { status: 'PENDING_OR_FAILED', index: 0 },
        {
          ...{ status: 'COMPLETED', index: 1, ackAtMs: 1030, endToEndMs: 30 },
          ...metricsOf({ unaligned: true, persistedBytes: 7 }),
        },
      ],
    ])
  })

  it('sum up each vertex and each checkpoint, and summarise the subtasks of a vertex', () => {
    const { statistics, trigger } = fixture()
    trigger(1)
    statistics.acknowledged(1, SOURCE, 1010, metricsOf({ checkpointedBytes: 1, stateBytes: 2 }))
    statistics.acknowledged(1, MAP_1, 1200, metricsOf({ alignmentMs: 40, processedBytes: 5, persistedBytes: 50 }))
    statistics.acknowledged(1, MAP_2, 1100, metricsOf({ alignmentMs: 20, processedBytes: 6, startDelayMs: 9 }))
    expect(statistics.completed(1, 1250, null)).toEqual({
      ...{ unaligned: false, alignmentMs: 40, processedBytes: 11, persistedBytes: 50 },
    })
    const [one] = statistics.snapshot().history
    expect(one).toMatchObject({
      ...{ status: 'COMPLETED', endedAtMs: 1250, latestAckAtMs: 1200, endToEndMs: 200, path: null },
      ...{ checkpointedBytes: 21, stateBytes: 202, processedBytes: 11, persistedBytes: 50 },
      ...{ numSubtasks: 3, numAcknowledgedSubtasks: 3 },
    })
    expect(one?.vertices[1]).toMatchObject({
      ...{ id: 'b'.repeat(32), name: 'b', numSubtasks: 2, numAcknowledgedSubtasks: 2, latestAckAtMs: 1200 },
      ...{ endToEndMs: 200, checkpointedBytes: 20, stateBytes: 200, processedBytes: 11, persistedBytes: 50 },
      summary: {
        endToEndMs: { min: 100, max: 200, avg: 150, p50: 150 },
        alignmentMs: { min: 20, max: 40 },
        startDelayMs: { min: 1, max: 9 },
        syncMs: { min: 3, max: 3 },
        asyncMs: { min: 4, max: 4 },
        persistedBytes: { min: 0, max: 50 },
      },
    })
  })

  it('tell of one that failed how long it lasted and why; nothing of it is in the summary', () => {
    const { statistics, trigger, acknowledge } = fixture()
    trigger(1)
    acknowledge(1)
    statistics.aborted(1, 1700, { reason: 'CHECKPOINT_EXPIRED', message: 'too slow' })
    const { counts, latest, history, summary } = statistics.snapshot()
    expect(counts).toMatchObject({ total: 1, inProgress: 0, completed: 0, failed: 1 })
    expect(history[0]).toMatchObject({
      ...{ status: 'FAILED', endedAtMs: 1700, endToEndMs: 700, numAcknowledgedSubtasks: 3 },
      failure: { reason: 'CHECKPOINT_EXPIRED', message: 'too slow' },
    })
    expect(latest.failed).toEqual(history[0])
    expect(summary.endToEndMs.p50).toBeNull()
  })

  it('summarise all that completed, also those that the history has let go of', () => {
    const { statistics, trigger, acknowledge } = fixture(2)
    for (const [index, tookMs] of [100, 200, 600].entries()) {
      trigger(index + 1)
      acknowledge(index + 1, tookMs, metricsOf({ stateBytes: tookMs }))
      statistics.completed(index + 1, 9000, null)
    }
    expect(statistics.snapshot().summary).toMatchObject({
      endToEndMs: { min: 100, max: 600, avg: 300, p50: 200 },
      stateBytes: { min: 300, max: 1800, avg: 900 },
    })
  })

  it('list the last ones to be triggered, newest first, and keep the latest of each kind beside', () => {
    const { statistics, trigger, complete, ids } = fixture(3)
    complete(1)
    complete(2, 'savepoint')
    trigger(3)
    statistics.aborted(3, 3001, { reason: 'CHECKPOINT_DECLINED', message: '' })
    for (const id of [4, 5, 6]) trigger(id)
    expect(ids()).toEqual([6, 5, 4])
    const { latest, counts } = statistics.snapshot()
    expect(latest.completed).toMatchObject({ checkpointId: 1, path: '/chk-1', savepointFormat: null })
    expect(latest.savepoint).toMatchObject({ checkpointId: 2, savepointFormat: 'CANONICAL' })
    expect(latest.failed?.checkpointId).toBe(3)
    expect(counts).toEqual({ total: 6, inProgress: 3, completed: 2, failed: 1, restored: 0 })
  })

  it('count one that ends after the history has let go of it', () => {
    const { statistics, trigger, acknowledge, ids } = fixture(1)
    trigger(1)
    trigger(2)
    acknowledge(1)
    statistics.completed(1, 2100, null)
    expect(ids()).toEqual([2])
    const { counts, latest } = statistics.snapshot()
    expect(counts).toMatchObject({ total: 2, inProgress: 1, completed: 1 })
    expect(latest.completed?.checkpointId).toBe(1)
  })

  it('count a subtask that had finished before as acknowledged, with nothing', () => {
    const { statistics } = fixture()
    statistics.triggered({ checkpointId: 1, kind: 'checkpoint', triggeredAtMs: 1000 }, [SOURCE])
    const [one] = statistics.snapshot().history
    expect(one).toMatchObject({ numAcknowledgedSubtasks: 1, checkpointedBytes: 0, endToEndMs: 0 })
    expect(one?.vertices[0]?.subtasks).toMatchObject([{ status: 'COMPLETED', ackAtMs: 1000, stateBytes: 0 }])
  })

  it('drop what is acknowledged for a checkpoint that has ended, or that nobody knows', () => {
    const { statistics, trigger } = fixture()
    trigger(1)
    statistics.aborted(1, 1700, { reason: 'CHECKPOINT_EXPIRED', message: '' })
    const before = statistics.snapshot()
    for (const id of [1, 7]) statistics.acknowledged(id, SOURCE, 1800, metricsOf())
    expect(statistics.snapshot()).toEqual(before)
  })

  it('say which were deleted, which savepoints are native, and what tasks were started from', () => {
    const { statistics, trigger, acknowledge, complete } = fixture()
    complete(1)
    complete(2)
    statistics.discarded(1)
    expect(statistics.snapshot().history.map(({ discarded }) => discarded)).toEqual([false, true])
    statistics.discarded(2)
    expect(statistics.snapshot().latest.completed?.discarded).toBe(true)
    statistics.discarded(99)
    trigger(3, 'savepoint')
    statistics.native(3)
    acknowledge(3)
    statistics.completed(3, 3200, '/savepoint')
    const restored = { checkpointId: 2, kind: 'checkpoint', restoredAtMs: 4000, path: null } as const
    statistics.restored(restored)
    const { counts, latest } = statistics.snapshot()
    expect(latest.savepoint?.savepointFormat).toBe('NATIVE')
    expect(latest.restored).toEqual(restored)
    expect(counts.restored).toBe(1)
  })

  it('are plain JSON, and what was given out does not change any more', () => {
    const { statistics, trigger, complete } = fixture()
    complete(1)
    trigger(2)
    const given = statistics.snapshot()
    const text = JSON.stringify(given)
    expect(JSON.parse(text)).toEqual(given)
    statistics.acknowledged(2, MAP_1, 2001, metricsOf())
    statistics.discarded(1)
    expect(JSON.stringify(given)).toBe(text)
  })
})
