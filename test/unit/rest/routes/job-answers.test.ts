import { describe, expect, it } from 'vitest'
import type { TaskStatus } from '../../../../src/runtime/job-handle.ts'
import { JOB, OUT, SOURCE, TOTALS } from './orders-ids.ts'
import { failure, NOW, ordersGraph, ordersJob, ordersMeasurements, over, running, vertex } from './orders-job.ts'
import { ask } from './read-routes.ts'

describe('The list of jobs', () => {
  it('has the newest first, with its tasks counted', async () => {
    const older = ordersGraph({ jobId: '0'.repeat(31).concat('1'), status: 'FINISHED', endedAtMs: 500_000 })
    const answer = await ask('/jobs/overview', { jobs: [ordersJob(older), ordersJob()] })
    const [newest, oldest] = answer.body.jobs
    expect(newest).toMatchObject({ jid: JOB, state: 'RUNNING', 'start-time': 400_000, 'end-time': -1 })
    expect(newest).toMatchObject({ duration: NOW - 400_000, 'last-modification': 1_000_100 })
    expect(newest.tasks).toMatchObject({ total: 4, running: 4, canceling: 0, reconciling: 0 })
    expect(oldest).toMatchObject({ state: 'FINISHED', 'end-time': 500_000, duration: 100_000 })
  })

  it('is empty where there is none', async () => {
    expect((await ask('/jobs/overview', { jobs: [] })).body).toEqual({ jobs: [] })
    expect((await ask('/jobs', { jobs: [] })).body).toEqual({ jobs: [] })
  })

  it('has each job as an application with the same id', async () => {
    const { body } = await ask('/applications/overview')
    expect(body.applications).toMatchObject([
      { id: JOB, name: 'SingleJobApplication(Running orders)', status: 'RUNNING', jobs: { RUNNING: 1 } },
    ])
  })

  it('knows the states that an application has', async () => {
    const statuses = ['RESTARTING', 'CANCELLING', 'SUSPENDED'] as const
    const jobs = statuses.map((status, i) => ordersJob(ordersGraph({ jobId: `${i}`.repeat(32), status })))
    const answer = await ask('/applications/overview', { jobs })
    expect(answer.body.applications.map(({ status }: { status: string }) => status)).toEqual([
      ...['CANCELED', 'CANCELING', 'RUNNING'],
    ])
  })
})

describe('A job', () => {
  it('says when it was in each of the eleven states, 0 for never', async () => {
    const { body } = await ask(`/jobs/${JOB}`)
    expect(Object.keys(body.timestamps)).toHaveLength(11)
    expect(body.timestamps).toMatchObject({ INITIALIZING: 400_000, RUNNING: 1_000_000, SUSPENDED: 0, RECONCILING: 0 })
  })

  it('counts its vertices by state, and in each vertex the subtasks', async () => {
    const totals = vertex(TOTALS, 'Totals', [running(2), over(2, 'FAILED', 1_000_000, 1_500)])
    const graph = ordersGraph()
    const vertices = graph.vertices.map((one) => (one.id === TOTALS ? totals : one))
    const { body } = await ask(`/jobs/${JOB}`, { jobs: [ordersJob({ ...graph, vertices })] })
    expect(body['status-counts']).toMatchObject({ RUNNING: 2, FAILED: 1, CANCELED: 0 })
    expect(body.vertices[1].tasks).toMatchObject({ RUNNING: 1, FAILED: 1 })
    expect(body.vertices[1]).toMatchObject({
      status: 'FAILED',
      'start-time': 1_000_030,
      'end-time': -1,
      duration: 1_970,
    })
  })

  it('adds up what its subtasks read and wrote', async () => {
    const { body } = await ask(`/jobs/${JOB}`)
    expect(body.vertices[1].metrics).toMatchObject({
      ...{ 'read-records': 41, 'write-bytes': 204 + 632, 'write-bytes-complete': true },
      ...{ 'accumulated-busy-time': 202, 'accumulated-idle-time': 3_400 },
    })
  })

  it('is marked where numbers of a subtask are missing', async () => {
    const job = { ...ordersJob(), measurements: () => ordersMeasurements().filter(({ subtask }) => subtask === 0) }
    const { body } = await ask(`/jobs/${JOB}`, { jobs: [job] })
    expect(body.vertices[1].metrics).toMatchObject({ 'read-records': 10, 'read-records-complete': false })
  })

  it('tells its status as it is now', async () => {
    const job = { ...ordersJob(), status: () => 'CANCELLING' as const }
    expect((await ask(`/jobs/${JOB}/status`, { jobs: [job] })).body).toEqual({ status: 'CANCELLING' })
  })

  it('shows what was set, and that records are not copied', async () => {
    const { body } = await ask(`/jobs/${JOB}/config`)
    expect(body['execution-config']).toEqual({
      'restart-strategy': 'Restart with fixed delay (PT1.5S). #10 restart attempts.',
      ...{ 'job-parallelism': 2, 'object-reuse-mode': true, 'user-config': { 'parallelism.default': '2' } },
    })
  })
})

