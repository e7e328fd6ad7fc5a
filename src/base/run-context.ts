/**
 * What `millrace run` hands to the job that it runs, and what the job tells it: through `globalThis`, so that a command
 * that is installed globally and the job's own copy of the package agree. Everything that crosses is plain or structural.
 */
import type { ConfigurationLayer } from './config/configuration-layer.ts'
import { StreamError } from './errors.ts'
import type { Logger } from './logger.ts'
import { VERSION } from './version.ts'

const KEY = Symbol.for('millrace.run')

export interface RunContext {
  /** Of the package that the command belongs to. */
  readonly version: string
  /** What the command line and the configuration file say, strongest first. Checked; its notices are logged already. */
  readonly layers: readonly ConfigurationLayer[]
  readonly options: RunContextOptions
  /** For environments that were given none. */
  readonly logger: Logger
  /** A job runs. Call it before the first record; the command shows it, suspends it at a signal and waits for its end. */
  jobStarted(job: RunningJob): void
  /** `execute` was called and the job does not start: the very error that `execute` rejects with. */
  jobRefused(jobName: string, error: unknown): void
  /** `execute` was called and there is nothing left to do (`--resume` of a job that has finished): no failure. */
  jobSkipped(jobName: string, reason: string): void
  /** Under `millrace plan`: nothing is started, and `options` must not be asked for. */
  readonly plan?: PlanContext | undefined
}

/** What `millrace plan` wants instead of a run. */
export interface PlanContext {
  /** What `RunContext.options` is otherwise: a copy of the package that knows no plans stumbles there, before it runs the job. */
  readonly options: RunContextOptions
  /**
   * In place of a start. `taken`: `execute` never settles, for nothing that follows it in the program is meant to happen.
   * `passedOver`: another one is wanted; `execute` answers as for a job that had finished before.
   */
  jobDeclared(job: DeclaredJob): 'taken' | 'passedOver'
}

/** A job as it would be started. */
export interface DeclaredJob {
  readonly jobName: string
  /** A `JobGraph`; its type stands in a higher layer. */
  readonly graph: unknown
  readonly allowNonRestoredState: boolean
  /** `state.backend.type` */
  readonly stateBackend: string
}

/** Options of `execute` that win over these are the ones in the job's code. */
export interface RunContextOptions {
  readonly fromSavepoint: string | undefined
  readonly allowNonRestoredState: boolean
  /** Undefined: what `execution.state-recovery.claim-mode` says. */
  readonly claimMode: 'NO_CLAIM' | 'CLAIM' | undefined
  readonly resume: 'latest' | undefined
  /** Take the job over from an owner that is alive but stopped, or on another host. */
  readonly takeover: boolean
  /** What the command line says of the REST interface, which the command serves; undefined: `--no-rest`. */
  readonly rest: { readonly port: number | undefined; readonly dashboard: string | undefined } | undefined
}

/** What the command needs of a job that runs: a `JobHandle` of the runtime is one. */
export interface RunningJob {
  readonly jobId: string
  readonly jobName: string
  /** Flink's JobStatus. */
  status(): string
  metrics(): RunningJobMetrics
  /** Calls `listener` with every later event until the returned function is called, or the job has ended. */
  subscribe(listener: (event: RunningJobEvent) => void): () => void
  suspend(options?: { readonly timeoutMs?: number | undefined }): Promise<void>
  cancel(): Promise<void>
  /** Settles at the end: rejects with JOB_FAILED, JOB_CANCELED or JOB_SUSPENDED. */
  readonly result: Promise<{ readonly jobId: string; readonly netRuntimeMs: number }>
}

/** Counts since the start of the process. */
export interface RunningJobMetrics {
  readonly recordsIn: number
  readonly recordsOut: number
  readonly lastCheckpointId: number | undefined
  readonly lastCheckpointDurationMs: number | undefined
  /** Records in flight that it stored. */
  readonly lastCheckpointPersistedBytes?: number | undefined
  readonly restarts: number
  /** Share of the last second in which subtasks had work but could not hand on: 0 to 1. */
  readonly backPressuredRatio: number
}

/** The events of a job that the command shows by name; others are passed on as they are. */
export type RunningJobEvent =
  | { readonly type: 'job.status'; readonly status: string; readonly atMs: number; readonly error?: unknown }
  | {
      readonly type: 'task.status'
      readonly vertex: string
      readonly subtask: number
      readonly attempt: number
      readonly status: string
      readonly atMs: number
      readonly error?: unknown
    }
  | {
      readonly type: 'checkpoint.triggered'
      readonly checkpointId: number
      readonly kind: string
      readonly atMs: number
    }
  | {
      readonly type: 'checkpoint.acknowledged'
      readonly checkpointId: number
      readonly vertex: string
      readonly subtask: number
      readonly attempt: number
      readonly atMs: number
    }
  | {
      readonly type: 'checkpoint.completed'
      readonly checkpointId: number
      readonly kind: string
      readonly atMs: number
      readonly durationMs: number
      readonly bytes: number
      readonly path: string | undefined
    }
  | {
      readonly type: 'checkpoint.aborted'
      readonly checkpointId: number | undefined
      readonly reason: string
      readonly message: string
      readonly atMs: number
    }
  | { readonly type: 'restart.scheduled'; readonly delayMs: number; readonly atMs: number; readonly error: unknown }

/** For the command: what `runContext` gives from now on in this process; undefined takes it back. */
export function offerRunContext(context: RunContext | undefined): void {
  const holder = globalThis as { [KEY]?: RunContext | undefined }
  if (context === undefined) delete holder[KEY]
  else holder[KEY] = context
}

/**
 * For `getExecutionEnvironment`: undefined outside of `millrace run`. Throws VERSIONS_DIFFER when the command is of
 * another major version than this copy of the package.
 */
export function runContext(): RunContext | undefined {
  const context = (globalThis as { [KEY]?: RunContext | undefined })[KEY]
  if (context === undefined || majorOf(context.version) === majorOf(VERSION)) return context
  throw new StreamError('VERSIONS_DIFFER', {
    message: `The millrace command is version ${context.version}, the job imports version ${VERSION} of the package.`,
    hint: 'Run the command of the project (`npx millrace run …`), or install the same major version in both places.',
    details: { command: context.version, job: VERSION },
  })
}

const majorOf = (version: string): string | undefined => version.split('.')[0]
