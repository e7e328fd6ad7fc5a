/** How a job is set up, for display: what its configuration says without the secrets, and what follows from it. Pure. */
import type { ConfigurationReader } from '../base/config/configuration-reader.ts'
import { hideSecrets, isSensitiveKey, redacted } from '../base/config/sensitive-keys.ts'
import type { RestartStrategy } from './control/restart-supervisor.ts'
import type { JobConfigurationSnapshot } from './execution-graph-snapshot.ts'
import type { JobSettings } from './job-settings.ts'

/** Flink's "any number". */
const UNLIMITED = 2 ** 31 - 1

type Configuration = Pick<ConfigurationReader, 'get' | 'written'>

export function jobConfigurationSnapshot(
  configuration: Configuration,
  { coordinator, storage, restartStrategy }: JobSettings,
): JobConfigurationSnapshot {
  const { intervalMs, timeoutMs, minPauseMs, maxConcurrent, tolerableFailures, retention } = coordinator
  const { unaligned, alignedTimeoutMs } = coordinator
  return {
    written: [...configuration.written()].map(([key, value]) => ({ key, value: redacted(key, value) })),
    parallelism: configuration.get('parallelism.default'),
    checkpointing: {
      mode: configuration.get('execution.checkpointing.mode'),
      intervalMs,
      timeoutMs,
      minPauseMs,
      maxConcurrent,
      unaligned,
      alignedTimeoutMs,
      retention,
      tolerableFailures: tolerableFailures === 'unlimited' ? UNLIMITED : tolerableFailures,
      checkpointsAfterTasksFinish: configuration.get('execution.checkpointing.checkpoints-after-tasks-finish'),
    },
    stateBackend: configuration.get('state.backend.type'),
    checkpointDirectory: storage.directory ?? null,
    savepointDirectory: storage.savepointDirectory ?? null,
    restartStrategy: restartSentence(restartStrategy),
  }
}

/** Takes the secrets of this configuration out of a text. The path of a file that holds one is none, and may be any word. */
export function secretsHider(configuration: Configuration): (text: string) => string {
  const isSecret = (key: string) => isSensitiveKey(key) && !key.endsWith('-file')
  return hideSecrets([...configuration.written()].flatMap(([key, value]) => (isSecret(key) ? [value] : [])))
}

/** In Flink's words, which programs that read its REST API may look for. */
export function restartSentence(strategy: RestartStrategy): string {
  switch (strategy.type) {
    case 'none':
      return 'Restart deactivated.'
    case 'fixed-delay':
      return `Restart with fixed delay (${javaDuration(strategy.delayMs)}). #${strategy.attempts} restart attempts.`
    case 'failure-rate': {
      const { maxFailuresPerInterval, failureRateIntervalMs, delayMs } = strategy
      return `Failure rate restart with maximum of ${maxFailuresPerInterval} failures within interval ${javaDuration(failureRateIntervalMs)} and fixed delay ${javaDuration(delayMs)}.`
    }
    case 'exponential-delay': {
      const { initialBackoffMs, backoffMultiplier, maxBackoffMs, resetBackoffThresholdMs, jitterFactor } = strategy
      return `Restart with exponential delay: starting at ${javaDuration(initialBackoffMs)}, increasing by ${backoffMultiplier.toFixed(6)}, with maximum ${javaDuration(maxBackoffMs)}. Delay resets after ${javaDuration(resetBackoffThresholdMs)} with jitter ${jitterFactor.toFixed(6)}`
    }
    default:
      return strategy satisfies never
  }
}

/** As Java writes it: `PT1M1.5S`. */
function javaDuration(ms: number): string {
  const [hours, minutes, seconds] = [Math.floor(ms / 3_600_000), Math.floor(ms / 60_000) % 60, (ms % 60_000) / 1000]
  const parts = `${hours === 0 ? '' : `${hours}H`}${minutes === 0 ? '' : `${minutes}M`}${seconds === 0 ? '' : `${seconds}S`}`
  return `PT${parts === '' ? '0S' : parts}`
}
