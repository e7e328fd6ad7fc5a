/** The metrics of made-up jobs on a clock that stands still until it is driven, asked through the application without a socket. */
import { codeLayer } from '../../../../src/base/config/configuration-layer.ts'
import { ConfigurationReader } from '../../../../src/base/config/configuration-reader.ts'
import { silentLogger } from '../../../../src/base/logger.ts'
import { systemPorts } from '../../../../src/base/system-ports.ts'
import { VirtualClock } from '../../../../src/base/virtual-clock.ts'
import { ALL_ROUTES } from '../../../../src/rest/all-routes.ts'
import { asyncOperations } from '../../../../src/rest/async-operations.ts'
import { makeLogRing } from '../../../../src/rest/log-ring.ts'
import { makeMetricStore } from '../../../../src/rest/metric-store.ts'
import { restApplication } from '../../../../src/rest/rest-application.ts'
import type { RestCluster } from '../../../../src/rest/rest-cluster.ts'
import { readRestSettings } from '../../../../src/rest/rest-settings.ts'
import { ServedJobs } from '../../../../src/rest/served-jobs.ts'
import type { ExecutionGraphSnapshot, JobHandle, TaskMeasurements } from '../../../../src/runtime/job-handle.ts'
import { processFacts } from '../cluster-fixture.ts'
import { NOW, ordersGraph, ordersJob, ordersMeasurements } from '../routes/orders-job.ts'

export const TASK_MANAGER = 'aaaaaaaabbbbbbbbccccccccdddddddd'

/** What changes of the job while a test goes on. */
export interface Changing {
  graph: ExecutionGraphSnapshot
  measurements: readonly TaskMeasurements[]
}

export interface MetricCluster {
  readonly clock: VirtualClock
  readonly cluster: RestCluster
  readonly job: JobHandle
  readonly changing: Changing
  /** How often the numbers of the job were read. */
  looks(): number
  get(path: string): Promise<Answer>
  post(path: string, body: unknown): Promise<Answer>
}

export interface Answer {
  readonly status: number
  readonly type: string | null
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of many shapes.
  readonly body: any
}

export async function metricCluster({
  configuration = {},
  more = [],
}: {
  configuration?: Readonly<Record<string, unknown>>
  more?: readonly JobHandle[]
} = {}): Promise<MetricCluster> {
  const clock = new VirtualClock({ startMs: NOW })
  const changing: Changing = { graph: ordersGraph(), measurements: ordersMeasurements() }
  let looks = 0
  const job: JobHandle = {
    ...ordersJob(),
    status: () => changing.graph.status,
    executionGraph: () => changing.graph,
    measurements() {
      looks++
      return changing.measurements
    },
  }
  const cluster = await clusterOf(clock, [...more, job], configuration)
  const respond = restApplication({ routes: ALL_ROUTES, cluster })
  const ask = async (path: string, init: { method: string; headers: Record<string, string>; body?: string }) => {
    const response = await respond(new Request(`http://localhost${path}`, init))
    const type = response.headers.get('content-type')
    const text = await response.text()
    return { status: response.status, type, body: type?.startsWith('application/json') ? JSON.parse(text) : text }
  }
  const headers = { host: 'localhost' }
  return {
    clock,
    cluster,
    job,
    changing,
    looks: () => looks,
    get: (path) => ask(path, { method: 'GET', headers }),
    post(path, body) {
      const text = JSON.stringify(body)
      const more = { 'content-type': 'application/json', 'content-length': String(text.length) }
      return ask(path, { method: 'POST', headers: { ...headers, ...more }, body: text })
    },
  }
}

async function clusterOf(
  clock: VirtualClock,
  jobs: readonly JobHandle[],
  values: Readonly<Record<string, unknown>>,
): Promise<RestCluster> {
  const configuration = new ConfigurationReader([codeLayer(values)])
  const served = new ServedJobs()
  for (const job of jobs) served.add(job)
  const process = processFacts()
  const log = makeLogRing(clock)
  return {
    ports: systemPorts({ clock, logger: log.through(silentLogger) }),
    configuration,
    settings: await readRestSettings({}, configuration),
    jobs: served,
    operations: asyncOperations({ clock, storeDurationMs: 300_000 }),
    metrics: makeMetricStore({ clock }, process, served),
    log,
    process,
    taskManagerId: TASK_MANAGER,
    startedAtMs: clock.now(),
  }
}
