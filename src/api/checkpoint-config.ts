/** The checkpointing options of one environment, under Flink's setters. Each checks its value at once and returns `this`. */
import type { Duration } from '../base/config/duration.ts'
import type { OptionInput, OptionKey } from '../base/config/options.ts'
import type { CheckpointingMode } from './checkpointing-mode.ts'
import { refused } from './operator-settings.ts'
import type { ProgramOptions } from './program-options.ts'

/** Which checkpoints outlive a job that was cancelled or has failed. */
export type ExternalizedCheckpointRetention = OptionInput<'execution.checkpointing.externalized-checkpoint-retention'>

const ANY_NUMBER = 2_147_483_647

/**
 * The options of checkpoints. Each setter checks its value at once, throws CONFIG_INVALID for one that is not legal,
 * and returns `this`.
 */
export class CheckpointConfig {
  readonly #options: ProgramOptions

  /** Made by the environment whose options it sets. */
  constructor(options: ProgramOptions) {
    this.#options = options
  }

  /** Whether a record may count twice in state after a failure. Default: EXACTLY_ONCE. */
  setCheckpointingMode(mode: CheckpointingMode): this {
    return this.#with('execution.checkpointing.mode', mode, 'setCheckpointingMode')
  }

  /** Least time from the end of one checkpoint to the next periodic one. Default: 0. */
  setMinPauseBetweenCheckpoints(pause: Duration): this {
    return this.#with('execution.checkpointing.min-pause', pause, 'setMinPauseBetweenCheckpoints')
  }

  /** A checkpoint that takes longer is aborted. Default: 10 min. */
  setCheckpointTimeout(timeout: Duration): this {
    return this.#with('execution.checkpointing.timeout', timeout, 'setCheckpointTimeout')
  }

  /** `false`: a failed checkpoint is declined and the tasks live, any number of times; `true`: no failure is tolerated. */
  setFailTasksOnCheckpointingErrors(fail: boolean): this {
    if (typeof fail !== 'boolean') throw refused('setFailTasksOnCheckpointingErrors', fail, 'true or false')
    this.#with('execution.checkpointing.fail-tasks-on-errors', fail, 'setFailTasksOnCheckpointingErrors')
    return this.setTolerableCheckpointFailureNumber(fail ? 0 : ANY_NUMBER)
  }

  /** How many checkpoints in a row may fail before the job fails. Default: 0. */
  setTolerableCheckpointFailureNumber(failures: number): this {
    return this.#with(
      'execution.checkpointing.tolerable-failed-checkpoints',
      failures,
      'setTolerableCheckpointFailureNumber',
    )
  }

  /** Default: 1. */
  setMaxConcurrentCheckpoints(checkpoints: number): this {
    return this.#with('execution.checkpointing.max-concurrent-checkpoints', checkpoints, 'setMaxConcurrentCheckpoints')
  }

  /** Barriers may overtake records, which become part of the checkpoint. */
  enableUnalignedCheckpoints(enabled = true): this {
    return this.#with('execution.checkpointing.unaligned.enabled', enabled, 'enableUnalignedCheckpoints')
  }

  /** With unaligned checkpoints: how long one may try to align first. Default: 0, not at all. */
  setAlignedCheckpointTimeout(timeout: Duration): this {
    return this.#with('execution.checkpointing.aligned-checkpoint-timeout', timeout, 'setAlignedCheckpointTimeout')
  }

  /** Which checkpoints outlive the job when it was cancelled or has failed. */
  setExternalizedCheckpointRetention(retention: ExternalizedCheckpointRetention): this {
    return this.#with(
      'execution.checkpointing.externalized-checkpoint-retention',
      retention,
      'setExternalizedCheckpointRetention',
    )
  }

  /** A folder, as a path or a `file:` URI. Without one, checkpoints live in memory and end with the process. */
  setCheckpointStorage(uri: string): this {
    return this.#with('execution.checkpointing.dir', uri, 'setCheckpointStorage')
  }

  #with<K extends OptionKey>(key: K, value: OptionInput<K>, setter: string): this {
    this.#options.set(key, value, setter)
    return this
  }
}
