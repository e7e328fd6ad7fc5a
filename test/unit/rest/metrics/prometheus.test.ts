import parse from 'parse-prometheus-text-format'
import { describe, expect, it } from 'vitest'
import { openPrometheusPort } from '../../../../src/rest/prometheus-port.ts'
import { prometheusPorts } from '../../../../src/rest/prometheus-settings.ts'
import { JOB, SOURCE, TOTALS } from '../routes/orders-ids.ts'
import { measurements, ordersGraph } from '../routes/orders-job.ts'
import { metricCluster, TASK_MANAGER } from './metric-cluster.ts'

const HOST = { host: 'host_example' }
const OF_JOB = { job_id: JOB, job_name: 'Running_orders' }

async function scrape(cluster: Awaited<ReturnType<typeof metricCluster>>) {
  const { body, type } = await cluster.get('/metrics/prometheus')
  return { type, text: body as string, families: new Map(parse(body).map((family) => [family.name, family])) }
}

describe('Metrics as Prometheus text', () => {
  it('are read by a parser of others, all of them gauges with the scope in their help', async () => {
    const { families, type } = await scrape(await metricCluster())
    expect(type).toMatch(/^text\/plain; version=0\.0\.4/)
    expect(families.size).toBeGreaterThan(80)
    expect([...families.values()].filter((family) => family.type !== 'GAUGE')).toEqual([])
    expect(families.get('flink_jobmanager_Status_JVM_Memory_Heap_Used')).toMatchObject({
      help: 'Used (scope: jobmanager_Status_JVM_Memory_Heap)',
      metrics: [{ labels: HOST, value: '50000000' }],
    })
    expect(families.get('flink_taskmanager_Status_JVM_CPU_Load')?.metrics[0]?.labels).toEqual({
      ...HOST,
      tm_id: TASK_MANAGER,
    })
  })

  it('have for a subtask the labels that Flink gives it, illegal characters made underscores', async () => {
    const { families } = await scrape(await metricCluster())
    const family = families.get('flink_taskmanager_job_task_numRecordsIn')
    expect(family?.metrics).toHaveLength(4)
    expect(family?.metrics.find(({ labels }) => labels?.task_id === SOURCE)).toEqual({
      value: '40',
      labels: {
        ...{ ...HOST, ...OF_JOB, tm_id: TASK_MANAGER, task_id: SOURCE, task_name: 'Source:_Orders' },
        ...{ task_attempt_id: `${JOB}_${SOURCE}_0_2`, task_attempt_num: '2', subtask_index: '0' },
      },
    })
  })

  it('have those of a job and of an operator under their scopes', async () => {
    const cluster = await metricCluster()
    const operator = {
      ...{ operatorId: 'a'.repeat(32), name: 'Totals', numRecordsIn: 10, numRecordsOut: 10, counts: {} },
      ...{ currentInputWatermarks: [-Infinity], currentOutputWatermark: 5 },
      stateCache: { hits: 7, misses: 2, bytes: 1_000 },
    }
    cluster.changing.measurements = [{ ...measurements(1, 0, 10), isBackPressured: true, operators: [operator] }]
    const { families } = await scrape(cluster)
    const value = (name: string) => Number(families.get(`flink_${name}`)?.metrics[0]?.value)
    expect(families.get('flink_jobmanager_job_numRestarts')?.metrics).toEqual([
      { labels: { ...HOST, ...OF_JOB }, value: '2' },
    ])
    expect(value('jobmanager_job_lastCheckpointExternalPath')).toBe(0)
    expect(value('jobmanager_numRunningJobs')).toBe(1)
    expect(value('taskmanager_job_task_isBackPressured')).toBe(1)
    expect(value('taskmanager_job_task_buffers_inPoolUsage')).toBe(0)
    expect(value('taskmanager_job_task_operator_currentInputWatermark')).toBe(-(2 ** 63))
    expect(value('taskmanager_job_task_operator_leveldb_cache_hit')).toBe(7)
    expect(families.get('flink_taskmanager_job_task_operator_numRecordsIn')?.metrics[0]?.labels).toMatchObject({
      ...{ operator_id: 'a'.repeat(32), operator_name: 'Totals', task_id: TOTALS },
    })
  })

  it('say nothing of a job that has ended', async () => {
    const cluster = await metricCluster()
    cluster.changing.graph = ordersGraph({ status: 'FINISHED', endedAtMs: 1_001_000 })
    const { text } = await scrape(cluster)
    expect(text).not.toContain('flink_taskmanager_job')
    expect(text).toContain('flink_jobmanager_numRunningJobs{host="host_example"} 0')
  })

  it('keep the characters of labels where that is wanted', async () => {
    const cluster = await metricCluster({
      configuration: { 'metrics.reporter.prom.filterLabelValueCharacters': false },
    })
    cluster.changing.graph = ordersGraph({ jobName: 'any' })
    expect((await scrape(cluster)).text).toContain('task_name="Source: Orders"')
  })

  it('cost one look, however many scrape within a second', async () => {
    const cluster = await metricCluster()
    for (let time = 0; time < 5; time++) await scrape(cluster)
    expect(cluster.looks()).toBe(1)
  })
})

describe('The port for Prometheus', () => {
  const ports = async (configuration: Record<string, unknown>) =>
    prometheusPorts((await metricCluster({ configuration })).cluster.configuration)

  it('is what the reporter named prom says, Flink’s where only its class is named, and none otherwise', async () => {
    expect(await ports({})).toBeUndefined()
    expect(await ports({ 'metrics.reporter.prom.port': '9250-9252' })).toEqual([9250, 9251, 9252])
    const factory = 'org.apache.flink.metrics.prometheus.PrometheusReporterFactory'
    expect(await ports({ 'metrics.reporter.prom.factory.class': factory })).toEqual([9249])
  })

  it('is refused where it is no range of ports', async () => {
    await expect(ports({ 'metrics.reporter.prom.port': '9252-9250' })).rejects.toThrow(/metrics.reporter.prom.port/)
  })

  it('answers with metrics and with nothing else', async () => {
    const { cluster } = await metricCluster({ configuration: { 'metrics.reporter.prom.port': '0' } })
    const listening = await openPrometheusPort(cluster)
    const get = (path: string) => fetch(`http://127.0.0.1:${listening?.port}${path}`)
    expect(await (await get('/metrics')).text()).toContain('# TYPE flink_jobmanager_numRunningJobs gauge')
    expect((await get('/')).status).toBe(200)
    expect((await get('/jobs/overview')).status).toBe(404)
    await listening?.close()
  })
})
