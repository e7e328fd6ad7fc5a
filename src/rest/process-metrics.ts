/** What the process says of itself under the names that Flink has for its virtual machine. */

import type { Clock } from '../base/clock.ts'
import type { ProcessFacts } from '../base/process-facts.ts'
import { RateWindow } from '../metrics/rate-window.ts'
import { fraction, type Metric } from './metric.ts'

const NANOSECONDS_PER_MS = 1e6
const WINDOW_MS = 60_000

/** Gives a function that looks: rates are of the time since the looks before. */
export function processMetrics(clock: Clock, process: ProcessFacts): () => readonly Metric[] {
  const startedAtMs = clock.monotonic()
  const usedBefore = process.cpu().usedMs
  const cpuTime = new RateWindow(WINDOW_MS, startedAtMs)
  const collectionTime = new Map<string, RateWindow>()
  const collected = (name: string, timeMs: number): number => {
    const window = collectionTime.get(name) ?? new RateWindow(WINDOW_MS, startedAtMs)
    collectionTime.set(name, window)
    window.add(clock.monotonic(), [timeMs])
    return window.perSecond()[0] ?? 0
  }
  return () => {
    const { cores, usedMs } = process.cpu()
    cpuTime.add(clock.monotonic(), [usedMs - usedBefore])
    const garbage = process.garbageCollection()
    const all = { count: garbage.reduce((sum, { count }) => sum + count, 0), timeMs: totalMs(garbage) }
    return [
      fraction('Status.JVM.CPU.Load', Math.min(1, (cpuTime.perSecond()[0] ?? 0) / 1000 / cores)),
      { name: 'Status.JVM.CPU.Time', value: Math.round(usedMs * NANOSECONDS_PER_MS) },
      ...memoryMetrics(process),
      ...machineMetrics(process),
      ...garbage.flatMap(({ name, count, timeMs }) => collector(name, count, timeMs, collected(name, timeMs))),
      ...collector('All', all.count, all.timeMs, collected('All', all.timeMs)),
      ...eventLoopMetrics(process),
    ]
  }
}

function memoryMetrics(process: ProcessFacts): readonly Metric[] {
  const memory = process.memory()
  // What the machine gave the process and is no part of the heap: code, native libraries, buffers, databases.
  const beside = Math.max(0, memory.residentBytes - memory.heapTotalBytes)
  return [
    { name: 'Status.JVM.Memory.Heap.Used', value: memory.heapUsedBytes },
    { name: 'Status.JVM.Memory.Heap.Committed', value: memory.heapTotalBytes },
    { name: 'Status.JVM.Memory.Heap.Max', value: memory.heapLimitBytes },
    { name: 'Status.JVM.Memory.NonHeap.Used', value: beside },
    { name: 'Status.JVM.Memory.NonHeap.Committed', value: beside },
    { name: 'Status.JVM.Memory.NonHeap.Max', value: -1 },
    { name: 'Status.JVM.Memory.Direct.MemoryUsed', value: memory.arrayBuffersBytes },
    { name: 'Status.JVM.Memory.Direct.TotalCapacity', value: memory.arrayBuffersBytes },
  ]
}

function machineMetrics(process: ProcessFacts): readonly Metric[] {
  const threads = process.threads()
  const files = process.fileDescriptors()
  return [
    ...(threads === null ? [] : [{ name: 'Status.JVM.Threads.Count', value: threads }]),
    ...(files === null
      ? []
      : [
          { name: 'Status.JVM.FileDescriptor.Open', value: files.open },
          { name: 'Status.JVM.FileDescriptor.Max', value: files.max },
        ]),
  ]
}

function collector(name: string, count: number, timeMs: number, perSecond: number): readonly Metric[] {
  const scope = `Status.JVM.GarbageCollector.${name}`
  return [
    { name: `${scope}.Count`, value: count },
    { name: `${scope}.Time`, value: Math.round(timeMs) },
    { name: `${scope}.TimeMsPerSecond`, value: Math.round(perSecond) },
  ]
}

/** Flink has none of these: it has a thread for each task, and we have one for all. */
function eventLoopMetrics(process: ProcessFacts): readonly Metric[] {
  const { delayMeanMs, delayP99Ms, delayMaxMs, utilization } = process.eventLoop()
  const measured = (name: string, value: number | null) => (value === null ? [] : [fraction(name, value)])
  return [
    ...measured('Status.EventLoop.DelayMeanMs', delayMeanMs),
    ...measured('Status.EventLoop.DelayP99Ms', delayP99Ms),
    ...measured('Status.EventLoop.DelayMaxMs', delayMaxMs),
    fraction('Status.EventLoop.Utilization', utilization),
  ]
}

function totalMs(collections: readonly { readonly timeMs: number }[]): number {
  return collections.reduce((sum, { timeMs }) => sum + timeMs, 0)
}
