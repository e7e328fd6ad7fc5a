import { describe, expect, it } from 'vitest'
import { JOB, TOTALS } from '../routes/orders-ids.ts'
import { measurements, ordersGraph, ordersJob } from '../routes/orders-job.ts'
import { metricCluster, TASK_MANAGER } from './metric-cluster.ts'

const SUBTASKS = `/jobs/${JOB}/vertices/${TOTALS}/subtasks/metrics`

describe('A query of metrics', () => {
  it('puts the subtasks together as it says, and in every way where it does not', async () => {
    const cluster = await metricCluster()
    expect((await cluster.get(`${SUBTASKS}?get=numRecordsIn`)).body).toEqual([
      { id: 'numRecordsIn', min: 10, max: 31, avg: 20.5, sum: 41, skew: expect.closeTo(51.2195, 3) },
    ])
    expect((await cluster.get(`${SUBTASKS}?get=numRecordsIn&agg=max,SUM`)).body).toEqual([
      { id: 'numRecordsIn', max: 31, sum: 41 },
    ])
  })

  it('takes some subtasks, by number and by range', async () => {
    const cluster = await metricCluster()
    const sum = async (subtasks: string) =>
      (await cluster.get(`${SUBTASKS}?get=numRecordsIn&agg=sum&subtasks=${subtasks}`)).body[0]?.sum
    expect(await Promise.all(['0', '1', '0,1', '0-999999999', '1-5', '7'].map(sum))).toEqual([
      10,
      31,
      41,
      41,
      31,
      undefined,
    ])
    expect((await cluster.get(`${SUBTASKS}?subtasks=one`)).status).toBe(400)
  })

  it('leaves out what it does not know and what is no number', async () => {
    const cluster = await metricCluster()
    expect((await cluster.get(`${SUBTASKS}?get=no.such.metric,isBackPressured`)).body).toEqual([])
    const { body } = await cluster.get(`/jobs/${JOB}/metrics?get=numRestarts,no.such.metric`)
    expect(body).toEqual([{ id: 'numRestarts', value: '2' }])
  })

  it('puts jobs together, those that it names', async () => {
    const other = { ...ordersJob(ordersGraph({ restarts: 4 })), jobId: 'e'.repeat(32), measurements: () => [] }
    const cluster = await metricCluster({ more: [other] })
    const restarts = async (query: string) => (await cluster.get(`/jobs/metrics?get=numRestarts${query}`)).body[0]?.sum
    expect(await restarts('')).toBe(6)
    expect(await restarts(`&jobs=${'E'.repeat(32)}`)).toBe(4)
    expect((await cluster.get('/jobs/metrics?jobs=x')).status).toBe(400)
  })

  it('gives nothing of another task manager', async () => {
    const cluster = await metricCluster()
    const names = '?get=Status.JVM.Threads.Count'
    expect((await cluster.get(`/taskmanagers/nobody/metrics${names}`)).body).toEqual([])
    expect((await cluster.get(`/taskmanagers/metrics${names}&taskmanagers=nobody`)).body).toEqual([])
    expect((await cluster.get(`/taskmanagers/${TASK_MANAGER}/metrics${names}`)).body).toHaveLength(1)
  })

  it('is refused where it names more than 500 metrics', async () => {
    const cluster = await metricCluster()
    const names = (count: number) => Array.from({ length: count }, (_, place) => `m${place}`).join()
    expect((await cluster.get(`${SUBTASKS}?get=${names(500)}`)).status).toBe(200)
    expect((await cluster.get(`${SUBTASKS}?get=${names(501)}`)).status).toBe(400)
  })

  it('takes long nonsense for a name that nothing has, or refuses it', async () => {
    const cluster = await metricCluster()
    const nonsense = `${'a'.repeat(50_000)}!`
    const statuses = ['get', 'taskmanagers', 'agg', 'subtasks', 'jobs'].map(async (name) => {
      const path = name === 'jobs' ? '/jobs/metrics' : name === 'taskmanagers' ? '/taskmanagers/metrics' : SUBTASKS
      return (await cluster.get(`${path}?get=numRecordsIn&${name}=${nonsense}`)).status
    })
    expect(await Promise.all(statuses)).toEqual([200, 200, 400, 400, 400])
  })
})

describe('The metrics of a job', () => {
  const of = async (cluster: Awaited<ReturnType<typeof metricCluster>>, names: string) => {
    const { body } = await cluster.get(`/jobs/${JOB}/metrics?get=${names}`)
    return (body as { value: string }[]).map(({ value }) => value)
  }

  it('tell how long it has been in its state, and 0 for every other', async () => {
    const cluster = await metricCluster()
    expect(await of(cluster, 'runningTime,restartingTime,uptime,downtime')).toEqual(['2000', '0', '2000', '0'])
    cluster.clock.advance(3_000)
    expect(await of(cluster, 'runningTime,allSubTasksRunningOrFinishedTime')).toEqual(['5000', '4900'])
  })

  it('tell of the newest checkpoint, be it a savepoint, and -1 where there is none', async () => {
    const cluster = await metricCluster()
    expect(await of(cluster, 'lastCompletedCheckpointId,lastCheckpointExternalPath')).toEqual([
      '25',
      expect.stringMatching(/^file:\//),
    ])
  })

  it('tell how long a job was up that has ended', async () => {
    const cluster = await metricCluster()
    cluster.changing.graph = ordersGraph({ status: 'FINISHED', endedAtMs: 1_000_700 })
    cluster.clock.advance(60_000)
    expect(await of(cluster, 'uptime,runningTime')).toEqual(['700', '0'])
  })
})

describe('The process', () => {
  it('has the load of its cores, collections of garbage and the delay of its event loop', async () => {
    const cluster = await metricCluster()
    await cluster.get('/jobmanager/metrics')
    cluster.clock.advance(1_000)
    const names =
      'Status.JVM.CPU.Load,Status.JVM.GarbageCollector.All.Time,Status.JVM.GarbageCollector.Scavenge.Count,Status.EventLoop.DelayMaxMs,Status.JVM.Threads.Count'
    const { body } = await cluster.get(`/jobmanager/metrics?get=${names}`)
    expect((body as { value: string }[]).map(({ value }) => value)).toEqual(['0.5', '40', '8', '12.5', '11'])
  })

  it('has room in channels and cache for state as its memory', async () => {
    const cluster = await metricCluster()
    const { configuration } = ordersGraph()
    const written = [{ key: 'state.backend.leveldb.cache-size', value: '64 mb' }]
    cluster.changing.graph = ordersGraph({ configuration: { ...configuration, stateBackend: 'leveldb', written } })
    cluster.changing.measurements = [{ ...measurements(1, 0, 10), inputQueueLength: 3 }]
    const names =
      'Status.Flink.Memory.Managed.Total,Status.Shuffle.Netty.TotalMemorySegments,Status.Shuffle.Netty.AvailableMemorySegments,Status.Shuffle.Netty.UsedMemory'
    const { body } = await cluster.get(`/taskmanagers/${TASK_MANAGER}/metrics?get=${names}`)
    expect((body as { value: string }[]).map(({ value }) => value)).toEqual(['67108864', '10', '7', '61'])
  })
})