describe('The state of a vertex', () => {
  const cases: readonly (readonly [TaskStatus, readonly TaskStatus[]])[] = [
    ['FAILED', ['RUNNING', 'CANCELING', 'FAILED']],
    ['CANCELING', ['CANCELED', 'CANCELING']],
    ['CANCELED', ['FINISHED', 'CANCELED']],
    ['INITIALIZING', ['RUNNING', 'INITIALIZING']],
    ['RUNNING', ['FINISHED', 'RUNNING']],
    ['RUNNING', ['FINISHED', 'SCHEDULED']],
    ['FINISHED', ['FINISHED', 'FINISHED']],
    ['CREATED', ['SCHEDULED', 'DEPLOYING']],
  ]
  it.each(cases)('is %s where its subtasks are %j', async (wanted, statuses) => {
    const attempts = statuses.map((status) => ({ ...running(0), status }))
    const graph = ordersGraph({ vertices: [vertex(SOURCE, 'Source', attempts)], edges: [] })
    expect((await ask(`/jobs/${JOB}`, { jobs: [ordersJob(graph)] })).body.vertices[0].status).toBe(wanted)
  })
})

describe('The plan of a job', () => {
  it('lists sinks first and names of vertices as text', async () => {
    const graph = ordersGraph()
    const vertices = graph.vertices.map((one) => ({ ...one, name: `<img src=x onerror="alert('1')"> & ${one.name}` }))
    const { body } = await ask(`/jobs/${JOB}/plan`, { jobs: [ordersJob({ ...graph, vertices })] })
    expect(body.plan.nodes.map(({ id }: { id: string }) => id)).toEqual([OUT, TOTALS, SOURCE])
    expect(body.plan.nodes[2]).toMatchObject({
      description: '&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt; &amp; Source: Orders<br/>',
    })
    expect(body.plan.nodes[2]).not.toHaveProperty('inputs')
  })

  it('has an input for each edge, with how records are spread over it', async () => {
    const edges = [
      { from: 1, to: 2, input: 1, partitioner: 'broadcast' },
      { from: 0, to: 2, input: 0, partitioner: 'forward' },
      { from: 0, to: 1, input: 0, partitioner: 'hash' },
    ] as const
    const { body } = await ask(`/jobs/${JOB}/plan`, { jobs: [ordersJob(ordersGraph({ edges }))] })
    expect(body.plan.nodes[0].inputs).toEqual([
      { id: SOURCE, num: 0, exchange: 'pipelined_bounded', ship_strategy: 'FORWARD' },
      { id: TOTALS, num: 1, exchange: 'pipelined_bounded', ship_strategy: 'BROADCAST' },
    ])
  })
})

describe('The result of a job', () => {
  it('is in progress until the job is over', async () => {
    const graph = ordersGraph({ status: 'CANCELLING' })
    const answer = await ask(`/jobs/${JOB}/execution-result`, { jobs: [ordersJob(graph)] })
    expect(answer.body).toEqual({ status: { id: 'IN_PROGRESS' } })
  })

  it('holds what failed it, for a Java client to read', async () => {
    const graph = ordersGraph({ status: 'FAILED', endedAtMs: 400_500, failures: [failure(2, 400_400)] })
    const { body } = await ask(`/jobs/${JOB}/execution-result`, { jobs: [ordersJob(graph)] })
    const result = body['job-execution-result']
    expect(result).toMatchObject({ 'application-status': 'FAILED', 'net-runtime': 500, 'end-time': 400_500 })
    expect(result['failure-cause']).toMatchObject({ class: 'RangeError' })
    expect(result['failure-cause']['serialized-throwable']).toMatch(/^rO0AB/)
  })

  it('of a finished job has no failure, though it had failed and gone on', async () => {
    const graph = ordersGraph({ status: 'FINISHED', endedAtMs: 400_500 })
    const { body } = await ask(`/jobs/${JOB}/execution-result`, { jobs: [ordersJob(graph)] })
    expect(body['job-execution-result']).toMatchObject({ 'application-status': 'SUCCEEDED' })
    expect(body['job-execution-result']).not.toHaveProperty('failure-cause')
  })
})
