/** What handlers share, with nothing behind it but a clock and a log that remembers. */
import { ConfigurationReader } from '../../../src/base/config/configuration-reader.ts'
import type { Logger } from '../../../src/base/logger.ts'
import { silentLogger } from '../../../src/base/logger.ts'
import type { ProcessFacts } from '../../../src/base/process-facts.ts'
import { systemPorts } from '../../../src/base/system-ports.ts'
import { VirtualClock } from '../../../src/base/virtual-clock.ts'
import { asyncOperations } from '../../../src/rest/async-operations.ts'
import { makeLogRing } from '../../../src/rest/log-ring.ts'
import { makeMetricStore } from '../../../src/rest/metric-store.ts'
import type { RestCluster } from '../../../src/rest/rest-cluster.ts'
import type { RestSettings } from '../../../src/rest/rest-settings.ts'
import { ServedJobs } from '../../../src/rest/served-jobs.ts'

export function clusterOf(settings: Partial<RestSettings> = {}, logger: Partial<Logger> = {}): RestCluster {
  const clock = new VirtualClock()
  const jobs = new ServedJobs()
  const process = processFacts()
  return {
    ports: systemPorts({ clock, logger: { ...silentLogger, ...logger } }),
    configuration: new ConfigurationReader([]),
    settings: {
      bindAddress: '127.0.0.1',
      ports: [0],
      token: undefined,
      allowedHosts: [],
      allowedOrigin: undefined,
      dashboard: undefined,
      savepointRoots: [],
      refreshIntervalMs: 3000,
      cancelEnabled: true,
      storeDurationMs: 300_000,
      ...settings,
    },
    jobs,
    operations: asyncOperations({ clock, storeDurationMs: 300_000 }),
    metrics: makeMetricStore({ clock }, process, jobs),
    log: makeLogRing(clock),
    process,
    taskManagerId: '0'.repeat(32),
    startedAtMs: 0,
  }
}

/** 2 cores, half of one in use at each look a second after the one before. */
export function processFacts(): ProcessFacts {
  let usedMs = 0
  return {
    pid: 77,
    host: 'host.example',
    nodeVersion: 'v20.20.0',
    architecture: 'x64',
    options: ['--enable-source-maps'],
    memory: () => ({
      ...{ heapUsedBytes: 50_000_000, heapTotalBytes: 60_000_000, heapLimitBytes: 4_000_000_000 },
      ...{ externalBytes: 3_000_000, arrayBuffersBytes: 2_000_000, residentBytes: 90_000_000 },
      ...{ machineTotalBytes: 8_000_000_000, machineFreeBytes: 1_000_000_000 },
    }),
    cpu() {
      usedMs += 500
      return { cores: 2, usedMs: usedMs - 500 }
    },
    eventLoop: () => ({ delayMeanMs: 0.5, delayP99Ms: 3, delayMaxMs: 12.5, utilization: 0.25 }),
    garbageCollection: () => [
      { name: 'Scavenge', count: 8, timeMs: 16 },
      { name: 'MarkSweepCompact', count: 2, timeMs: 24 },
    ],
    activeResources: () => ['Timeout', 'TCPServerWrap', 'Timeout'],
    threads: () => 11,
    fileDescriptors: () => ({ open: 30, max: 1024 }),
    close() {},
  }
}
