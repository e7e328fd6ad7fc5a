/**
 * The process port of a real process. From its making to its closing it measures the delay of the event loop and the
 * collections of garbage; nothing of that keeps the process alive.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { availableParallelism, freemem, hostname, totalmem } from 'node:os'
import { constants, monitorEventLoopDelay, PerformanceObserver, performance } from 'node:perf_hooks'
import { getHeapStatistics } from 'node:v8'
import { redacted } from './config/sensitive-keys.ts'
import type { EventLoopFacts, ProcessFacts } from './process-facts.ts'

/** The timer whose delay is measured is due so often: what is not late by more than this is not seen. */
const LOOP_RESOLUTION_MS = 20
const NANOSECONDS_PER_MS = 1e6

export function systemProcessFacts(): ProcessFacts {
  const loop = measureEventLoop()
  const garbage = countCollections()
  return {
    pid: process.pid,
    host: hostname(),
    nodeVersion: process.version,
    architecture: process.arch,
    options: process.execArgv.map(withoutSecret),
    memory: readMemory,
    cpu() {
      const { user, system } = process.cpuUsage()
      return { cores: availableParallelism(), usedMs: (user + system) / 1000 }
    },
    eventLoop: loop.sinceLastCall,
    garbageCollection: garbage.totals,
    activeResources: () => process.getActiveResourcesInfo(),
    threads: readThreads,
    fileDescriptors: readFileDescriptors,
    close() {
      loop.close()
      garbage.close()
    },
  }
}

function readMemory() {
  const { heapUsed, heapTotal, external, arrayBuffers, rss } = process.memoryUsage()
  return {
    heapUsedBytes: heapUsed,
    heapTotalBytes: heapTotal,
    heapLimitBytes: getHeapStatistics().heap_size_limit,
    externalBytes: external,
    arrayBuffersBytes: arrayBuffers,
    residentBytes: rss,
    machineTotalBytes: totalmem(),
    machineFreeBytes: freemem(),
  }
}

function measureEventLoop(): { sinceLastCall(): EventLoopFacts; close(): void } {
  const delays = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS })
  delays.enable()
  let before = performance.eventLoopUtilization()
  // What is measured is the time between two timers; the delay is what is above the time that they ask for.
  const late = (nanoseconds: number) =>
    delays.count === 0 ? null : Math.max(0, nanoseconds / NANOSECONDS_PER_MS - LOOP_RESOLUTION_MS)
  return {
    sinceLastCall() {
      const now = performance.eventLoopUtilization()
      const { utilization } = performance.eventLoopUtilization(now, before)
      before = now
      const facts = {
        delayMeanMs: late(delays.mean),
        delayP99Ms: late(delays.percentile(99)),
        delayMaxMs: late(delays.max),
        utilization,
      }
      delays.reset()
      return facts
    },
    close: () => void delays.disable(),
  }
}

const COLLECTIONS: Readonly<Record<number, string>> = {
  [constants.NODE_PERFORMANCE_GC_MINOR]: 'Scavenge',
  [constants.NODE_PERFORMANCE_GC_MAJOR]: 'MarkSweepCompact',
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL]: 'IncrementalMarking',
  [constants.NODE_PERFORMANCE_GC_WEAKCB]: 'WeakCallbacks',
}

function countCollections() {
  const totals = new Map<string, { count: number; timeMs: number }>()
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const { duration } = entry
      const name = COLLECTIONS[kindOf('detail' in entry ? entry.detail : undefined)] ?? 'Other'
      const { count, timeMs } = totals.get(name) ?? { count: 0, timeMs: 0 }
      totals.set(name, { count: count + 1, timeMs: timeMs + duration })
    }
  })
  observer.observe({ entryTypes: ['gc'] })
  return {
    totals: () => [...totals].map(([name, { count, timeMs }]) => ({ name, count, timeMs })),
    close: () => observer.disconnect(),
  }
}

function kindOf(detail: unknown): number {
  const isCollection = typeof detail === 'object' && detail !== null && 'kind' in detail
  return isCollection && typeof detail.kind === 'number' ? detail.kind : -1
}

function readThreads(): number | null {
  const [, threads] = /^Threads:\s*(\d+)/m.exec(readProcess('status')) ?? []
  return threads === undefined ? null : Number(threads)
}

function readFileDescriptors(): { readonly open: number; readonly max: number } | null {
  const [, max] = /^Max open files\s+(\d+)/m.exec(readProcess('limits')) ?? []
  if (max === undefined) return null
  // One of them is the folder that is being read.
  return { open: readdirSync('/proc/self/fd').length - 1, max: Number(max) }
}

function readProcess(name: string): string {
  try {
    return readFileSync(`/proc/self/${name}`, 'utf8')
  } catch {
    // Only Linux has it.
    return ''
  }
}

/** `--title=x` by its name; an option's value in an argument of its own has no name to go by. */
function withoutSecret(option: string): string {
  const at = option.indexOf('=')
  return at < 0 ? option : option.slice(0, at + 1) + redacted(option.slice(0, at), option.slice(at + 1))
}
