import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { checkedOption } from '../../../../src/base/config/configuration-layer.ts'
import { Time } from '../../../../src/base/config/duration.ts'
import type { OptionDefinition } from '../../../../src/base/config/option-definition.ts'
import { readOptionValue } from '../../../../src/base/config/option-value.ts'
import {
  type Configuration,
  findOption,
  knownNames,
  OPTIONS,
  type OptionValue,
} from '../../../../src/base/config/options.ts'

const root = new URL('../../../../src/', import.meta.url)
/** Everything that could read an option. */
const source = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .map((path) => readFileSync(new URL(path, root), 'utf8'))
  .join('\n')
const entries = Object.entries(OPTIONS as Readonly<Record<string, OptionDefinition>>)

describe('the table of options', () => {
  test.each(entries)('%s has a default that is legal and a description that ends', (_key, definition) => {
    if (definition.default !== undefined)
      expect(readOptionValue(definition, definition.default)).toBe(definition.default)
    expect(definition.description).toMatch(/\.$/)
  })

  test.each(entries)(
    '%s is read by the code if and only if the table says that it has an effect',
    (key, { effect }) => {
      const isRead = new RegExp(`get\\(\\s*'${key.replaceAll('.', '\\.')}'`).test(source)
      expect(isRead ? 'now' : 'no effect').toBe((effect ?? 'now') === 'now' ? 'now' : 'no effect')
    },
  )

  test('has no name twice', () => {
    const names = entries.flatMap(([key, { aliases = [] }]) => [key, ...aliases])
    expect(new Set(names).size).toBe(names.length)
    expect(knownNames()).toEqual(names)
  })

  test('knows Flink’s older names, and nothing that objects have by themselves', () => {
    expect(findOption('restart-strategy')?.key).toBe('restart-strategy.type')
    expect(findOption('state.backend')?.key).toBe('state.backend.type')
    expect(findOption('state.checkpoints.dir')?.key).toBe('execution.checkpointing.dir')
    for (const key of ['constructor', '__proto__', 'toString']) expect(findOption(key)).toBeUndefined()
  })
})

describe('a Configuration', () => {
  test('checks the values of known keys and allows others', () => {
    const good: Configuration = {
      'execution.checkpointing.interval': '10 s',
      'execution.checkpointing.timeout': Time.minutes(1),
      'execution.checkpointing.mode': 'AT_LEAST_ONCE',
      'execution.checkpointing.data-inline-threshold': '64 kb',
      'parallelism.default': 4,
      'state.backend': 'rocksdb',
      'state.checkpoints.dir': 'file:///tmp',
      'my.own.key': 'anything',
    }
    expect(Object.keys(good)).toHaveLength(8)
    // @ts-expect-error a misspelt unit
    const unit: Configuration = { 'execution.checkpointing.interval': '10 sek' }
    // @ts-expect-error a mode that does not exist
    const mode: Configuration = { 'execution.checkpointing.mode': 'exactly' }
    // @ts-expect-error a text where a number is due
    const text: Configuration = { 'parallelism.default': '4' }
    // @ts-expect-error an older name is checked as the key is
    const older: Configuration = { 'state.backend': 'oracle' }
    expect([unit, mode, text, older]).toHaveLength(4)
  })

  test('gives plain values: milliseconds, bytes, the choice', () => {
    expectTypeOf<OptionValue<'execution.checkpointing.interval'>>().toEqualTypeOf<number | undefined>()
    expectTypeOf<OptionValue<'execution.checkpointing.timeout'>>().toEqualTypeOf<number>()
    expectTypeOf<OptionValue<'execution.debug-freeze'>>().toEqualTypeOf<boolean>()
    expectTypeOf<OptionValue<'state.backend.type'>>().toEqualTypeOf<'hashmap' | 'leveldb'>()
    expectTypeOf<OptionValue<'pipeline.name'>>().toEqualTypeOf<string | undefined>()
  })
})

describe('a setter', () => {
  test('gets the plain value of what it was given', () => {
    expect(checkedOption('execution.checkpointing.timeout', '1 min')).toBe(60_000)
    expect(checkedOption('state.backend.type', 'rocksdb')).toBe('leveldb')
  })

  test('is refused a bad value at once, by its own name and the option’s', () => {
    const act = () => checkedOption('execution.checkpointing.interval', 5, 'enableCheckpointing')
    expect(act).toThrow('enableCheckpointing (execution.checkpointing.interval) cannot be 5.')
    expect(act).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', hint: expect.stringContaining('10 ms or more') }),
    )
    // @ts-expect-error what plain JavaScript could give
    expect(() => checkedOption('parallelism.default', { a: 1 })).toThrow('parallelism.default cannot be an object.')
  })

  test.each([
    ['restart-strategy.exponential-delay.backoff-multiplier', [1, Number.NaN], [1.01, 2]],
    ['restart-strategy.exponential-delay.jitter-factor', [-0.1, 1.1], [0, 1]],
    ['parallelism.default', [0, 1.5, 32_769], [1, 32_768]],
    ['pipeline.fixed-job-id', ['ABC', 'a'.repeat(31)], ['0123456789abcdef0123456789abcdef']],
    ['execution.checkpointing.data-inline-threshold', ['2 mb'], ['1 mb']],
    ['rest.bind-port', ['80x'], ['8081', '8081-8090']],
  ] as const)('%s is held to its range', (key, bad, good) => {
    const definition = OPTIONS[key]
    for (const value of bad) expect(readOptionValue(definition, value)).toBeUndefined()
    for (const value of good)
      expect(typeof readOptionValue(definition, value), String(value)).toMatch(/^(number|string|boolean)$/)
  })
})
