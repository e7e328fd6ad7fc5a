import { describe, expect, it } from 'vitest'
import { RestartStrategies, type RestartStrategyConfiguration } from '../../../src/api/restart-strategies.ts'
import { codeLayer } from '../../../src/base/config/configuration-layer.ts'
import { ConfigurationReader } from '../../../src/base/config/configuration-reader.ts'
import { Time, TimeUnit } from '../../../src/base/config/duration.ts'

const read = (strategy: RestartStrategyConfiguration) =>
  new ConfigurationReader([codeLayer(strategy.options)]).restartStrategy()

describe('RestartStrategies', () => {
  it('noRestart never restarts', () => {
    expect(read(RestartStrategies.noRestart())).toEqual({ type: 'none' })
  })

  it('fixedDelayRestart takes attempts and delay', () => {
    expect(read(RestartStrategies.fixedDelayRestart(3, Time.of(10, TimeUnit.SECONDS)))).toEqual({
      type: 'fixed-delay',
      attempts: 3,
      delayMs: 10_000,
    })
  })

  it('failureRateRestart takes failures, interval and delay', () => {
    const strategy = RestartStrategies.failureRateRestart(3, Time.of(5, TimeUnit.MINUTES), '10 s')
    expect(read(strategy)).toEqual({
      type: 'failure-rate',
      maxFailuresPerInterval: 3,
      failureRateIntervalMs: 300_000,
      delayMs: 10_000,
    })
  })

  it("exponentialDelayRestart takes options, the others being Flink's defaults", () => {
    expect(read(RestartStrategies.exponentialDelayRestart({ initialBackoff: 5, backoffMultiplier: 2 }))).toEqual({
      type: 'exponential-delay',
      initialBackoffMs: 5,
      maxBackoffMs: 60_000,
      backoffMultiplier: 2,
      resetBackoffThresholdMs: 3_600_000,
      jitterFactor: 0.1,
      attemptsBeforeResetBackoff: 2_147_483_647,
    })
  })

  it('fallBackRestart names no strategy', () => {
    expect(read(RestartStrategies.fallBackRestart())).toBeUndefined()
  })

  it.each<[string, () => unknown]>([
    [
      'fixedDelayRestart (restart-strategy.fixed-delay.attempts) cannot be -1.',
      () => RestartStrategies.fixedDelayRestart(-1, 0),
    ],
    [
      'fixedDelayRestart (restart-strategy.fixed-delay.delay) cannot be -5.',
      () => RestartStrategies.fixedDelayRestart(1, -5),
    ],
    [
      'failureRateRestart (restart-strategy.failure-rate.max-failures-per-interval) cannot be 1.5.',
      () => RestartStrategies.failureRateRestart(1.5, 1, 1),
    ],
    [
      'exponentialDelayRestart (restart-strategy.exponential-delay.jitter-factor) cannot be 2.',
      () => RestartStrategies.exponentialDelayRestart({ jitterFactor: 2 }),
    ],
  ])('refuses at once: %s', (message, make) => {
    expect(make).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID', message }))
  })

  it('refuses a first backoff above the longest one', () => {
    expect(() => RestartStrategies.exponentialDelayRestart({ initialBackoff: '2 min' })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID' }),
    )
  })
})
