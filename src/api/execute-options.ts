/**
 * How one execution starts and what may end it. Where the code says nothing, `millrace run` and the configuration may.
 */
import type { ConfigurationReader } from '../base/config/configuration-reader.ts'
import type { RunContextOptions } from '../base/run-context.ts'
import type { StartOptions } from '../runtime/execute.ts'
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
}

/** Of this realm, another, or a library. */
function isSignal(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { aborted, addEventListener, removeEventListener } = value as Partial<Record<keyof AbortSignal, unknown>>
  return (
    typeof aborted === 'boolean' && typeof addEventListener === 'function' && typeof removeEventListener === 'function'
  )
}
