/** What the runtime reads from the configuration, once, at the start of a job. Plain data. */
import type { ConfigurationReader } from '../base/config/configuration-reader.ts'
import { StreamError } from '../base/errors.ts'
import { localPath } from '../base/paths.ts'
import { defaultStrategy, type RestartStrategy } from './control/restart-supervisor.ts'
import type { LeveldbSettings } from './keyed-state-backends.ts'
import type { TaskSettings, UnalignedSettings } from './task-environment.ts'

export interface JobSettings extends TaskSettings {
  readonly restartStrategy: RestartStrategy
  readonly failoverStrategy: 'region' | 'full'
  readonly coordinator: CoordinatorSettings
  /** Whoever starts from the checkpoint of this id loses the records in flight that it holds. */
  readonly dropInFlightOf: number | undefined
  /** How many checkpoints are remembered for those who ask. */
  readonly checkpointHistory: number
  readonly storage: {
    /** Undefined: in memory. */
    readonly directory: string | undefined
    readonly inlineThresholdBytes: number
    /** Where savepoints lie for which none is named; undefined: one must be. */
    readonly savepointDirectory?: string | undefined
  }
}

interface CoordinatorSettings {
  /** null: no periodic checkpoints. */
  readonly intervalMs: number | null
  /** While a source reports backlog; null: as `intervalMs`; 0: none. */
  readonly intervalDuringBacklogMs: number | null
  readonly minPauseMs: number
  readonly timeoutMs: number
  readonly maxConcurrent: number
  readonly tolerableFailures: number | 'unlimited'
  readonly numRetained: number
  readonly unaligned: boolean
  /** Read where `unaligned`: 0 starts unaligned at once. */
  readonly alignedTimeoutMs: number
  readonly retention: 'NO_EXTERNALIZED_CHECKPOINTS' | 'DELETE_ON_CANCELLATION' | 'RETAIN_ON_CANCELLATION'
}

/** Flink's "any number". */
const UNLIMITED = 2 ** 31 - 1

/** Throws UNSUPPORTED or CONFIG_INVALID for what cannot be run, before anything is started. */
export function readJobSettings(configuration: ConfigurationReader): JobSettings {
  refuseUnsupported(configuration)
  checkUnaligned(configuration)
  const intervalMs = configuration.get('execution.checkpointing.interval')
  const checkpointing = intervalMs !== undefined
  const tolerable = configuration.get('execution.checkpointing.tolerable-failed-checkpoints')
  return {
    checkpointing,
    checkpointingMode: configuration.get('execution.checkpointing.mode'),
    // A task that finishes without a final checkpoint leaves records behind that are in no state: none may be taken then.
    checkpointsAfterTasksFinish:
      checkpointing && configuration.get('execution.checkpointing.checkpoints-after-tasks-finish'),
    unaligned: unalignedSettings(configuration),
    failTasksOnCheckpointingErrors: configuration.get('execution.checkpointing.fail-tasks-on-errors'),
    cancellationTimeoutMs: configuration.get('task.cancellation.timeout'),
    committerRetries: configuration.get('sink.committer.retries'),
    commitTimeoutMs: configuration.get('sink.committer.timeout'),
    channelCredit: configuration.get('execution.channel-credit'),
    debugFreeze: configuration.get('execution.debug-freeze'),
    blockedLoopWarningMs: configuration.get('execution.blocked-loop-warning'),
    leveldb: leveldbSettings(configuration),
    restartStrategy: configuration.restartStrategy() ?? defaultStrategy(checkpointing),
    failoverStrategy: configuration.get('jobmanager.execution.failover-strategy'),
    coordinator: {
      intervalMs: intervalMs ?? null,
      intervalDuringBacklogMs: intervalDuringBacklog(configuration, intervalMs),
      minPauseMs: configuration.get('execution.checkpointing.min-pause'),
      timeoutMs: configuration.get('execution.checkpointing.timeout'),
      maxConcurrent: configuration.get('execution.checkpointing.max-concurrent-checkpoints'),
      tolerableFailures: tolerable === UNLIMITED ? 'unlimited' : tolerable,
      numRetained: configuration.get('execution.checkpointing.num-retained'),
      retention: configuration.get('execution.checkpointing.externalized-checkpoint-retention'),
      unaligned: configuration.get('execution.checkpointing.unaligned.enabled'),
      alignedTimeoutMs: configuration.get('execution.checkpointing.aligned-checkpoint-timeout'),
    },
    checkpointHistory: configuration.get('web.checkpoints.history'),
    dropInFlightOf: dropInFlightOf(configuration),
    storage: {
      directory: storageDirectory(configuration),
      inlineThresholdBytes: configuration.get('execution.checkpointing.data-inline-threshold'),
      savepointDirectory: configuration.get('execution.checkpointing.savepoint-dir'),
    },
  }
}

