/** What the tests of operations ask: handlers without a server, on jobs that are told what to answer, on a clock moved by hand. */

import { codeLayer } from '../../../../src/base/config/configuration-layer.ts'
import { ConfigurationReader } from '../../../../src/base/config/configuration-reader.ts'
import type { FileSystem } from '../../../../src/base/file-system.ts'
import { seededIds } from '../../../../src/base/ids.ts'
import { seededRandom } from '../../../../src/base/random.ts'
import { SimulatedFileSystem } from '../../../../src/base/simulated-file-system.ts'
import { VirtualClock } from '../../../../src/base/virtual-clock.ts'
import { asyncOperations } from '../../../../src/rest/async-operations.ts'
import type { RestCluster } from '../../../../src/rest/rest-cluster.ts'
import type { RestSettings } from '../../../../src/rest/rest-settings.ts'
import type { Route } from '../../../../src/rest/route.ts'
import { applicationCancelRoutes } from '../../../../src/rest/routes/application-cancel.ts'
import { cancelRoutes } from '../../../../src/rest/routes/cancel.ts'
import { checkpointTriggerRoutes } from '../../../../src/rest/routes/checkpoint-trigger.ts'
import { clientHeartbeatRoutes } from '../../../../src/rest/routes/client-heartbeat.ts'
import { refusedRoutes } from '../../../../src/rest/routes/refused.ts'
import { rescalingRoutes } from '../../../../src/rest/routes/rescaling.ts'
import { savepointDisposalRoutes } from '../../../../src/rest/routes/savepoint-disposal.ts'
import { savepointsRoutes } from '../../../../src/rest/routes/savepoints.ts'
import { stopRoutes } from '../../../../src/rest/routes/stop.ts'
import { ServedJobs } from '../../../../src/rest/served-jobs.ts'
import type { JobHandle, JobStatus } from '../../../../src/runtime/job-handle.ts'
import { recordings } from '../../../fixtures/flink-rest/recordings.ts'
import { type Answer, handlersOf } from './ask-routes.ts'

export const JOB = '8630b4c59d415aff5932a1f43c12163c'
export const OTHER_JOB = '89c60a56d8a8ab603a418c9fe22b0611'
export const TRIGGER = 'ab'.repeat(16)
export const STORED_MS = 300_000

const ROUTES: readonly Route[] = [
  ...savepointsRoutes,
  ...stopRoutes,
  ...checkpointTriggerRoutes,
  ...savepointDisposalRoutes,
  ...cancelRoutes,
  ...applicationCancelRoutes,
  ...rescalingRoutes,
  ...clientHeartbeatRoutes,
  ...refusedRoutes,
]

const askOperations = handlersOf(ROUTES)

/** A body that is no JSON. */
export const NO_JSON = Symbol('no JSON')

/** Status and first line of a refusal. */
export function refusalOf({ status, body }: Answer): readonly [number, string] {
  return [status, body.errors[0].split('\n')[0]]
}

/** The same of a recorded one. */
export function recordedRefusal(name: string): readonly [number, string] {
  return refusalOf(recorded('errors', name))
}

export function recorded(folder: string, name: string): Answer & { readonly sent?: unknown } {
  const recording = recordings(folder)[name]
  if (recording === undefined) throw new Error(`Nothing is recorded as ${folder}/${name}.`)
  return recording
}

/** A job that does nothing but what `handle` says; `asked` is what it was asked for, in order. */
export function fakeJob(jobId: string, handle: Partial<JobHandle> = {}, status: JobStatus = 'RUNNING') {
  const asked: unknown[] = []
  const answering =
    (what: string, result: unknown) =>
    async (options?: unknown): Promise<never> => {
      asked.push([what, options])
      return result as never
    }
  const job = {
    jobId,
    status: () => status,
    triggerSavepoint: answering('savepoint', '/savepoints/savepoint-8630b4-0123456789ab'),
    stopWithSavepoint: answering('stop', '/savepoints/savepoint-8630b4-0123456789ab'),
    cancelWithSavepoint: answering('cancel with savepoint', '/savepoints/savepoint-8630b4-0123456789ab'),
    triggerCheckpoint: answering('checkpoint', 26),
    cancel: answering('cancel', undefined),
    executionGraph: () => ({ configuration: { savepointDirectory: null, checkpointDirectory: null } }),
    ...handle,
  }
  return { job: job as unknown as JobHandle, asked }
}

export class Operations {
  readonly clock = new VirtualClock({ startMs: 1_000 })
  readonly cluster: RestCluster
  /** Of each operation that was started, in order; with `held` they wait. */
  readonly #results: Promise<unknown>[] = []

  constructor(
    options: {
      readonly jobs?: readonly JobHandle[]
      readonly configuration?: Readonly<Record<string, unknown>>
      readonly settings?: Partial<RestSettings>
      readonly files?: FileSystem
    } = {},
  ) {
    const { clock } = this
    const jobs = new ServedJobs()
    for (const job of options.jobs ?? []) jobs.add(job)
    const operations = asyncOperations({ clock, storeDurationMs: STORED_MS })
    const cluster = {
      ports: { clock, ids: seededIds(seededRandom(1)), files: options.files ?? new SimulatedFileSystem() },
      configuration: new ConfigurationReader([codeLayer(options.configuration ?? {})]),
      settings: { bindAddress: '127.0.0.1', savepointRoots: [], cancelEnabled: true, ...options.settings },
      jobs,
      operations: {
        ...operations,
        start: (key: Parameters<typeof operations.start>[0], work: () => Promise<unknown>) =>
          operations.start(key, () => {
            const result = work()
            this.#results.push(result)
            return result
          }),
      },
    }
    // What else a cluster holds, no operation reads.
    this.cluster = cluster as unknown as RestCluster
  }

  /** How many operations were really started. */
  get started(): number {
    return this.#results.length
  }

  ask(method: Route['method'], target: string, body: unknown = {}): Promise<Answer> {
    return askOperations(this.cluster, method, target, body === NO_JSON ? undefined : body)
  }

  /** Triggers, waits for the end, and asks how it stands. */
  async run(target: string, body: unknown, statusPath = target): Promise<Answer> {
    const trigger = await this.ask('POST', target, body)
    if (trigger.status > 202) return trigger
    await this.settled()
    return this.ask('GET', `${statusPath}/${trigger.body['request-id']}`)
  }

  /** All that was started has ended. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#results)
    await Promise.resolve()
    await Promise.resolve()
  }
}
