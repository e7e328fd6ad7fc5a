import { describe, expect, test } from 'vitest'
import { readConfiguration } from '../../../../src/base/config/config-file.ts'
import { type ConfigurationLayer, codeLayer } from '../../../../src/base/config/configuration-layer.ts'
import { logNotices } from '../../../../src/base/config/configuration-notices.ts'
import { ConfigurationReader } from '../../../../src/base/config/configuration-reader.ts'
import { silentLogger } from '../../../../src/base/logger.ts'

const file = (text: string, path = 'config.yaml'): ConfigurationLayer => ({
  level: 'file',
  path,
  entries: readConfiguration(path, text),
})
const commandLine = (values: Readonly<Record<string, string>>): ConfigurationLayer => ({
  level: 'command line',
  entries: Object.entries(values).map(([key, value]) => ({ key, value })),
})
const messages = (...layers: readonly ConfigurationLayer[]) =>
  new ConfigurationReader(layers).notices.map(({ severity, message }) => `${severity}: ${message}`)

describe('an option', () => {
  const key = 'execution.checkpointing.timeout'

  test('comes from the strongest level that sets it: code, command line, file, default', () => {
    const weak = file(`${key}: 3 s`)
    const middle = commandLine({ [key]: '2 s' })
    const strong = codeLayer({ [key]: 1000 })
    expect(new ConfigurationReader([weak, strong, middle]).get(key)).toBe(1000)
    expect(new ConfigurationReader([weak, middle]).get(key)).toBe(2000)
    expect(new ConfigurationReader([weak]).get(key)).toBe(3000)
    expect(new ConfigurationReader([]).get(key)).toBe(600_000)
  })

  test('says where it comes from, and whether anybody set it', () => {
    const reader = new ConfigurationReader([file(`# first\n${key}: 3 s`)])
    expect(reader.originOf(key)).toBe('config.yaml:2')
    expect(reader.originOf('execution.checkpointing.min-pause')).toBe('the default')
    expect(reader.isSet(key)).toBe(true)
    expect(reader.isSet('execution.checkpointing.min-pause')).toBe(false)
    expect([...reader.written()]).toEqual([[key, '3 s']])
  })

  test('of the code that is undefined says nothing', () => {
    const reader = new ConfigurationReader([codeLayer({ [key]: undefined }), file(`${key}: 3 s`)])
    expect(reader.get(key)).toBe(3000)
  })

  test('under an older name counts as the option, across levels too; in one level the key itself wins', () => {
    const older = codeLayer({ 'state.checkpoints.dir': '/new' })
    const newer = file('execution.checkpointing.dir: /old')
    expect(new ConfigurationReader([older, newer]).get('execution.checkpointing.dir')).toBe('/new')
    const both = file('execution.checkpointing.dir: /key\nstate.checkpoints.dir: /older')
    expect(new ConfigurationReader([both]).get('execution.checkpointing.dir')).toBe('/key')
    expect(messages(both)).toEqual(['warn: config.yaml:2: state.checkpoints.dir is given twice; this one is not read.'])
  })

  test('given twice by -D takes the last one', () => {
    const entries = [
      { key, value: '1 s' },
      { key, value: '2 s' },
    ]
    expect(new ConfigurationReader([{ level: 'command line', entries }]).get(key)).toBe(2000)
  })

  test('that is bad in any level is an error with file, line, key, value and what is legal', () => {
    const layers = [codeLayer({ [key]: 1000 }), file('a: 1\nexecution.checkpointing:\n  timeout: soon')]
    expect(() => new ConfigurationReader(layers)).toThrow(
      expect.objectContaining({
        code: 'CONFIG_INVALID',
        message: `config.yaml:3: ${key} cannot be "soon".`,
        hint: expect.stringContaining('a duration'),
        details: expect.objectContaining({ file: 'config.yaml', line: 3, option: key, value: '"soon"' }),
      }),
    )
    expect(() => new ConfigurationReader([commandLine({ 'state.backend': 'oracle' })])).toThrow(
      'the command line: state.backend cannot be "oracle".',
    )
  })
})

