/** What the handlers share: the jobs of the process, operations under way, numbers and log. Flink's Dispatcher and ResourceManager in one. Types only. */
import type { ConfigurationReader } from '../base/config/configuration-reader.ts'
import type { Ports } from '../base/ports.ts'
import type { ProcessFacts } from '../base/process-facts.ts'
import type { AsyncOperations } from './async-operations.ts'
import type { LogRing } from './log-ring.ts'
import type { MetricStore } from './metric-store.ts'
import type { RestSettings } from './rest-settings.ts'
import type { ServedJobs } from './served-jobs.ts'

export interface RestCluster {
  readonly ports: Ports
  readonly configuration: ConfigurationReader
  readonly settings: RestSettings
  readonly jobs: ServedJobs
  readonly operations: AsyncOperations
  readonly metrics: MetricStore
  readonly log: LogRing
  readonly process: ProcessFacts
  /** 32 hexadecimal digits, drawn once: the process is one task manager, with this id. */
  readonly taskManagerId: string
  /** When the server was made. */
  readonly startedAtMs: number
}
