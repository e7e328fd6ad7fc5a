/** What happens after a failure, as Flink's factories name it. Each gives the options that a configuration would hold. */
import { checkedOption, codeLayer } from '../base/config/configuration-layer.ts'
import { ConfigurationReader } from '../base/config/configuration-reader.ts'
import type { Duration } from '../base/config/duration.ts'
import type { Configuration, OptionKey } from '../base/config/options.ts'

/** Made by `RestartStrategies`; for `setRestartStrategy`. */
export interface RestartStrategyConfiguration {
  /** Empty: what the configuration says. */
  readonly options: Configuration
}

/** What is left out is as the configuration's defaults. */
export interface ExponentialDelayOptions {
  /** Default: 1 s */
  readonly initialBackoff?: Duration | undefined
  /** Default: 1 min */
  readonly maxBackoff?: Duration | undefined
  /** Above 1. Default: 1.5 */
  readonly backoffMultiplier?: number | undefined
  /** After so long without a failure the delay begins anew. Default: 1 h */
  readonly resetBackoffThreshold?: Duration | undefined
  /** From 0 to 1. Default: 0.1 */
  readonly jitterFactor?: number | undefined
  /** Default: any number */
  readonly attemptsBeforeResetBackoff?: number | undefined
}

/** Each throws CONFIG_INVALID for a value that is not legal, naming method, option, value and what is legal. */
export const RestartStrategies = {
  /** The first failure fails the job. */
  noRestart: (): RestartStrategyConfiguration => strategy('noRestart', { 'restart-strategy.type': 'none' }),

  /** Restarts `attempts` times in the life of the job, `delay` after the failure. */
  fixedDelayRestart: (attempts: number, delay: Duration): RestartStrategyConfiguration =>
    strategy('fixedDelayRestart', {
      'restart-strategy.type': 'fixed-delay',
      'restart-strategy.fixed-delay.attempts': attempts,
      'restart-strategy.fixed-delay.delay': delay,
    }),

  /** Restarts unless there are more than `maxFailures` within `interval`. */
  failureRateRestart: (maxFailures: number, interval: Duration, delay: Duration): RestartStrategyConfiguration =>
    strategy('failureRateRestart', {
      'restart-strategy.type': 'failure-rate',
      'restart-strategy.failure-rate.max-failures-per-interval': maxFailures,
      'restart-strategy.failure-rate.failure-rate-interval': interval,
      'restart-strategy.failure-rate.delay': delay,
    }),

  /** Waits longer after each failure, until the job has run long enough. */
  exponentialDelayRestart: (options: ExponentialDelayOptions = {}): RestartStrategyConfiguration =>
    strategy('exponentialDelayRestart', {
      'restart-strategy.type': 'exponential-delay',
      'restart-strategy.exponential-delay.initial-backoff': options.initialBackoff,
      'restart-strategy.exponential-delay.max-backoff': options.maxBackoff,
      'restart-strategy.exponential-delay.backoff-multiplier': options.backoffMultiplier,
      'restart-strategy.exponential-delay.reset-backoff-threshold': options.resetBackoffThreshold,
      'restart-strategy.exponential-delay.jitter-factor': options.jitterFactor,
      'restart-strategy.exponential-delay.attempts-before-reset-backoff': options.attemptsBeforeResetBackoff,
    }),

  /** What the configuration says, as if the program had named no strategy. */
  fallBackRestart: (): RestartStrategyConfiguration => ({ options: {} }),
} as const

function strategy(method: string, given: Configuration): RestartStrategyConfiguration {
  const present = Object.entries(given).filter(([, value]) => value !== undefined)
  const options = Object.fromEntries(
    present.map(([key, value]) => [key, checkedOption(key as OptionKey, value as never, method)]),
  )
  refuseContradictions(options)
  return { options }
}

/** The reader refuses options that do not go together. */
function refuseContradictions(options: Configuration): void {
  new ConfigurationReader([codeLayer(options)])
}