describe('a restart strategy', () => {
  test('that no level names is left to the default, and its options are not read', () => {
    const layer = commandLine({ 'restart-strategy.fixed-delay.attempts': '7' })
    expect(new ConfigurationReader([layer]).restartStrategy()).toBeUndefined()
    expect(messages(layer)).toEqual([
      'warn: the command line: restart-strategy.fixed-delay.attempts is not read, because restart-strategy.type is not given.',
    ])
  })

  test('takes all its options from the level that named it', () => {
    const named = file('restart-strategy:\n  type: fixed-delay\n  fixed-delay.attempts: 3')
    const strong = commandLine({
      'restart-strategy.fixed-delay.attempts': '7',
      'restart-strategy.fixed-delay.delay': '9 s',
    })
    const reader = new ConfigurationReader([strong, named])
    expect(reader.restartStrategy()).toEqual({ type: 'fixed-delay', attempts: 3, delayMs: 1000 })
    expect(reader.notices.map(({ message }) => message)).toEqual([
      'the command line: restart-strategy.fixed-delay.attempts is not read, because restart-strategy.type is given by config.yaml.',
      'the command line: restart-strategy.fixed-delay.delay is not read, because restart-strategy.type is given by config.yaml.',
    ])
  })

  test('of a stronger level replaces the weaker one whole, without a word', () => {
    const weak = file('restart-strategy: failure-rate\nrestart-strategy.failure-rate.delay: 5 s')
    const strong = codeLayer({ 'restart-strategy.type': 'failure-rate' })
    const reader = new ConfigurationReader([weak, strong])
    expect(reader.restartStrategy()).toEqual({
      type: 'failure-rate',
      maxFailuresPerInterval: 1,
      failureRateIntervalMs: 60_000,
      delayMs: 1000,
    })
    expect(reader.notices).toEqual([])
  })

  test.each(['none', 'off', 'disable', 'NONE'])('%s means none', (word) => {
    expect(new ConfigurationReader([file(`restart-strategy: ${word}`)]).restartStrategy()).toEqual({ type: 'none' })
  })

  test('exponential-delay has Flink’s defaults, and its first delay is not above its longest', () => {
    const type = 'restart-strategy.type: exponential-delay'
    expect(new ConfigurationReader([file(type)]).restartStrategy()).toEqual({
      type: 'exponential-delay',
      initialBackoffMs: 1000,
      maxBackoffMs: 60_000,
      backoffMultiplier: 1.5,
      resetBackoffThresholdMs: 3_600_000,
      jitterFactor: 0.1,
      attemptsBeforeResetBackoff: 2_147_483_647,
    })
    const crossed = file(`${type}\nrestart-strategy.exponential-delay.initial-backoff: 2 min`)
    expect(() => new ConfigurationReader([crossed])).toThrow(
      'config.yaml:2: restart-strategy.exponential-delay.initial-backoff',
    )
  })
})

describe('a user is told', () => {
  test('of a key that is not known, with the nearest one that is', () => {
    expect(messages(file('\nexecution.checkpoint.interval: 1 s'))).toEqual([
      'warn: config.yaml:2: the key execution.checkpoint.interval is not known and has no effect. Did you mean execution.checkpointing.interval?',
    ])
    expect(messages(codeLayer({ 'my.own.setting': 1 }))).toEqual([
      'warn: the code of the job: the key my.own.setting is not known and has no effect. No known key is like it.',
    ])
  })

  test('that rocksdb means leveldb, once, as information', () => {
    const layer = file('state.backend: rocksdb')
    expect(new ConfigurationReader([layer]).get('state.backend.type')).toBe('leveldb')
    expect(messages(layer)).toEqual(['info: config.yaml:1: state.backend is rocksdb, which means leveldb here.'])
    expect(messages(file('state.backend: leveldb'))).toEqual([])
  })

  test('of an option that has no effect yet', () => {
    expect(messages(commandLine({ 'execution.source-read-ahead': '10' }))).toEqual([
      'warn: the command line: execution.source-read-ahead is accepted but has no effect in this version.',
    ])
    expect(messages(commandLine({ 'pipeline.object-reuse': 'true' }))).toEqual([])
  })

  test('through a logger, a line each', () => {
    const lines: string[] = []
    const logger = { ...silentLogger, warn: (line: string) => void lines.push(line) }
    logNotices(new ConfigurationReader([file('a.b: 1\nc.d: 2')]).notices, logger)
    expect(lines).toHaveLength(2)
  })
})
