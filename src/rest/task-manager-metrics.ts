/** What the one task manager has beside its process: memory that backends of state may fill, queues between tasks. */
import { readMemorySize } from '../base/config/memory-size.ts'
import { OPTIONS } from '../base/config/options.ts'
import type { ExecutionGraphSnapshot, TaskMeasurements } from '../runtime/job-handle.ts'
import type { Metric } from './metric.ts'

export interface MeasuredJob {
  readonly graph: ExecutionGraphSnapshot
  readonly measured: readonly TaskMeasurements[]
}

/** `jobs`: those that run. A segment is room for one record in a channel; its bytes are an estimate from records that passed. */
export function taskManagerMetrics(jobs: readonly MeasuredJob[]): readonly Metric[] {
  const tasks = jobs.flatMap(({ measured }) => measured).filter(({ isOver }) => !isOver)
  const sum = (part: (task: TaskMeasurements) => number) => tasks.reduce((total, task) => total + part(task), 0)
  const total = sum((task) => task.inputQueueCapacity)
  const used = Math.min(
    total,
    sum((task) => task.inputQueueLength),
  )
  const totalBytes = Math.round(sum((task) => task.inputQueueCapacity * meanBytes(task)))
  const usedBytes = Math.min(totalBytes, Math.round(sum((task) => task.inputQueueLength * meanBytes(task))))
  return [
    { name: 'Status.Flink.Memory.Managed.Used', value: Math.round(sum(cachedBytes)) },
    { name: 'Status.Flink.Memory.Managed.Total', value: jobs.reduce((all, { graph }) => all + cacheSize(graph), 0) },
    { name: 'Status.Shuffle.Netty.TotalMemorySegments', value: total },
    { name: 'Status.Shuffle.Netty.UsedMemorySegments', value: used },
    { name: 'Status.Shuffle.Netty.AvailableMemorySegments', value: total - used },
    { name: 'Status.Shuffle.Netty.TotalMemory', value: totalBytes },
    { name: 'Status.Shuffle.Netty.UsedMemory', value: usedBytes },
    { name: 'Status.Shuffle.Netty.AvailableMemory', value: totalBytes - usedBytes },
    // Names that older dashboards ask for.
    { name: 'Status.Network.TotalMemorySegments', value: total },
    { name: 'Status.Network.AvailableMemorySegments', value: total - used },
  ]
}

function meanBytes({ numBytesIn, numRecordsIn }: TaskMeasurements): number {
  return numRecordsIn === 0 ? 0 : numBytesIn / numRecordsIn
}

function cachedBytes({ operators }: TaskMeasurements): number {
  return operators.reduce((sum, { stateCache }) => sum + (stateCache?.bytes ?? 0), 0)
}

/** What the caches of keyed state may take, in all subtasks of a job together. */
function cacheSize({ configuration }: ExecutionGraphSnapshot): number {
  if (configuration.stateBackend !== 'leveldb') return 0
  const written = configuration.written.find(({ key }) => key === 'state.backend.leveldb.cache-size')?.value
  return readMemorySize(written) ?? OPTIONS['state.backend.leveldb.cache-size'].default
}
