/** The four restart strategies as pure functions: whether to restart after a failure, and when. Options as Flink's. */

export type RestartStrategy =
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
      /** The part of the delay by which it is moved at random, up or down. */
      readonly jitterFactor: number
      readonly attemptsBeforeResetBackoff: number
    }

export const MAX_ATTEMPTS = 2 ** 31 - 1

/** What an option is when nobody sets it: Flink's defaults. */
export const STRATEGY_DEFAULTS = {
  none: { type: 'none' },
  'fixed-delay': { type: 'fixed-delay', attempts: 1, delayMs: 1000 },
  'failure-rate': { type: 'failure-rate', maxFailuresPerInterval: 1, failureRateIntervalMs: 60_000, delayMs: 1000 },
  'exponential-delay': {
    type: 'exponential-delay',
    initialBackoffMs: 1000,
    maxBackoffMs: 60_000,
    backoffMultiplier: 1.5,
    resetBackoffThresholdMs: 3_600_000,
    jitterFactor: 0.1,
    attemptsBeforeResetBackoff: MAX_ATTEMPTS,
  },
} as const satisfies { readonly [T in RestartStrategy['type']]: RestartStrategy }

/** The strategy of a job that names none. */
export const defaultStrategy = (checkpointing: boolean): RestartStrategy =>
  checkpointing ? { type: 'fixed-delay', attempts: MAX_ATTEMPTS, delayMs: 1000 } : { type: 'none' }

/** What a strategy remembers of earlier failures. */
export interface RestartMemory {
  readonly failures: number
  /** The newest failures, as many as the failure rate looks at. */
  readonly recentMs: readonly number[]
  /** Exponential delay: the attempts since the last reset. */
  readonly attempts: number
  /** Exponential delay: when the last granted or denied restart was to happen. */
  readonly nextRestartMs: number
}

export const NO_FAILURES: RestartMemory = { failures: 0, recentMs: [], attempts: 0, nextRestartMs: -(2 ** 31) }

export interface RestartDecision {
  readonly memory: RestartMemory
  readonly restart: boolean
  /** From the failure to the restart. */
  readonly delayMs: number
  /** False when the failure joins a restart that is pending already. */
  readonly newAttempt: boolean
  /** Why not, in words; empty where a restart is granted. */
  readonly reason: string
}

/** `random`: uniform in [0, 1), for the jitter. */
export function decideRestart(
  strategy: RestartStrategy,
  before: RestartMemory,
  atMs: number,
  random: number,
): RestartDecision {
  const memory = { ...before, failures: before.failures + 1 }
  switch (strategy.type) {
    case 'none':
      return { memory, restart: false, delayMs: 0, newAttempt: true, reason: 'the job has no restart strategy' }
    case 'fixed-delay':
      return {
        memory,
        ...verdict(memory.failures <= strategy.attempts, `all ${strategy.attempts} restart attempts are used up`),
        delayMs: strategy.delayMs,
        newAttempt: true,
      }
    case 'failure-rate':
      return failureRate(strategy, memory, atMs)
    case 'exponential-delay':
      return exponentialDelay(strategy, memory, atMs, random)
  }
}

const verdict = (restart: boolean, reason: string) => ({ restart, reason: restart ? '' : reason })

type Of<T extends RestartStrategy['type']> = Extract<RestartStrategy, { type: T }>

/** One failure more than allowed within the interval ends it; exactly the interval is still within. */
function failureRate(strategy: Of<'failure-rate'>, before: RestartMemory, atMs: number): RestartDecision {
  const { maxFailuresPerInterval: most, failureRateIntervalMs: intervalMs } = strategy
  const recentMs = [...before.recentMs, atMs].slice(-(most + 1))
  const tooMany = recentMs.length > most && atMs - (recentMs[0] as number) <= intervalMs
  return {
    memory: { ...before, recentMs },
    ...verdict(!tooMany, `more than ${most} failures within ${intervalMs} ms`),
    delayMs: strategy.delayMs,
    newAttempt: true,
  }
}

/** The delay is the initial one times a power of the multiplier, truncated, so that roundings do not add up. */
function exponentialDelay(
  strategy: Of<'exponential-delay'>,
  before: RestartMemory,
  atMs: number,
  random: number,
): RestartDecision {
  const limit = strategy.attemptsBeforeResetBackoff
  const answer = (memory: RestartMemory, newAttempt: boolean): RestartDecision => ({
    memory,
    ...verdict(memory.attempts <= limit, `all ${limit} restart attempts are used up`),
    delayMs: Math.max(0, memory.nextRestartMs - atMs),
    newAttempt,
  })
  if (atMs <= before.nextRestartMs) return answer(before, false)
  const attempts = atMs - before.nextRestartMs >= strategy.resetBackoffThresholdMs ? 0 : before.attempts
  const baseMs = Math.floor(
    Math.min(strategy.initialBackoffMs * strategy.backoffMultiplier ** attempts, Number.MAX_SAFE_INTEGER / 4),
  )
  const spreadMs = Math.floor(baseMs * strategy.jitterFactor)
  const jitterMs = Math.floor(random * (2 * spreadMs + 1)) - spreadMs
  const delayMs = Math.max(strategy.initialBackoffMs, Math.min(baseMs + jitterMs, strategy.maxBackoffMs))
  return answer({ ...before, attempts: attempts + 1, nextRestartMs: atMs + delayMs }, true)
}

/** What is wrong with the options of a strategy, in words; empty when nothing is. */
export function strategyProblems(strategy: RestartStrategy): readonly string[] {
  const problems: string[] = []
  const must = (holds: boolean, rule: string) => void (holds || problems.push(rule))
  switch (strategy.type) {
    case 'none':
      break
    case 'fixed-delay':
      must(strategy.attempts >= 0, `attempts must be 0 or more, is ${strategy.attempts}`)
      must(strategy.delayMs >= 0, `delay must be 0 ms or more, is ${strategy.delayMs}`)
      break
    case 'failure-rate':
      must(
        strategy.maxFailuresPerInterval >= 1,
        `max-failures-per-interval must be 1 or more, is ${strategy.maxFailuresPerInterval}`,
      )
      must(
        strategy.failureRateIntervalMs > 0,
        `failure-rate-interval must be more than 0 ms, is ${strategy.failureRateIntervalMs}`,
      )
      must(strategy.delayMs >= 0, `delay must be 0 ms or more, is ${strategy.delayMs}`)
      break
    case 'exponential-delay': {
      const {
        initialBackoffMs: initial,
        maxBackoffMs: max,
        backoffMultiplier: multiplier,
        jitterFactor: jitter,
      } = strategy
      must(initial >= 1, `initial-backoff must be 1 ms or more, is ${initial}`)
      must(max >= 1, `max-backoff must be 1 ms or more, is ${max}`)
      must(initial <= max, `initial-backoff (${initial} ms) must not be more than max-backoff (${max} ms)`)
      must(multiplier > 1, `backoff-multiplier must be more than 1, is ${multiplier}`)
      must(
        strategy.resetBackoffThresholdMs >= 1,
        `reset-backoff-threshold must be 1 ms or more, is ${strategy.resetBackoffThresholdMs}`,
      )
      must(jitter >= 0 && jitter <= 1, `jitter-factor must be between 0 and 1, is ${jitter}`)
      must(
        strategy.attemptsBeforeResetBackoff >= 1,
        `attempts-before-reset-backoff must be 1 or more, is ${strategy.attemptsBeforeResetBackoff}`,
      )
    }
  }
  return problems
}
