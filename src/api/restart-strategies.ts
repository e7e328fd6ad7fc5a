/** What happens after a failure, as Flink's factories name it. Each gives the options that a configuration would hold. */
import type { Duration } from '../base/config/duration.ts'
import { StreamError } from '../base/errors.ts'
import { type ProgramOptions, checkedOption } from './program-options.ts'

/** Made by `RestartStrategies`; for `setRestartStrategy`. */
export interface RestartStrategyConfiguration {
  /** Empty: what the configuration says. */
  readonly options: ProgramOptions
}

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

/** Each throws CONFIG_INVALID for a value that is not legal, naming option, value and legal range. */
export const RestartStrategies = {
  /** The first failure fails the job. */
  noRestart: (): RestartStrategyConfiguration => strategy({ 'restart-strategy.type': 'none' }),

  /** Restarts `attempts` times in the life of the job, `delay` after the failure. */
  fixedDelayRestart: (attempts: number, delay: Duration): RestartStrategyConfiguration =>
    strategy({
      'restart-strategy.type': 'fixed-delay',
      'restart-strategy.fixed-delay.attempts': attempts,
      'restart-strategy.fixed-delay.delay': delay,
    }),

  /** Restarts unless there are more than `maxFailures` within `interval`. */
  failureRateRestart: (maxFailures: number, interval: Duration, delay: Duration): RestartStrategyConfiguration =>
    strategy({
      'restart-strategy.type': 'failure-rate',
      'restart-strategy.failure-rate.max-failures-per-interval': maxFailures,
      'restart-strategy.failure-rate.failure-rate-interval': interval,
      'restart-strategy.failure-rate.delay': delay,
    }),

  /** Waits longer after each failure, until the job has run long enough. */
  exponentialDelayRestart: (options: ExponentialDelayOptions = {}): RestartStrategyConfiguration => {
    const made = strategy({
      'restart-strategy.type': 'exponential-delay',
      'restart-strategy.exponential-delay.initial-backoff': options.initialBackoff ?? 1000,
      'restart-strategy.exponential-delay.max-backoff': options.maxBackoff ?? 60_000,
      'restart-strategy.exponential-delay.backoff-multiplier': options.backoffMultiplier,
      'restart-strategy.exponential-delay.reset-backoff-threshold': options.resetBackoffThreshold,
      'restart-strategy.exponential-delay.jitter-factor': options.jitterFactor,
      'restart-strategy.exponential-delay.attempts-before-reset-backoff': options.attemptsBeforeResetBackoff,
    })
    refuseFalling(made.options)
    return made
  },

  /** What the configuration says, as if the program had named no strategy. */
  fallBackRestart: (): RestartStrategyConfiguration => strategy({}),
} as const

function strategy(options: ProgramOptions): RestartStrategyConfiguration {
  const checked = Object.entries(options)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => [key, checkedOption(key, value)])
  return { options: Object.fromEntries(checked) }
}

function refuseFalling(options: ProgramOptions): void {
  const initialMs = Number(options['restart-strategy.exponential-delay.initial-backoff'])
  const maxMs = Number(options['restart-strategy.exponential-delay.max-backoff'])
  if (initialMs > maxMs)
    throw new StreamError('RESTART_STRATEGY_INVALID', {
      message: `exponentialDelayRestart: the initial backoff (${initialMs} ms) is above the longest one (${maxMs} ms).`,
      hint: 'Give an initialBackoff up to maxBackoff, whose default is 1 min.',
      details: { initialBackoffMs: initialMs, maxBackoffMs: maxMs },
    })
}
