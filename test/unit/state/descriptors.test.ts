import { describe, expect, expectTypeOf, test } from 'vitest'
import {
  ListStateDescriptor,
  MapStateDescriptor,
  ReducingStateDescriptor,
  type ValueState,
  ValueStateDescriptor,
} from '../../../src/state/descriptors.ts'
import { memoryStateBackend } from '../../../src/state/memory/memory-state-backend.ts'

const backend = memoryStateBackend({ maxParallelism: 1, keyGroups: { first: 0, last: 0 } })

describe('a descriptor', () => {
  test('needs a name', () => {
    expect(() => new ListStateDescriptor('')).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
    expect(() => new MapStateDescriptor(undefined as unknown as string)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    )
  })

  test('with a time-to-live is refused as not yet supported', () => {
    const ttl = { ttlMs: 1000 }
    const unsupported = expect.objectContaining({ code: 'UNSUPPORTED' })
    expect(() => new ValueStateDescriptor<number>('v', { ttl })).toThrow(unsupported)
    expect(() => new ReducingStateDescriptor<number>('r', (a, b) => a + b, { ttl })).toThrow(unsupported)
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
