/** All metrics of the process as Prometheus text, with the names, labels and types that Flink's reporter gives them. */
import { isOver } from '../api/ended-job.ts'
import type { JobHandle } from '../runtime/job-handle.ts'
import { attemptId } from './attempt-id.ts'
import { type Metric, metricNumber } from './metric.ts'
import type { SubtaskMetrics } from './metric-store.ts'
import type { Labels } from './prometheus-families.ts'
import type { RestCluster } from './rest-cluster.ts'

/** The metrics of one bearer. */
interface Scope {
  readonly name: string
  readonly labels: Labels
  readonly metrics: readonly Metric[]
}

/** With the content type that belongs to it. Jobs that have ended have none, as in Flink. */
export async function prometheusText(
  cluster: RestCluster,
): Promise<{ readonly text: string; readonly contentType: string }> {
  // Loaded by those who ask for it.
  const { PrometheusFamilies } = await import('./prometheus-families.ts')
  const families = new PrometheusFamilies()
  const isFiltered = cluster.configuration.get('metrics.reporter.prom.filterLabelValueCharacters')
  for (const { name: scope, labels, metrics } of scopesOf(cluster)) {
    const shown = isFiltered ? withFilteredValues(labels) : labels
    for (const metric of metrics) {
      const { name, help } = placeOf(scope, metric.name)
      families.add(name, help, shown, sample(metric))
    }
  }
  return await families.text()
}

function withFilteredValues(labels: Labels): Labels {
  return Object.fromEntries(Object.entries(labels).map(([label, value]) => [label, filtered(value)]))
}

function scopesOf(cluster: RestCluster): readonly Scope[] {
  const host = { host: cluster.process.host }
  const running = cluster.jobs.all().filter((job) => !isOver(job.status()))
  const taskManager = { ...host, tm_id: cluster.taskManagerId }
  return [
    { name: 'jobmanager', labels: host, metrics: cluster.metrics.jobManager() },
    { name: 'taskmanager', labels: taskManager, metrics: cluster.metrics.taskManager() },
    ...running.flatMap((job) => {
      const ofJob = { job_id: job.jobId, job_name: job.jobName }
      return [
        { name: 'jobmanager_job', labels: { ...host, ...ofJob }, metrics: cluster.metrics.job(job) },
        ...cluster.metrics.tasks(job).flatMap((task) => taskScopes(job, task, { ...taskManager, ...ofJob })),
      ]
    }),
  ]
}

function taskScopes(job: JobHandle, task: SubtaskMetrics, ofJob: Labels): readonly Scope[] {
  const vertex = job.executionGraph().vertices[task.vertex]
  if (vertex === undefined) return []
  const { current, previous } = vertex.subtasks[task.subtask] ?? { current: undefined, previous: [] }
  const attempts = current === undefined ? previous : [...previous, current]
  const attempt = attempts.find(({ executionAttempt }) => executionAttempt === task.executionAttempt)?.attempt ?? 0
  const labels = {
    ...ofJob,
    task_id: vertex.id,
    task_name: vertex.name,
    task_attempt_id: attemptId(job.jobId, vertex.id, task.subtask, attempt),
    task_attempt_num: String(attempt),
    subtask_index: String(task.subtask),
  }
  return [
    { name: 'taskmanager_job_task', labels, metrics: task.metrics },
    ...task.operators.map(({ id, name, metrics }) => ({
      name: 'taskmanager_job_task_operator',
      labels: { ...labels, operator_id: id, operator_name: name },
      metrics,
    })),
  ]
}

interface Place {
  readonly name: string
  readonly help: string
}

/** By scope and metric: names are few and come again with every bearer. */
const PLACES = new Map<string, Map<string, Place>>()
const MOST_PLACES_OF_A_SCOPE = 1000

/** The last part of a metric's name is its own; what stands before belongs to the scope. */
function placeOf(scope: string, metric: string): Place {
  const places = PLACES.get(scope) ?? new Map<string, Place>()
  PLACES.set(scope, places)
  const known = places.get(metric)
  if (known !== undefined) return known
  const parts = metric.split('.')
  const own = parts.pop() ?? metric
  const full = filtered([scope, ...parts].join('_'))
  const place = { name: `flink_${full}_${filtered(own)}`, help: `${own} (scope: ${full})` }
  if (places.size < MOST_PLACES_OF_A_SCOPE) places.set(metric, place)
  return place
}

function filtered(text: string): string {
  return text.replace(/[^a-zA-Z0-9:_]/g, '_')
}

/** Prometheus knows numbers alone: a text is 0. */
function sample(metric: Metric): number {
  return typeof metric.value === 'boolean' ? Number(metric.value) : (metricNumber(metric) ?? 0)
}
