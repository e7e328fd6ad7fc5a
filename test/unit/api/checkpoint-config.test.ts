import { describe, expect, it } from 'vitest'
import { CheckpointConfig } from '../../../src/api/checkpoint-config.ts'
import { CheckpointingMode } from '../../../src/api/checkpointing-mode.ts'
import { ProgramOptions } from '../../../src/api/program-options.ts'
import { ConfigurationReader } from '../../../src/base/config/configuration-reader.ts'
import { Time, TimeUnit } from '../../../src/base/config/duration.ts'
import type { OptionKey } from '../../../src/base/config/options.ts'

function written(configure: (config: CheckpointConfig) => unknown, key: OptionKey) {
  const options = new ProgramOptions()
  configure(new CheckpointConfig(options))
  return new ConfigurationReader([options.layer()]).get(key)
}

describe('each setter of CheckpointConfig', () => {
  it.each<[string, (config: CheckpointConfig) => CheckpointConfig, OptionKey, unknown]>([
    [
      'mode',
      (c) => c.setCheckpointingMode(CheckpointingMode.AT_LEAST_ONCE),
      'execution.checkpointing.mode',
      'AT_LEAST_ONCE',
    ],
    [
      'mode as a literal',
      (c) => c.setCheckpointingMode('EXACTLY_ONCE'),
      'execution.checkpointing.mode',
      'EXACTLY_ONCE',
    ],
    ['pause', (c) => c.setMinPauseBetweenCheckpoints('2 s'), 'execution.checkpointing.min-pause', 2000],
    ['timeout', (c) => c.setCheckpointTimeout(Time.of(1, TimeUnit.MINUTES)), 'execution.checkpointing.timeout', 60_000],
    ['concurrency', (c) => c.setMaxConcurrentCheckpoints(3), 'execution.checkpointing.max-concurrent-checkpoints', 3],
    [
      'tolerance',
      (c) => c.setTolerableCheckpointFailureNumber(5),
      'execution.checkpointing.tolerable-failed-checkpoints',
      5,
    ],
    ['unaligned', (c) => c.enableUnalignedCheckpoints(), 'execution.checkpointing.unaligned.enabled', true],
    [
      'alignment',
      (c) => c.setAlignedCheckpointTimeout(Time.parse('7 s')),
      'execution.checkpointing.aligned-checkpoint-timeout',
      7000,
    ],
    ['storage', (c) => c.setCheckpointStorage('file:///chk'), 'execution.checkpointing.dir', 'file:///chk'],
    [
      'retention',
      (c) => c.setExternalizedCheckpointRetention('RETAIN_ON_CANCELLATION'),
      'execution.checkpointing.externalized-checkpoint-retention',
      'RETAIN_ON_CANCELLATION',
    ],
  ])('writes its option and returns the configuration: %s', (_name, set, key, value) => {
    const options = new ProgramOptions()
    const config = new CheckpointConfig(options)
    expect(set(config)).toBe(config)
    expect(new ConfigurationReader([options.layer()]).get(key)).toBe(value)
  })

  it('turns unaligned checkpoints off again', () => {
    const key = 'execution.checkpointing.unaligned.enabled'
    expect(written((c) => c.enableUnalignedCheckpoints().enableUnalignedCheckpoints(false), key)).toBe(false)
  })

  it('tolerates any number of failed checkpoints, or none, by the name that says whether tasks fail', () => {
    const key = 'execution.checkpointing.tolerable-failed-checkpoints'
    expect(written((c) => c.setFailTasksOnCheckpointingErrors(false), key)).toBe(2_147_483_647)
    expect(written((c) => c.setFailTasksOnCheckpointingErrors(true), key)).toBe(0)
  })

  it.each<[string, (config: CheckpointConfig) => unknown, string]>([
    ['setCheckpointTimeout', (c) => c.setCheckpointTimeout(-1), '10 ms or more'],
    ['setCheckpointTimeout', (c) => c.setCheckpointTimeout(Number.NaN), '10 ms or more'],
    ['setMinPauseBetweenCheckpoints', (c) => c.setMinPauseBetweenCheckpoints(0.5), 'whole milliseconds'],
    ['setMaxConcurrentCheckpoints', (c) => c.setMaxConcurrentCheckpoints(0), '1 or more'],
    ['setTolerableCheckpointFailureNumber', (c) => c.setTolerableCheckpointFailureNumber(-1), '0 to 2147483647'],
    ['setCheckpointStorage', (c) => c.setCheckpointStorage(''), 'a text'],
    // What only plain JavaScript can do.
    [
      'setCheckpointingMode',
      (c) => Reflect.apply(c.setCheckpointingMode, c, ['EXACTLY_TWICE']),
      'EXACTLY_ONCE, AT_LEAST_ONCE',
    ],
    ['enableUnalignedCheckpoints', (c) => Reflect.apply(c.enableUnalignedCheckpoints, c, ['yes']), 'true or false'],
  ])('refuses a bad value at once, naming itself and what is legal: %s', (setter, set, legal) => {
    const options = new ProgramOptions()
    const refuse = () => set(new CheckpointConfig(options))
    expect(refuse).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
    expect(refuse).toThrow(
      expect.objectContaining({ message: expect.stringContaining(`${setter} (execution.checkpointing.`) }),
    )
    expect(refuse).toThrow(expect.objectContaining({ hint: expect.stringContaining(legal) }))
    expect(options.layer().entries).toEqual([])
  })

  it('takes no word for a truth value', () => {
    const config = new CheckpointConfig(new ProgramOptions())
    expect(() => Reflect.apply(config.setFailTasksOnCheckpointingErrors, config, ['false'])).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    )
  })
})
