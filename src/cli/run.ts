/** `millrace run`: reads the configuration, hands it to the job, evaluates the job file, waits for the end of its jobs. */
import { readConfigFile } from '../base/config/config-file.ts'
import type { ConfigurationLayer } from '../base/config/configuration-layer.ts'
import { logNotices } from '../base/config/configuration-notices.ts'
import { ConfigurationReader } from '../base/config/configuration-reader.ts'
import { StreamError } from '../base/errors.ts'
import { offerRunContext, type RunContextOptions } from '../base/run-context.ts'
import { VERSION } from '../base/version.ts'
import type { RunRequest } from './command-line.ts'
import { exitCodeOfRun, FAILED } from './exit-code.ts'
import { checkJobFile, explainImportFailure, nothingStarted } from './job-file.ts'
import type { ProcessBoundary } from './process-boundary.ts'
import type { Reporter } from './reporter.ts'
import { openRunServer, type RunServer } from './run-server.ts'
import { RunningJobs } from './running-jobs.ts'
import { suspendAtSignals } from './suspend-at-signals.ts'

/** What a job file still has open when its jobs have ended may take so long. */
const LONGEST_TAIL_MS = 2_000

/** Resolves with the exit code when the process may end. Throws what the command line or the configuration is to blame for. */
export async function run(request: RunRequest, boundary: ProcessBoundary, reporter: Reporter): Promise<number> {
  const layers = await readLayers(request, boundary)
  logNotices(new ConfigurationReader(layers).notices, reporter.logger)
  const path = boundary.absolutePath(request.job)
  await checkJobFile(boundary.files, path)

  const server = await openRunServer(request, layers, boundary, reporter.logger)
  if (server.url !== undefined) reporter.restListening(server.url)
  const jobs = new RunningJobs(boundary.clock, reporter)
  const beside = new BesideJobs(reporter)
  offerRunContext({
    version: VERSION,
    layers,
    options: contextOptions(request),
    logger: server.logger,
    jobStarted(job) {
      server.serve(job)
      jobs.add(job)
    },
    jobRefused: (_jobName, error) => beside.failed(error),
    jobSkipped: (jobName, reason) => beside.skipped(jobName, reason),
  })
  const signal = suspendAtSignals(boundary, jobs, reporter)
  boundary.onUncaught((thrown) => {
    reporter.error(explainImportFailure(path, thrown))
    boundary.exit(FAILED)
  })

  boundary.setArguments(path, request.jobArguments)
  const evaluation = await evaluate(boundary, path)
  const { failure } = evaluation
  if (failure !== undefined && !isEndOfJob(failure, jobs)) beside.failed(explainImportFailure(path, failure))
  else if (evaluation.settled)
    await untilNothingIsLeft(boundary, { jobs, server, beside, signalled: () => signal() !== undefined, reporter })
  await server.close({ atOnce: signal() !== undefined })
  if (jobs.endings.length === 0 && !beside.any) beside.failed(nothingStarted(path, evaluation.settled))
  return exitCodeOfRun({ endings: jobs.endings, errors: beside.errors, signal: signal() })
}

/** What happened in a run beside its jobs: calls of `execute` that started none, errors of the job file. */
class BesideJobs {
  readonly errors: unknown[] = []
  any = false
  readonly #reporter: Reporter

  constructor(reporter: Reporter) {
    this.#reporter = reporter
  }

  /** Says it once, though `execute` rejects with the same error and the job file may throw it on. */
  failed(error: unknown): void {
    this.any = true
    if (this.errors.includes(error)) return
    this.errors.push(error)
    this.#reporter.error(error)
  }

  skipped(jobName: string, reason: string): void {
    this.any = true
    this.#reporter.logger.info(`${jobName}: nothing to do: ${reason}`)
  }
}

/** Of the command line and the configuration file, strongest first. */
export async function readLayers(
  request: RunRequest,
  boundary: ProcessBoundary,
): Promise<readonly ConfigurationLayer[]> {
  const file = await readConfigFile({
    files: boundary.files,
    named: request.configFile,
    confDir: boundary.environment.MILLRACE_CONF_DIR,
  })
  const commandLine: ConfigurationLayer = { level: 'command line', entries: request.entries }
  return file === undefined ? [commandLine] : [commandLine, file]
}

export function contextOptions(request: RunRequest): RunContextOptions {
  const { fromSavepoint, allowNonRestoredState, claimMode, takeover, rest } = request
  return {
    fromSavepoint,
    allowNonRestoredState,
    claimMode,
    resume: request.resume ? 'latest' : undefined,
    takeover,
    rest,
  }
}

interface Evaluation {
  /** False: the module waits, at its top level, for what can never come. */
  readonly settled: boolean
  readonly failure?: unknown
}

/** Settles when the module has been evaluated, or nothing is left that it could wait for. */
export function evaluate(boundary: ProcessBoundary, path: string): Promise<Evaluation> {
  return new Promise((resolve) => {
    const stop = boundary.onIdle(() => resolve({ settled: false }))
    boundary
      .importJob(path)
      .then(
        () => resolve({ settled: true }),
        (thrown) => resolve({ settled: true, failure: thrown ?? new StreamError('JOB_FILE_FAILED', NOTHING_THROWN) }),
      )
      .finally(stop)
  })
}

const NOTHING_THROWN = {
  message: 'The job file threw undefined.',
  hint: 'Throw an Error, so that it can say where it comes from.',
}

/** The job file lets through what `execute` rejected with: that is the end of a job, which is shown as such. */
function isEndOfJob(failure: unknown, jobs: RunningJobs): boolean {
  if (jobs.endings.length + jobs.running.length === 0 || !StreamError.is(failure)) return false
  return failure.code === 'JOB_FAILED' || failure.code === 'JOB_CANCELED' || failure.code === 'JOB_SUSPENDED'
}

interface Tail {
  readonly jobs: RunningJobs
  readonly server: RunServer
  readonly beside: BesideJobs
  readonly signalled: () => boolean
  readonly reporter: Reporter
}

/** Jobs may be started by code that the module does not wait for: looks until the process is idle, or time is up. */
async function untilNothingIsLeft(
  boundary: ProcessBoundary,
  { jobs, server, beside, signalled, reporter }: Tail,
): Promise<void> {
  for (;;) {
    await jobs.allEnded()
    if (signalled()) return
    await server.answered()
    const isOver = jobs.endings.length > 0 || beside.any
    const next = await whatComesNext(boundary, jobs, isOver ? LONGEST_TAIL_MS : undefined)
    if (next === 'time is up') reporter.logger.warn('the job file has left something open: a timer or a connection')
    if (next !== 'a job') return
  }
}

function whatComesNext(boundary: ProcessBoundary, jobs: RunningJobs, withinMs: number | undefined) {
  return new Promise<'nothing' | 'time is up' | 'a job'>((resolve) => {
    const stops: (() => void)[] = []
    const come = (next: 'nothing' | 'time is up' | 'a job') => {
      for (const stop of stops) stop()
      resolve(next)
    }
    stops.push(boundary.onIdle(() => come('nothing')))
    if (withinMs !== undefined) {
      const timer = boundary.setIdleTimer(withinMs, () => come('time is up'))
      stops.push(() => timer.cancel())
    }
    stops.push(jobs.onNextStarted(() => come('a job')))
  })
}
