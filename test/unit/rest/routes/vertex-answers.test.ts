import { describe, expect, it } from 'vitest'
import { statisticsOf } from '../../../../src/rest/subtask-statistics.ts'
import type { AttemptSnapshot } from '../../../../src/runtime/execution-graph-snapshot.ts'
import { JOB, SOURCE, TOTALS } from './orders-ids.ts'
import { NOW, ordersGraph, ordersJob, over, vertex } from './orders-job.ts'
import { ask } from './read-routes.ts'

const AT = `/jobs/${JOB}/vertices/${TOTALS}`
const NEVER: AttemptSnapshot = {
  ...{ attempt: 0, executionAttempt: 0, status: 'SCHEDULED', endedAtMs: null, failure: null },
  statusAtMs: { CREATED: NOW - 500, SCHEDULED: NOW - 400 },
}

const waiting = () => [ordersJob(ordersGraph({ vertices: [vertex(SOURCE, 'Source', [NEVER])], edges: [] }))]

describe('A vertex', () => {
  it('shows each subtask with the time it was in each state', async () => {
    const { body } = await ask(AT)
    expect(body.subtasks).toHaveLength(2)
    expect(body.subtasks[1]).toMatchObject({
      ...{ subtask: 1, status: 'RUNNING', attempt: 2, endpoint: 'localhost:4711', 'taskmanager-id': 'ab'.repeat(16) },
      ...{ 'start-time': 1_000_030, start_time: 1_000_030, 'end-time': -1, duration: 1_970 },
      'status-duration': { CREATED: 10, SCHEDULED: 20, DEPLOYING: 30, INITIALIZING: 40, RUNNING: 1_900 },
    })
  })

  it('compares its subtasks', async () => {
    const { body } = await ask(AT)
    expect(body.aggregated.metrics['read-records']).toEqual({
      ...{ min: 10, max: 31, avg: 20, sum: 41, median: 20, p25: 10, p75: 31, p95: 31 },
    })
    expect(body.aggregated['status-duration'].RUNNING).toMatchObject({ min: 1_900, sum: 3_800 })
  })

  it('that waits has not begun: -1', async () => {
    const { body } = await ask(`/jobs/${JOB}/vertices/${SOURCE}`, { jobs: waiting() })
    expect(body.subtasks[0]).toMatchObject({
      ...{ status: 'SCHEDULED', 'start-time': -1, 'end-time': -1, duration: -1 },
      'status-duration': { CREATED: 100, SCHEDULED: 400, DEPLOYING: -1, INITIALIZING: -1, RUNNING: -1 },
    })
    const job = await ask(`/jobs/${JOB}`, { jobs: waiting() })
    expect(job.body.vertices[0]).toMatchObject({ status: 'CREATED', 'start-time': -1, 'end-time': -1, duration: -1 })
  })

  it('that is over lasted from the first deployment to the last end', async () => {
    const attempts = [over(0, 'FINISHED', 100_000, 3_000), over(0, 'FINISHED', 101_000, 1_000)]
    const jobs = [ordersJob(ordersGraph({ vertices: [vertex(TOTALS, 'Totals', attempts)], edges: [] }))]
    const { body } = await ask(`${AT}/taskmanagers`, { jobs })
    expect(body.taskmanagers).toHaveLength(1)
    expect(body.taskmanagers[0]).toMatchObject({
      ...{ status: 'FINISHED', 'start-time': 100_030, 'end-time': 103_000, duration: 2_970 },
      'status-counts': { FINISHED: 2, RUNNING: 0 },
    })
  })

  it('lasted for no time by a clock that was set back: -1 would say that it never ran', async () => {
    const ahead: AttemptSnapshot = { ...NEVER, statusAtMs: { SCHEDULED: NOW + 100, DEPLOYING: NOW + 200 } }
    const vertices = [vertex(SOURCE, 'Source', [ahead]), vertex(TOTALS, 'Totals', [over(0, 'FINISHED', NOW, -4_000)])]
    const jobs = [ordersJob(ordersGraph({ startedAtMs: NOW + 50, vertices, edges: [] }))]
    const { body } = await ask(`/jobs/${JOB}`, { jobs })
    const durations = body.vertices.map(({ duration }: { duration: number }) => duration)
    expect([body.duration, ...durations]).toEqual([0, 0, 0])
    const { body: source } = await ask(`/jobs/${JOB}/vertices/${SOURCE}`, { jobs })
    expect(source.subtasks[0]).toMatchObject({ duration: 0, 'status-duration': { DEPLOYING: 0, RUNNING: -1 } })
    const { body: times } = await ask(`/jobs/${JOB}/vertices/${SOURCE}/subtasktimes`, { jobs })
    expect(times.subtasks[0].duration).toBe(0)
  })

  it('has times of subtasks since they were scheduled, 0 for a state never entered', async () => {
    const { body } = await ask(`${AT}/subtasktimes`)
    expect(body.subtasks[0]).toMatchObject({ duration: 1_990, timestamps: { SCHEDULED: 1_000_010, FAILED: 0 } })
    expect(Object.keys(body.subtasks[0].timestamps)).toHaveLength(10)
  })
})

describe('A subtask', () => {
  it('is shown in its newest attempt', async () => {
    expect((await ask(`${AT}/subtasks/1`)).body).toMatchObject({ subtask: 1, attempt: 2, status: 'RUNNING' })
  })

  it('is shown in the attempts before, which have ended', async () => {
    const { body } = await ask(`${AT}/subtasks/0/attempts/0`)
    expect(body).toMatchObject({ attempt: 0, status: 'FAILED', 'end-time': 503_000, duration: 2_970 })
    expect(body['status-duration']).toMatchObject({ RUNNING: 2_900 })
    expect(body.metrics).toMatchObject({ 'read-records': 0, 'read-records-complete': false })
  })

  it('has a name for each attempt', async () => {
    const answer = await ask(`${AT}/subtasks/1/attempts/2/accumulators`)
    expect(answer.body).toEqual({ subtask: 1, attempt: 2, id: `${JOB}_${TOTALS}_1_2`, 'user-accumulators': [] })
  })
})

describe('Statistics of subtasks', () => {
  it('are whole, and percentiles lie between neighbours', () => {
    expect(statisticsOf([1, 2, 3, 4, 5, 6, 7, 8, 9, 100])).toEqual({
      ...{ min: 1, max: 100, avg: 14, sum: 145, median: 5, p25: 2, p75: 8, p95: 100 },
    })
  })

  it('of one subtask are its own number, of none are 0', () => {
    expect(new Set(Object.values(statisticsOf([-1])))).toEqual(new Set([-1]))
    expect(new Set(Object.values(statisticsOf([])))).toEqual(new Set([0]))
  })
})
