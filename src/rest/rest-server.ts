/** The REST server as a program holds it: it listens with the first job that is given to it, and serves that and all later ones. */
import type { RestEndpoint, RestSurroundings } from '../api/execute-options.ts'
import type { ConfigurationReader } from '../base/config/configuration-reader.ts'
import { StreamError } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import type { Ports } from '../base/ports.ts'
import type { ProcessFacts } from '../base/process-facts.ts'
import { systemProcessFacts } from '../base/system-process-facts.ts'
import type { JobHandle } from '../runtime/job-handle.ts'
import { inUrl, isLoopback } from './addresses.ts'
import { ALL_ROUTES } from './all-routes.ts'
import { asyncOperations } from './async-operations.ts'
import { readDashboard } from './dashboard-files.ts'
import { logEvents } from './job-log.ts'
import { type Listening, listen } from './listen.ts'
import { makeLogRing } from './log-ring.ts'
import { makeMetricStore } from './metric-store.ts'
import { openPrometheusPort } from './prometheus-port.ts'
import { restApplication } from './rest-application.ts'
import type { RestCluster } from './rest-cluster.ts'
import { checkRestServerOptions, type RestServerOptions } from './rest-server-options.ts'
import { type RestSettings, readRestSettings } from './rest-settings.ts'
import { ServedJobs } from './served-jobs.ts'

/** What `execute(name, { rest })` takes: one server for any number of jobs. It keeps no process alive. */
export interface RestServer extends RestEndpoint, AsyncDisposable {
  /** Such as `http://127.0.0.1:8081`; undefined before the first job, and after the end. */
  readonly url: string | undefined
  readonly port: number | undefined
  /**
   * Waits until the results of operations that somebody triggered over it were asked for, at most `withinMs` (10,000 when
   * left out; 0: not at all), then ends. Never rejects; jobs are left alone.
   */
  close(options?: { readonly withinMs?: number | undefined }): Promise<void>
}

/**
 * A server for Flink's REST API, beside which a dashboard may lie. Nothing listens yet: `execute` opens it, before the job
 * starts, with the configuration of the first job. Throws INVALID_ARGUMENT.
 */
export function restServer(options: RestServerOptions = {}): RestServer {
  checkRestServerOptions(options)
  return new ProcessRestServer(options)
}

/** Whoever triggered an operation and still polls gets its result within this time after the end of its job. */
const LAST_RESULTS_MS = 10_000

interface Opened {
  readonly cluster: RestCluster
  readonly listening: Listening
  /** Undefined: none was wanted. */
  readonly prometheus: Listening | undefined
}

class ProcessRestServer implements RestServer {
  readonly #options: RestServerOptions
  readonly #jobs = new ServedJobs()
  #opening: Promise<Opened> | undefined
  #opened: Opened | undefined
  #closing: Promise<void> | undefined

  constructor(options: RestServerOptions) {
    this.#options = options
  }

  get url(): string | undefined {
    if (this.#opened === undefined) return undefined
    return `http://${inUrl(this.#opened.cluster.settings.bindAddress)}:${this.port}`
  }

  get port(): number | undefined {
    return this.#opened?.listening.port
  }

  /** The logger that it gives is what the pages of logs show. */
  async open(surroundings: RestSurroundings): Promise<Logger> {
    if (this.#closing !== undefined) throw wasClosed()
    this.#opening ??= this.#open(surroundings)
    try {
      const { cluster } = await this.#opening
      return cluster.log.through(surroundings.ports.logger)
    } catch (refusal) {
      // The next one may name a port that is free by then.
      this.#opening = undefined
      throw refusal
    }
  }

  serve(job: JobHandle): void {
    this.#jobs.add(job)
    if (this.#opened !== undefined) logEvents(job, this.#opened.cluster.log)
    const ended = () => {
      this.#jobs.ended(job)
      void this.answered()
    }
    job.result.then(ended, ended)
  }

  async answered(): Promise<void> {
    await this.#opened?.cluster.operations.delivered(LAST_RESULTS_MS)
  }

  close({ withinMs = LAST_RESULTS_MS }: { readonly withinMs?: number | undefined } = {}): Promise<void> {
    this.#closing ??= this.#close(withinMs)
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #open({ ports, configuration }: RestSurroundings): Promise<Opened> {
    const settings = await readRestSettings(this.#options, configuration)
    const dashboard =
      settings.dashboard === undefined ? undefined : await readDashboard(ports.files, settings.dashboard)
    const process = systemProcessFacts()
    let prometheus: Listening | undefined
    try {
      const cluster = this.#cluster(ports, configuration, settings, process)
      const { logger } = cluster.ports
      prometheus = await openPrometheusPort(cluster)
      const respond = restApplication({ routes: ALL_ROUTES, cluster, dashboard })
      const listening = await listen(respond, { address: settings.bindAddress, ports: settings.ports, logger })
      this.#opened = { cluster, listening, prometheus }
      logger.info(`REST on ${this.url}`)
      warnOfOpenDoor(settings, logger)
      return this.#opened
    } catch (refusal) {
      await prometheus?.close()
      process.close()
      throw refusal
    }
  }

  #cluster(
    ports: Ports,
    configuration: ConfigurationReader,
    settings: RestSettings,
    process: ProcessFacts,
  ): RestCluster {
    const log = makeLogRing(ports.clock)
    return {
      ports: { ...ports, logger: log.through(ports.logger) },
      configuration,
      settings,
      jobs: this.#jobs,
      operations: asyncOperations({ clock: ports.clock, storeDurationMs: settings.storeDurationMs }),
      metrics: makeMetricStore(ports, process, this.#jobs),
      log,
      process,
      taskManagerId: ports.ids.jobId(),
      startedAtMs: ports.clock.now(),
    }
  }

  async #close(withinMs: number): Promise<void> {
    await this.#opening?.catch(() => {
      // Whoever opened it is told.
    })
    if (this.#opened === undefined) return
    const { cluster, listening, prometheus } = this.#opened
    await cluster.operations.delivered(withinMs)
    await Promise.all([listening.close(), prometheus?.close()])
    cluster.operations.close()
    cluster.process.close()
    this.#opened = undefined
  }
}

function warnOfOpenDoor({ token, bindAddress }: RestSettings, logger: Logger): void {
  if (token !== undefined || isLoopback(bindAddress)) return
  logger.warn(`the REST server listens on ${bindAddress} without a token: whoever reaches it rules the jobs`)
}

function wasClosed(): StreamError {
  return new StreamError('REST_NOT_LISTENING', {
    message: 'The REST server was closed before the job was given to it.',
    hint: 'Make a new one with restServer(), or close it when the last job has ended.',
  })
}
