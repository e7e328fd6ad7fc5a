/**
 * All metrics of the process by scope, with Flink's names, made of looks at what the runtime counts. It looks when it is
 * asked, and at most once in a second; nothing is measured for it otherwise. Flink's MetricStore.
 */
import { isOver } from '../api/ended-job.ts'
import type { Clock } from '../base/clock.ts'
import type { ProcessFacts } from '../base/process-facts.ts'
import { RateWindow } from '../metrics/rate-window.ts'
import type { JobHandle, TaskMeasurements } from '../runtime/job-handle.ts'
import { jobMetrics } from './job-metrics.ts'
import type { Metric } from './metric.ts'
import { processMetrics } from './process-metrics.ts'
import type { ServedJobs } from './served-jobs.ts'
import { taskManagerMetrics } from './task-manager-metrics.ts'
import { countersOf, operatorMetrics, taskMetrics, timesOf } from './task-metrics.ts'
import { taskSlots } from './task-slots.ts'

export interface MetricStore {
  jobManager(): readonly Metric[]
  taskManager(): readonly Metric[]
  job(job: JobHandle): readonly Metric[]
  /** Of the newest attempt of every subtask that was ever measured. */
  tasks(job: JobHandle): readonly SubtaskMetrics[]
}

export interface SubtaskMetrics {
  /** Place in the job graph. */
  readonly vertex: number
  readonly subtask: number
  /** As events number it, from 1. */
  readonly executionAttempt: number
  /** Of the task as a whole. */
  readonly metrics: readonly Metric[]
  /** From head to tail. */
  readonly operators: readonly { readonly id: string; readonly name: string; readonly metrics: readonly Metric[] }[]
}

const LOOK_MS = 1000
/** Flink's meters look back over a minute, its gauges of time over less. */
const COUNTER_WINDOW_MS = 60_000
const TIME_WINDOW_MS = 5000

export function makeMetricStore(
  { clock }: { readonly clock: Clock },
  process: ProcessFacts,
  jobs: ServedJobs,
): MetricStore {
  const ofProcess = sparing(clock, processMetrics(clock, process))
  const ofJobs = new WeakMap<JobHandle, () => JobMetricsLook>()
  const look = (job: JobHandle): JobMetricsLook => {
    const known = ofJobs.get(job) ?? sparing(clock, jobLook(clock, job))
    ofJobs.set(job, known)
    return known()
  }
  const running = () => jobs.all().filter((job) => !isOver(job.status()))
  return {
    jobManager() {
      const { total, free } = taskSlots(jobs.all())
      return [
        { name: 'numRunningJobs', value: running().length },
        { name: 'numRegisteredTaskManagers', value: 1 },
        { name: 'taskSlotsTotal', value: total },
        { name: 'taskSlotsAvailable', value: free },
        ...ofProcess(),
      ]
    },
    taskManager: () => [
      ...ofProcess(),
      ...taskManagerMetrics(running().map((job) => ({ graph: job.executionGraph(), measured: look(job).measured }))),
    ],
    job: (job) => look(job).metrics,
    tasks: (job) => look(job).tasks,
  }
}

interface JobMetricsLook {
  readonly measured: readonly TaskMeasurements[]
  readonly metrics: readonly Metric[]
  readonly tasks: readonly SubtaskMetrics[]
}

/** `look`, but within a second of the last one what that gave. */
function sparing<T>(clock: Clock, look: () => T): () => T {
  let last: { readonly atMs: number; readonly seen: T } | undefined
  return () => {
    const atMs = clock.monotonic()
    if (last === undefined || atMs - last.atMs >= LOOK_MS) last = { atMs, seen: look() }
    return last.seen
  }
}

interface Windows {
  readonly executionAttempt: number
  readonly counters: RateWindow
  readonly times: RateWindow
}

function jobLook(clock: Clock, job: JobHandle): () => JobMetricsLook {
  const windows = new Map<string, Windows>()
  const looked = (task: TaskMeasurements): SubtaskMetrics => {
    const key = `${task.vertex}/${task.subtask}`
    const known = windows.get(key)
    const own = known?.executionAttempt === task.executionAttempt ? known : windowsOf(task, clock.monotonic())
    windows.set(key, own)
    return subtaskMetrics(task, job.executionGraph().vertices[task.vertex]?.isSource ?? false, own, clock.monotonic())
  }
  return () => {
    const measured = newestAttempts(job.measurements())
    return {
      measured,
      metrics: jobMetrics(job.executionGraph(), job.checkpoints(), clock.now()),
      tasks: measured.map(looked),
    }
  }
}

/** The times of an attempt add up to how long it has been RUNNING: its totals were 0 that long ago. */
function windowsOf(task: TaskMeasurements, nowMs: number): Windows {
  const startedAtMs = nowMs - timesOf(task).reduce((sum, ms) => sum + ms, 0)
  return {
    executionAttempt: task.executionAttempt,
    counters: new RateWindow(COUNTER_WINDOW_MS, startedAtMs),
    times: new RateWindow(TIME_WINDOW_MS, startedAtMs),
  }
}

function subtaskMetrics(task: TaskMeasurements, isSource: boolean, windows: Windows, nowMs: number): SubtaskMetrics {
  windows.counters.add(nowMs, countersOf(task))
  windows.times.add(nowMs, timesOf(task))
  const rates = task.isOver
    ? { counters: [], times: [] }
    : { counters: windows.counters.perSecond(), times: windows.times.perSecond() }
  return {
    vertex: task.vertex,
    subtask: task.subtask,
    executionAttempt: task.executionAttempt,
    metrics: taskMetrics(task, isSource, rates),
    operators: task.operators.map((operator, place) => ({
      id: operator.operatorId,
      name: operator.name,
      metrics: operatorMetrics(task, operator, place, isSource, rates),
    })),
  }
}

function newestAttempts(measured: readonly TaskMeasurements[]): readonly TaskMeasurements[] {
  const newest = new Map<string, TaskMeasurements>()
  for (const task of measured) {
    const key = `${task.vertex}/${task.subtask}`
    if ((newest.get(key)?.executionAttempt ?? -1) < task.executionAttempt) newest.set(key, task)
  }
  return [...newest.values()].sort((one, other) => one.vertex - other.vertex || one.subtask - other.subtask)
}
