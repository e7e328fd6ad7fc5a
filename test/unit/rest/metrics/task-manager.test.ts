import { describe, expect, it } from 'vitest'
import { taskSlots } from '../../../../src/rest/task-slots.ts'
import type { JobHandle } from '../../../../src/runtime/job-handle.ts'
import { JOB } from '../routes/orders-ids.ts'
import { ordersGraph, ordersJob } from '../routes/orders-job.ts'
import { metricCluster, TASK_MANAGER } from './metric-cluster.ts'

/** Its widest vertex has two subtasks. */
function job(startedAtMs: number, endedAtMs: number | null): JobHandle {
  return ordersJob(ordersGraph({ startedAtMs, endedAtMs, status: endedAtMs === null ? 'RUNNING' : 'FINISHED' }))
}

describe('The slots of the task manager', () => {
  it('are as many as jobs needed at once at most, and one at least', () => {
    expect(taskSlots([])).toEqual({ total: 1, free: 1 })
    expect(taskSlots([job(0, null)])).toEqual({ total: 2, free: 0 })
    expect(taskSlots([job(0, 10), job(20, 30), job(25, null)])).toEqual({ total: 4, free: 2 })
  })

  it('go from a job that ends to one that begins at that moment', () => {
    expect(taskSlots([job(0, 10), job(10, null)])).toEqual({ total: 2, free: 0 })
  })

  it('are shown with the tasks that share each', async () => {
    const { get } = await metricCluster()
    const { body } = await get(`/taskmanagers/${TASK_MANAGER}`)
    expect(body).toMatchObject({ id: TASK_MANAGER, slotsNumber: 2, freeSlots: 0, assignedTasks: 4 })
    expect(body.allocatedSlots).toMatchObject([
      { jobId: JOB, assignedTasks: 3 },
      { jobId: JOB, assignedTasks: 1 },
    ])
    expect((await get('/overview')).body).toMatchObject({ taskmanagers: 1, 'slots-total': 2, 'jobs-running': 1 })
  })
})

describe('The log that is shown', () => {
  it('is what was logged, one line each, with what could be mistaken for a line or a command escaped', async () => {
    const { cluster, clock, get } = await metricCluster()
    cluster.ports.logger.info('started')
    clock.advance(1_500)
    cluster.ports.logger.warn('slow\n1970-01-01T00:00:00.000Z ERROR made up \u001b[2J')
    const { body, type } = await get('/jobmanager/log')
    expect(type).toBe('text/plain')
    expect(body).toBe(
      '1970-01-01T00:16:42.000Z INFO  started\n1970-01-01T00:16:43.500Z WARN  slow\\n1970-01-01T00:00:00.000Z ERROR made up \\x1b[2J\n',
    )
    expect((await get(`/taskmanagers/${TASK_MANAGER}/log`)).body).toBe(body)
    expect((await get('/jobmanager/logs')).body).toEqual({
      logs: [{ name: 'flink.log', size: body.length, mtime: 1_003_500 }],
    })
  })

  it('keeps the newest megabyte', async () => {
    const { cluster } = await metricCluster()
    for (let line = 0; line < 140; line++) cluster.ports.logger.info(`${line} ${'x'.repeat(9_000)}`)
    expect(cluster.log.size).toBeLessThanOrEqual(1024 * 1024)
    expect(Buffer.byteLength(cluster.log.text())).toBe(cluster.log.size)
    expect(cluster.log.text()).toContain('INFO  139 xxx')
    expect(cluster.log.text()).not.toContain('INFO  0 xxx')
  })

  it('is found by its name alone: no name becomes a path', async () => {
    const { get } = await metricCluster()
    expect((await get('/jobmanager/logs/flink.log')).status).toBe(200)
    const names = [
      '..%2fflink.log',
      '..%252fflink.log',
      '....%2f%2fflink.log',
      '%c0%ae%c0%ae',
      '%2fetc%2fpasswd',
      'flink.log%00',
    ]
    for (const name of names) expect((await get(`/jobmanager/logs/${name}`)).status, name).toBeGreaterThanOrEqual(400)
    for (const name of names)
      expect((await get(`/taskmanagers/${TASK_MANAGER}/logs/${name}`)).status, name).toBeGreaterThanOrEqual(400)
  })
})

describe('The pages of the job manager', () => {
  it('show what was set and what the server goes by', async () => {
    const { get } = await metricCluster({ configuration: { 'web.refresh-interval': '2 s', 'parallelism.default': 3 } })
    const { body } = await get('/jobmanager/config')
    expect(body).toContainEqual({ key: 'parallelism.default', value: '3' })
    expect(body).toContainEqual({ key: 'rest.bind-address', value: '127.0.0.1' })
    expect((await get('/config')).body['refresh-interval']).toBe(2_000)
  })

  it('show a job’s own settings over those of the server', async () => {
    const { get } = await metricCluster({ configuration: { 'parallelism.default': 3 } })
    expect((await get(`/jobs/${JOB}/jobmanager/config`)).body).toContainEqual({
      key: 'parallelism.default',
      value: '2',
    })
  })

  it('show no secret', async () => {
    const cluster = await metricCluster()
    const { configuration } = ordersGraph()
    const written = [{ key: 'sink.password', value: 'canary' }]
    cluster.changing.graph = ordersGraph({ configuration: { ...configuration, written } })
    const { body } = await cluster.get(`/jobs/${JOB}/jobmanager/config`)
    expect(body).toContainEqual({ key: 'sink.password', value: '******' })
  })

  it('say what the process keeps open where Flink shows its threads', async () => {
    const { body } = await (await metricCluster()).get('/jobmanager/thread-dump')
    expect(body.threadInfos[0].stringifiedThreadInfo).toContain('keeps open Timeout, 2 times')
  })

  it('refuse to profile', async () => {
    const { post } = await metricCluster()
    expect((await post('/jobmanager/profiler', { duration: 1, mode: 'CPU' })).status).toBe(501)
  })
})
