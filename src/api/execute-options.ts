/**
 * How one execution starts and what may end it. Where the code says nothing, `millrace run` and the configuration may.
 */
import type { ConfigurationReader } from '../base/config/configuration-reader.ts'
import type { Logger } from '../base/logger.ts'
import type { Ports } from '../base/ports.ts'
import type { RunContextOptions } from '../base/run-context.ts'
import type { StartOptions } from '../runtime/execute.ts'
import type { JobHandle } from '../runtime/job-handle.ts'
import { refused } from './operator-settings.ts'

/**
 * How one execution starts and what may end it. Where the code says nothing, `millrace run` and the configuration may.
 */
export interface ExecuteOptions {
  /** Aborting it suspends the job where there is a checkpoint directory, else cancels it. */
  readonly signal?: AbortSignal | undefined
  /** A savepoint or checkpoint to start from: its folder or its `_metadata` file. */
  readonly fromSavepoint?: string | undefined
  /** Start also where it holds state that finds no place in the job: of an operator that is gone, or that has become another. */
  readonly allowNonRestoredState?: boolean | undefined
  /** NO_CLAIM (default): the files stay yours. CLAIM: the job owns them and deletes them in time. */
  readonly claimMode?: 'NO_CLAIM' | 'CLAIM' | undefined
  /** Go on with the job of this name, or of `pipeline.fixed-job-id`, where it ended. */
  readonly resume?: 'latest' | undefined
  /** Take the job over from an owner that is stopped or on another host. */
  readonly takeover?: boolean | undefined
  /** A server of `millrace/rest` that shows the job and takes orders for it. It listens before the job starts, or nothing starts. */
  readonly rest?: RestEndpoint | undefined
}

/** What `restServer()` of `millrace/rest` gives, as far as `execute` needs it. */
export interface RestEndpoint {
  readonly url: string | undefined
  readonly port: number | undefined
  close(options?: { readonly withinMs?: number | undefined }): Promise<void>
  /**
   * Listens; where it does already, nothing happens. Resolves with what the job logs by. Rejects where it cannot listen.
   * @internal
   */
  open(surroundings: RestSurroundings): Promise<Logger>
  /**
   * From now on the job is shown, also when it has ended.
   * @internal
   */
  serve(job: JobHandle): void
  /**
   * Settles when the results of operations that were triggered over it have been asked for, or after 10 s.
   * @internal
   */
  answered(): Promise<void>
}

/** @internal Ports and configuration stay out of the declarations. */
export interface RestSurroundings {
  readonly ports: Ports
  readonly configuration: ConfigurationReader
}

/**
 * The code of the job wins over the command line, which wins over `execution.state-recovery.*`.
 * @internal The runtime's types stay out of the declarations.
 */
export function startOf(
  code: ExecuteOptions,
  run: RunContextOptions | undefined,
  configuration: ConfigurationReader,
): StartOptions['start'] {
  const claimMode = code.claimMode ?? run?.claimMode ?? configuration.get('execution.state-recovery.claim-mode')
  const ignore = configuration.get('execution.state-recovery.ignore-unclaimed-state')
  return {
    fromSavepoint: code.fromSavepoint ?? run?.fromSavepoint ?? configuration.get('execution.state-recovery.path'),
    allowNonRestoredState: code.allowNonRestoredState ?? (run?.allowNonRestoredState || ignore),
    claimMode,
    resume: code.resume ?? run?.resume,
    takeover: code.takeover ?? run?.takeover ?? false,
  }
}

/** From plain JavaScript anything may come. Throws INVALID_ARGUMENT before anything is started. */
export function checkExecuteOptions(jobName: unknown, options: unknown): void {
  if (jobName !== undefined && typeof jobName !== 'string')
    throw refused('execute', jobName, 'a string as name, or none')
  if (typeof options !== 'object' || options === null)
    throw refused('execute', options, 'an object of options, or none')
  for (const [name, { legal, test }] of Object.entries(LEGAL)) {
    const value: unknown = Reflect.get(options, name)
    if (value !== undefined && !test(value)) throw refused(`execute (${name})`, value, legal)
  }
}

const isBoolean = { legal: 'true or false', test: (value: unknown) => typeof value === 'boolean' }

const LEGAL: Readonly<Record<keyof ExecuteOptions, { readonly legal: string; test(value: unknown): boolean }>> = {
  signal: { legal: 'the signal of an AbortController', test: isSignal },
  fromSavepoint: { legal: 'a path', test: (value) => typeof value === 'string' && value !== '' },
  allowNonRestoredState: isBoolean,
  claimMode: { legal: "'NO_CLAIM' or 'CLAIM'", test: (value) => value === 'NO_CLAIM' || value === 'CLAIM' },
  resume: { legal: "'latest'", test: (value) => value === 'latest' },
  takeover: isBoolean,
  rest: { legal: 'what restServer() of millrace/rest gives', test: isEndpoint },
}

function isEndpoint(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { open, serve } = value as Partial<Record<keyof RestEndpoint, unknown>>
  return typeof open === 'function' && typeof serve === 'function'
}

/** Of this realm, another, or a library. */
function isSignal(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { aborted, addEventListener, removeEventListener } = value as Partial<Record<keyof AbortSignal, unknown>>
  return (
    typeof aborted === 'boolean' && typeof addEventListener === 'function' && typeof removeEventListener === 'function'
  )
}
