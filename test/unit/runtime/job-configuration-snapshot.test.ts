import { describe, expect, it } from 'vitest'
import { STRATEGY_DEFAULTS } from '../../../machines/restart-strategies.ts'
import { codeLayer } from '../../../src/base/config/configuration-layer.ts'
import { ConfigurationReader } from '../../../src/base/config/configuration-reader.ts'
import type { OptionKey } from '../../../src/base/config/options.ts'
import {
  jobConfigurationSnapshot,
  restartSentence,
  secretsHider,
} from '../../../src/runtime/job-configuration-snapshot.ts'
import { readJobSettings } from '../../../src/runtime/job-settings.ts'

function snapshotOf(configuration: Readonly<Record<string, unknown>>) {
  const reader = new ConfigurationReader([codeLayer(configuration)])
  return jobConfigurationSnapshot(reader, readJobSettings(reader))
}

/** As if one of our options held a secret. */
function withSecret(value: string) {
  const reader = new ConfigurationReader([])
  const key = 'some.client.password' as OptionKey
  const written = () => new Map([[key, value]])
  return { get: reader.get.bind(reader), written, settings: readJobSettings(reader) }
}

describe('How a job is set up', () => {
  it('is told as it was written and as it is', () => {
    const told = snapshotOf({
      'execution.checkpointing.interval': '90 s',
      'execution.checkpointing.dir': '/checkpoints',
      'parallelism.default': 3,
      'state.backend.type': 'rocksdb',
    })
    expect(told.written).toContainEqual({ key: 'execution.checkpointing.dir', value: '/checkpoints' })
    expect(told.written).toContainEqual({ key: 'state.backend.type', value: 'leveldb' })
    expect(told).toMatchObject({
      ...{ parallelism: 3, stateBackend: 'leveldb', checkpointDirectory: '/checkpoints', savepointDirectory: null },
      restartStrategy: 'Restart with fixed delay (PT1S). #2147483647 restart attempts.',
      checkpointing: { mode: 'EXACTLY_ONCE', intervalMs: 90_000, timeoutMs: 600_000, tolerableFailures: 0 },
    })
  })

  it('is told of a job that nothing was said about: no checkpoints, no restart', () => {
    expect(snapshotOf({})).toMatchObject({
      ...{ written: [], parallelism: 1, stateBackend: 'hashmap', checkpointDirectory: null },
      restartStrategy: 'Restart deactivated.',
      checkpointing: { intervalMs: null, checkpointsAfterTasksFinish: true, retention: 'NO_EXTERNALIZED_CHECKPOINTS' },
    })
  })

  it('writes any number of failures as Flink does', () => {
    const { checkpointing } = snapshotOf({ 'execution.checkpointing.tolerable-failed-checkpoints': 2 ** 31 - 1 })
    expect(checkpointing.tolerableFailures).toBe(2 ** 31 - 1)
  })

  it('never tells a secret, and finds it in other texts', () => {
    const configuration = withSecret('open sesame')
    expect(jobConfigurationSnapshot(configuration, configuration.settings).written).toEqual([
      { key: 'some.client.password', value: '******' },
    ])
    expect(secretsHider(configuration)('could not log in with open sesame')).toBe('could not log in with ******')
  })

  it('takes the path of a file that holds a secret for no secret', () => {
    const configuration = new ConfigurationReader([codeLayer({ 'rest.token-file': 'token' })])
    expect(secretsHider(configuration)('Unexpected token < in JSON')).toBe('Unexpected token < in JSON')
  })
})

describe('A restart strategy', () => {
  it.each([
    [{ type: 'fixed-delay', attempts: 10, delayMs: 1500 }, 'Restart with fixed delay (PT1.5S). #10 restart attempts.'],
    [{ type: 'fixed-delay', attempts: 2, delayMs: 700 }, 'Restart with fixed delay (PT0.7S). #2 restart attempts.'],
    [{ type: 'fixed-delay', attempts: 1, delayMs: 0 }, 'Restart with fixed delay (PT0S). #1 restart attempts.'],
    [
      { type: 'failure-rate', maxFailuresPerInterval: 5, failureRateIntervalMs: 60_000, delayMs: 15_000 },
      'Failure rate restart with maximum of 5 failures within interval PT1M and fixed delay PT15S.',
    ],
    [
      { ...STRATEGY_DEFAULTS['exponential-delay'], jitterFactor: 0.5, maxBackoffMs: 3_723_004 },
      'Restart with exponential delay: starting at PT1S, increasing by 1.500000, with maximum PT1H2M3.004S. Delay resets after PT1H with jitter 0.500000',
    ],
  ] as const)('is told in Flink’s words: %j', (strategy, sentence) => {
    expect(restartSentence(strategy)).toBe(sentence)
  })
})
