import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type Duration,
  formatDuration,
  parseDuration,
  readDuration,
  Time,
  TimeUnit,
  toMilliseconds,
} from '../../../../src/base/config/duration.ts'
import { StreamError } from '../../../../src/base/errors.ts'

const thrownBy = (act: () => unknown): StreamError => {
  try {
    act()
  } catch (thrown) {
    if (StreamError.is(thrown)) return thrown
  }
  throw new TypeError('nothing of ours was thrown')
}

describe('a duration', () => {
  test.each([
    ['10 s', 10_000],
    ['10s', 10_000],
    ['  10  S ', 10_000],
    ['500 ms', 500],
    ['500', 500],
    ['5 min', 300_000],
    ['5m', 300_000],
    ['1 hour', 3_600_000],
    ['2 days', 172_800_000],
    ['3000 micros', 3],
    ['3000 µs', 3],
    ['3000 μs', 3],
    ['2000000 nanos', 2],
    ['0 ms', 0],
  ])('%s is %d ms, with Flink’s unit names in any case', (text, ms) => {
    expect(readDuration(text)).toBe(ms)
  })

  test.each(['', 'ms', '10 sek', '-5 s', '1.5 s', '1e3 ms', '10 s 5', '1500 micros', '999 ns', '99999999999999999 d'])(
    '"%s" is refused: not a unit, not a number, or not whole milliseconds',
    (text) => {
      expect(readDuration(text)).toBeUndefined()
    },
  )

  test.each([Number.NaN, Number.POSITIVE_INFINITY, -1, 0.5, 2 ** 53, true, null, undefined, {}, []])(
    '%s is refused as well',
    (value) => {
      expect(readDuration(value)).toBeUndefined()
    },
  )

  test('is a number of milliseconds, a Time, or a text, and a misspelt unit does not compile', () => {
    const durations: Duration[] = [1000, Time.seconds(1), '1 s', '1s', '1 second', '1000 ms']
    for (const duration of durations) expect(toMilliseconds(duration, 'test')).toBe(1000)
    // @ts-expect-error a unit that does not exist
    const misspelt: Duration = '10 sek'
    // @ts-expect-error a string from elsewhere goes through Time.parse
    const unknown: Duration = String('10 s')
    expect(readDuration(misspelt)).toBeUndefined()
    expect(readDuration(unknown)).toBe(10_000)
  })

  test('that is bad names option, value and what is legal', () => {
    const error = thrownBy(() => parseDuration('5 ms', 'execution.checkpointing.interval', { minMs: 10 }))
    expect(error.code).toBe('CONFIG_INVALID')
    expect(error.message).toBe('execution.checkpointing.interval: "5 ms" is not a legal duration.')
    expect(error.hint).toContain('a duration of 10 ms or more')
    expect(error.details).toMatchObject({ option: 'execution.checkpointing.interval', value: '"5 ms"' })
    expect(() => parseDuration('11 ms', 'x', { maxMs: 10 })).toThrow('x: "11 ms"')
    expect(parseDuration('10 ms', 'x', { minMs: 10, maxMs: 10 })).toBe(10)
  })

  test('survives being written down and read again', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (ms) => {
        expect(readDuration(formatDuration(ms))).toBe(ms)
      }),
    )
    expect([0, 500, 90_000, 300_000, 3_600_000, 86_400_000].map(formatDuration)).toEqual([
      '0 ms',
      '500 ms',
      '90 s',
      '5 min',
      '1 h',
      '1 d',
    ])
  })

  test('is the same whether it is written with a unit or with Time.of', () => {
    const names = { SECONDS: 's', MINUTES: 'min', HOURS: 'h', DAYS: 'd', MILLISECONDS: 'ms' } as const
    fc.assert(
      fc.property(
        fc.nat(1_000_000),
        fc.constantFrom(...(Object.keys(names) as (keyof typeof names)[])),
        (size, unit) => {
          expect(Time.of(size, TimeUnit[unit]).toMilliseconds()).toBe(readDuration(`${size} ${names[unit]}`))
        },
      ),
    )
  })
})

describe('Time', () => {
  test('reads a text from elsewhere and says itself', () => {
    expect(Time.parse('10 s').toMilliseconds()).toBe(10_000)
    expect(String(Time.of(5, TimeUnit.MINUTES))).toBe('5 min')
    expect(Time.of(5, 'MINUTES').toMilliseconds()).toBe(300_000)
  })

  test('of a fraction, a negative size or less than a millisecond is refused', () => {
    for (const size of [1.5, -1, Number.NaN])
      expect(thrownBy(() => Time.of(size, TimeUnit.SECONDS)).code).toBe('CONFIG_INVALID')
    expect(() => Time.of(500, TimeUnit.MICROSECONDS)).toThrow('Time.of')
    expect(() => Time.parse('soon')).toThrow('Time.parse: "soon"')
    // @ts-expect-error a unit that does not exist, as plain JavaScript could name
    expect(() => Time.of(1, 'FORTNIGHTS')).toThrow('FORTNIGHTS')
  })
})
