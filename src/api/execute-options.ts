/** How one execution starts and what may end it. Where the code says nothing, `millrace run` and the configuration may. */
import type { ConfigurationReader } from '../base/config/configuration-reader.ts'
import type { RunContextOptions } from '../base/run-context.ts'
import type { StartOptions } from '../runtime/execute.ts'

export interface ExecuteOptions {
  /** Aborting it suspends the job where there is a checkpoint directory, else cancels it. */
  readonly signal?: AbortSignal | undefined
  /** A savepoint or checkpoint to start from: its folder or its `_metadata` file. */
  readonly fromSavepoint?: string | undefined
  /** Start also where it holds state of operators that the job does not have. */
  readonly allowNonRestoredState?: boolean | undefined
  /** NO_CLAIM (default): the files stay yours. CLAIM: the job owns them and deletes them in time. */
  readonly claimMode?: 'NO_CLAIM' | 'CLAIM' | undefined
  /** Go on with the job of this name, or of `pipeline.fixed-job-id`, where it ended. */
  readonly resume?: 'latest' | undefined
  /** Take the job over from an owner that is stopped or on another host. */
  readonly takeover?: boolean | undefined
}

/** The code of the job wins over the command line, which wins over `execution.state-recovery.*`. */
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