function dropInFlightOf(configuration: ConfigurationReader): number | undefined {
  const checkpointId = configuration.get('execution.checkpointing.recover-without-channel-state.checkpoint-id')
  return checkpointId < 0 ? undefined : checkpointId
}

function intervalDuringBacklog(configuration: ConfigurationReader, intervalMs: number | undefined): number | null {
  const option = 'execution.checkpointing.interval-during-backlog'
  const backlogMs = configuration.get('execution.checkpointing.interval-during-backlog') ?? null
  if (backlogMs === null || intervalMs === undefined || backlogMs === 0 || backlogMs >= intervalMs) return backlogMs
  throw new StreamError('CONFIG_INVALID', {
    message: `${configuration.originOf(option)}: ${option} is ${backlogMs} ms, shorter than the interval of ${intervalMs} ms.`,
    hint: 'Set it to the interval or more, or to 0: no periodic checkpoints while there is a backlog.',
    details: { option, intervalMs, backlogMs },
  })
}

function unalignedSettings(configuration: ConfigurationReader): UnalignedSettings | undefined {
  if (!configuration.get('execution.checkpointing.unaligned.enabled')) return undefined
  return {
    alignedTimeoutMs: configuration.get('execution.checkpointing.aligned-checkpoint-timeout'),
    maxInFlightBytes: configuration.get('execution.checkpointing.unaligned.max-in-flight-size'),
  }
}

function leveldbSettings(configuration: ConfigurationReader): LeveldbSettings | undefined {
  if (configuration.get('state.backend.type') !== 'leveldb') return undefined
  const directory = configuration.get('state.backend.leveldb.localdir')
  return {
    cacheBytes: configuration.get('state.backend.leveldb.cache-size'),
    incremental: configuration.get('execution.checkpointing.incremental'),
    localDirectory: directory === undefined ? undefined : localPath(directory),
  }
}

function storageDirectory(configuration: ConfigurationReader): string | undefined {
  const directory = configuration.get('execution.checkpointing.dir')
  const storage = configuration.get('execution.checkpointing.storage')
  if (storage === 'jobmanager') return undefined
  if (storage === 'filesystem' && directory === undefined)
    throw new StreamError('CONFIG_INVALID', {
      message: `${configuration.originOf('execution.checkpointing.storage')}: execution.checkpointing.storage is filesystem, and execution.checkpointing.dir is not set.`,
      hint: 'Set execution.checkpointing.dir to a folder.',
      details: { option: 'execution.checkpointing.dir' },
    })
  return directory
}

function refuseUnsupported(configuration: ConfigurationReader): void {
  const afterFinish = 'execution.checkpointing.checkpoints-after-tasks-finish'
  if (
    configuration.get('execution.checkpointing.interval') !== undefined &&
    !configuration.get('execution.checkpointing.checkpoints-after-tasks-finish')
  )
    throw new StreamError('UNSUPPORTED', {
      message: `${configuration.originOf(afterFinish)}: with ${afterFinish} off, what a bounded job writes after its last checkpoint would never be committed.`,
      hint: 'Leave the option on: the end of a job then waits for one last checkpoint, which is taken at once.',
      details: { option: afterFinish },
    })
}

/** Unaligned checkpoints are exact only where Flink allows them. */
function checkUnaligned(configuration: ConfigurationReader): void {
  const option = 'execution.checkpointing.unaligned.enabled'
  if (!configuration.get(option)) return
  const mode = configuration.get('execution.checkpointing.mode')
  const concurrent = configuration.get('execution.checkpointing.max-concurrent-checkpoints')
  if (mode === 'EXACTLY_ONCE' && concurrent === 1) return
  throw new StreamError('CONFIG_INVALID', {
    message: `${configuration.originOf(option)}: unaligned checkpoints need mode EXACTLY_ONCE and one checkpoint at a time; here the mode is ${mode} with ${concurrent} at a time.`,
    hint: 'Set execution.checkpointing.mode to EXACTLY_ONCE and max-concurrent-checkpoints to 1, or turn unaligned checkpoints off.',
    details: { option, mode, concurrent },
  })
}
