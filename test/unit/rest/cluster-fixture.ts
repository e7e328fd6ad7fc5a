/** What handlers share, with nothing behind it but a clock and a log that remembers. */
import { ConfigurationReader } from '../../../src/base/config/configuration-reader.ts'
import type { Logger } from '../../../src/base/logger.ts'
import { silentLogger } from '../../../src/base/logger.ts'
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
  const process: RestCluster['process'] = {
    pid: 1,
    host: 'localhost',
    nodeVersion: 'v20.0.0',
    architecture: 'x64',
    options: [],
    memory: () => {
      throw new Error('nobody asks')
    },
    cpu: () => ({ cores: 1, usedMs: 0 }),
    eventLoop: () => ({ delayMeanMs: 0, delayP99Ms: 0, delayMaxMs: 0, utilization: 0 }),
    garbageCollection: () => [],
    activeResources: () => [],
    threads: () => 0,
    fileDescriptors: () => ({ open: 0, max: 0 }),
    close: () => {},
  }
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
