/** The process as Flink shows a task manager: its slots, its memory, the machine. Nothing is set aside for anybody: 0 says so. */
import { isOver } from '../api/ended-job.ts'
import type { JobHandle } from '../runtime/job-handle.ts'
import { type Metric, metricNumber } from './metric.ts'
import { type NamedMetrics, named } from './metric-query.ts'
import type { RestCluster } from './rest-cluster.ts'
import { taskManagerEndpoint } from './task-manager-location.ts'
import { slotsOf, taskSlots } from './task-slots.ts'

const MEGABYTE = 1024 * 1024
/** What Flink writes where there is nothing to tell. */
const UNKNOWN = -1

export function taskManagerInList(cluster: RestCluster) {
  const { process, metrics, jobs, ports, taskManagerId } = cluster
  const slots = taskSlots(jobs.all())
  const { heapLimitBytes, machineTotalBytes } = process.memory()
  const managedMemory = numberIn(named(metrics.taskManager()), 'Status.Flink.Memory.Managed.Total')
  return {
    id: taskManagerId,
    path: `millrace://${taskManagerEndpoint(cluster)}/taskmanager`,
    dataPort: UNKNOWN,
    jmxPort: UNKNOWN,
    timeSinceLastHeartbeat: ports.clock.now(),
    slotsNumber: slots.total,
    freeSlots: slots.free,
    assignedTasks: runningJobs(cluster).reduce(
      (sum, job) => sum + tasksBySlot(job).reduce((all, one) => all + one, 0),
      0,
    ),
    totalResource: resource(cluster, managedMemory, 1),
    freeResource: resource(cluster, managedMemory, slots.free / slots.total),
    hardware: {
      cpuCores: process.cpu().cores,
      physicalMemory: machineTotalBytes,
      // Flink's word for how far the heap may grow.
      freeMemory: heapLimitBytes,
      managedMemory,
    },
    memoryConfiguration: {
      frameworkHeap: 0,
      taskHeap: heapLimitBytes,
      frameworkOffHeap: 0,
      taskOffHeap: 0,
      networkMemory: 0,
      managedMemory,
      jvmMetaspace: 0,
      jvmOverhead: 0,
      totalFlinkMemory: heapLimitBytes,
      totalProcessMemory: heapLimitBytes,
    },
  }
}

export function taskManagerDetails(cluster: RestCluster) {
  const { metrics, jobs } = cluster
  const own = named(metrics.taskManager())
  const share = 1 / taskSlots(jobs.all()).total
  const slotResource = resource(cluster, numberIn(own, 'Status.Flink.Memory.Managed.Total'), share)
  return {
    ...taskManagerInList(cluster),
    allocatedSlots: runningJobs(cluster).flatMap((job) =>
      tasksBySlot(job).map((assignedTasks) => ({ jobId: job.jobId, resource: slotResource, assignedTasks })),
    ),
    metrics: {
      heapUsed: numberIn(own, 'Status.JVM.Memory.Heap.Used'),
      heapCommitted: numberIn(own, 'Status.JVM.Memory.Heap.Committed'),
      heapMax: numberIn(own, 'Status.JVM.Memory.Heap.Max'),
      nonHeapUsed: numberIn(own, 'Status.JVM.Memory.NonHeap.Used'),
      nonHeapCommitted: numberIn(own, 'Status.JVM.Memory.NonHeap.Committed'),
      nonHeapMax: UNKNOWN,
      directCount: UNKNOWN,
      directUsed: numberIn(own, 'Status.JVM.Memory.Direct.MemoryUsed'),
      directMax: numberIn(own, 'Status.JVM.Memory.Direct.TotalCapacity'),
      mappedCount: UNKNOWN,
      mappedUsed: UNKNOWN,
      mappedMax: UNKNOWN,
      nettyShuffleMemorySegmentsAvailable: numberIn(own, 'Status.Shuffle.Netty.AvailableMemorySegments'),
      nettyShuffleMemorySegmentsUsed: numberIn(own, 'Status.Shuffle.Netty.UsedMemorySegments'),
      nettyShuffleMemorySegmentsTotal: numberIn(own, 'Status.Shuffle.Netty.TotalMemorySegments'),
      nettyShuffleMemoryAvailable: numberIn(own, 'Status.Shuffle.Netty.AvailableMemory'),
      nettyShuffleMemoryUsed: numberIn(own, 'Status.Shuffle.Netty.UsedMemory'),
      nettyShuffleMemoryTotal: numberIn(own, 'Status.Shuffle.Netty.TotalMemory'),
      garbageCollectors: garbageCollectors(own),
    },
  }
}

function garbageCollectors(own: NamedMetrics) {
  return [...own.keys()].flatMap((name) => {
    const [, collector] = /^Status\.JVM\.GarbageCollector\.(\w+)\.Count$/.exec(name) ?? []
    if (collector === undefined) return []
    return [{ name: collector, count: numberIn(own, name), time: numberIn(own, name.replace(/Count$/, 'Time')) }]
  })
}

function runningJobs({ jobs }: RestCluster): readonly JobHandle[] {
  return jobs.all().filter((job) => !isOver(job.status()))
}

/** The first subtask of every vertex shares a slot, the second ones the next. */
function tasksBySlot(job: JobHandle): readonly number[] {
  const { vertices } = job.executionGraph()
  return Array.from(
    { length: slotsOf(job) },
    (_, slot) => vertices.filter(({ parallelism }) => parallelism > slot).length,
  )
}

/** Memory in megabytes. */
function resource({ process }: RestCluster, managedBytes: number, share: number) {
  return {
    cpuCores: process.cpu().cores * share,
    taskHeapMemory: Math.floor((process.memory().heapLimitBytes * share) / MEGABYTE),
    taskOffHeapMemory: 0,
    managedMemory: Math.floor((managedBytes * share) / MEGABYTE),
    networkMemory: 0,
    extendedResources: {},
  }
}

function numberIn(metrics: NamedMetrics, name: string): number {
  const metric: Metric | undefined = metrics.get(name)
  return (metric === undefined ? undefined : metricNumber(metric)) ?? UNKNOWN
}
