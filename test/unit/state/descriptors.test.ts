import { describe, expect, expectTypeOf, test } from 'vitest'
import { VirtualClock } from '../../../src/base/virtual-clock.ts'
import { Time } from '../../../src/index.ts'
import {
  ListStateDescriptor,
  MapStateDescriptor,
  ReducingStateDescriptor,
  type ValueState,
  ValueStateDescriptor,
} from '../../../src/state/descriptors.ts'
import { memoryStateBackend } from '../../../src/state/memory/memory-state-backend.ts'
import type { StateTtlConfig } from '../../../src/state/state-ttl.ts'

const backend = memoryStateBackend({
  maxParallelism: 1,
  keyGroups: { first: 0, last: 0 },
  clock: new VirtualClock(),
})

describe('a descriptor', () => {
  test('needs a name', () => {
    expect(() => new ListStateDescriptor('')).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
    expect(() => new MapStateDescriptor(undefined as unknown as string)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    )
  })

  test('takes a time-to-live as any duration, and the other options have defaults', () => {
    expect(new ListStateDescriptor('l', { ttl: { ttl: '7 d' } }).ttl).toEqual({
      ttlMs: 604_800_000,
      updateType: 'OnCreateAndWrite',
      stateVisibility: 'NeverReturnExpired',
      cleanupFullSnapshot: false,
      cleanupInBackground: true,
    })
    const ttl = { ttl: Time.hours(1), updateType: 'OnReadAndWrite', cleanupInBackground: false } as const
    expect(new ReducingStateDescriptor<number>('r', (a, b) => a + b, { ttl }).ttl).toMatchObject({
      ttlMs: 3_600_000,
      updateType: 'OnReadAndWrite',
      cleanupInBackground: false,
    })
    expect(new ValueStateDescriptor('v').ttl).toBeUndefined()
  })

  test.each([
    [{ ttl: 0 }, 'option ttl: 0', '1 ms or more'],
    [{ ttl: '1 fortnight' }, 'option ttl: "1 fortnight"', 'such as'],
    [{}, 'option ttl: undefined', '1 ms or more'],
    [{ ttl: 1, updateType: 'OnRead' }, 'option updateType: "OnRead"', 'OnCreateAndWrite or OnReadAndWrite'],
    [{ ttl: 1, stateVisibility: 1 }, 'option stateVisibility: 1', 'NeverReturnExpired or'],
    [{ ttl: 1, cleanupFullSnapshot: 'yes' }, 'option cleanupFullSnapshot: "yes"', 'true or false'],
    [{ ttl: 1, cleanupInBackgroud: false }, 'no option "cleanupInBackgroud"', 'Did you mean "cleanupInBackground"?'],
    [{ ttlMs: 1000 }, 'no option "ttlMs"', 'Did you mean "ttl"?'],
    ['7 d', '"7 d" is not legal', "{ ttl: '7 d' }"],
    [null, 'null is not legal', "{ ttl: '7 d' }"],
  ])('refuses the time-to-live %j: it says which state, option and value, and what is legal', (ttl, what, legal) => {
    expect(() => new ValueStateDescriptor<number>('visits', { ttl: ttl as unknown as StateTtlConfig })).toThrow(
      expect.objectContaining({
        code: 'CONFIG_INVALID',
        message: expect.stringMatching(/^ttl of state 'visits'/),
        hint: expect.stringContaining(legal),
      }),
    )
    expect(() => new ValueStateDescriptor<number>('visits', { ttl: ttl as unknown as StateTtlConfig })).toThrow(what)
  })

  test('with a misspelt option or unit in a time-to-live does not compile', () => {
    // @ts-expect-error there is no such option
    const option: StateTtlConfig = { ttl: '1 h', visibility: 'NeverReturnExpired' }
    // @ts-expect-error there is no such unit
    const unit: StateTtlConfig = { ttl: '1 hr' }
    for (const ttl of [option, unit]) expect(() => new ListStateDescriptor<number>('l', { ttl })).toThrow()
  })

  test('takes a function as default, no value', () => {
    expect(() => new ValueStateDescriptor('v', { default: 0 as unknown as () => number })).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    )
  })

  test('tells whether a value may be missing', () => {
    backend.setCurrentKey('k')
    const maybe = backend.getState(new ValueStateDescriptor<number>('maybe'))
    const surely = backend.getState(new ValueStateDescriptor('surely', { default: () => 0 }))
    expectTypeOf(maybe.value()).toEqualTypeOf<number | undefined>()
    expectTypeOf(surely.value()).toEqualTypeOf<number>()
    const annotated: ValueState<number> = maybe
    const widened: ValueState<number> = surely
    expect([annotated, widened]).toEqual([maybe, surely])
    // @ts-expect-error a string is no number
    maybe.update('text')
  })
})
