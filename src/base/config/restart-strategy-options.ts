/** Reads a restart strategy whole from the level that named it: the options of two levels are never mixed. */
import { StreamError } from '../errors.ts'
import { originOf, type ReadLayer } from './configuration-layer.ts'
import { formatDuration } from './duration.ts'
import { OPTIONS, type OptionKey, type OptionValue } from './options.ts'

/** Same shape as what the chart of restarts takes. */
export type RestartStrategyOptions =
  | { readonly type: 'none' }
  | { readonly type: 'fixed-delay'; readonly attempts: number; readonly delayMs: number }
  | {
      readonly type: 'failure-rate'
      readonly maxFailuresPerInterval: number
      readonly failureRateIntervalMs: number
      readonly delayMs: number
    }
  | {
      readonly type: 'exponential-delay'
      readonly initialBackoffMs: number
      readonly maxBackoffMs: number
      readonly backoffMultiplier: number
      readonly resetBackoffThresholdMs: number
      readonly jitterFactor: number
      readonly attemptsBeforeResetBackoff: number
    }

/** Undefined when no level names a strategy. Throws CONFIG_INVALID when its options contradict each other. */
export function readRestartStrategy(layers: readonly ReadLayer[]): RestartStrategyOptions | undefined {
  const naming = layers.find(({ values }) => values.has('restart-strategy.type'))
  if (naming === undefined) return undefined
  const get = <K extends OptionKey>(key: K) => (naming.values.get(key)?.value ?? OPTIONS[key].default) as OptionValue<K>
  const type = get('restart-strategy.type')
  switch (type) {
    case undefined:
    case 'none':
      return { type: 'none' }
    case 'fixed-delay':
      return {
        type,
        attempts: get('restart-strategy.fixed-delay.attempts'),
        delayMs: get('restart-strategy.fixed-delay.delay'),
      }
    case 'failure-rate':
      return {
        type,
        maxFailuresPerInterval: get('restart-strategy.failure-rate.max-failures-per-interval'),
        failureRateIntervalMs: get('restart-strategy.failure-rate.failure-rate-interval'),
        delayMs: get('restart-strategy.failure-rate.delay'),
      }
    case 'exponential-delay': {
      const initialBackoffMs = get('restart-strategy.exponential-delay.initial-backoff')
      const maxBackoffMs = get('restart-strategy.exponential-delay.max-backoff')
      if (initialBackoffMs > maxBackoffMs) throw backoffsCross(naming, initialBackoffMs, maxBackoffMs)
      return {
        type,
        initialBackoffMs,
        maxBackoffMs,
        backoffMultiplier: get('restart-strategy.exponential-delay.backoff-multiplier'),
        resetBackoffThresholdMs: get('restart-strategy.exponential-delay.reset-backoff-threshold'),
        jitterFactor: get('restart-strategy.exponential-delay.jitter-factor'),
        attemptsBeforeResetBackoff: get('restart-strategy.exponential-delay.attempts-before-reset-backoff'),
      }
    }
    default:
      return type satisfies never
  }
}

function backoffsCross({ layer, values }: ReadLayer, initialMs: number, maxMs: number): StreamError {
  const option = 'restart-strategy.exponential-delay.initial-backoff'
  const entry = values.get(option)?.entry ?? values.get('restart-strategy.exponential-delay.max-backoff')?.entry
  const where = entry === undefined ? 'the default' : originOf(layer, entry)
  return new StreamError('CONFIG_INVALID', {
    message: `${where}: ${option} (${formatDuration(initialMs)}) is above max-backoff (${formatDuration(maxMs)}).`,
    hint: 'Legal is an initial-backoff that is not above max-backoff.',
    details: { option, value: initialMs, legal: `at most ${maxMs}`, file: layer.path, line: entry?.line },
  })
}
