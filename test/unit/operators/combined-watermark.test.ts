import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CombinedWatermark } from '../../../src/operators/combined-watermark.ts'

type Event = readonly [input: 0 | 1, what: number | 'idle' | 'active']

/** What comes out of these events, in order. */
function combined(events: readonly Event[]): readonly (number | 'idle' | 'active')[] {
  const out: (number | 'idle' | 'active')[] = []
  const both = new CombinedWatermark(2, {
    processWatermark: (timestamp) => void out.push(timestamp),
    processWatermarkStatus: (idle) => void out.push(idle ? 'idle' : 'active'),
  })
  const inputs = [both.input(0), both.input(1)] as const
  for (const [input, what] of events) {
    if (typeof what === 'number') inputs[input].processWatermark(what)
    else inputs[input].processWatermarkStatus(what === 'idle')
  }
  return out
}

describe('The watermark of two inputs', () => {
  test('is the lower of both, and nothing before both have one', () => {
    expect(
      combined([
        [0, 10],
        [1, 5],
        [1, 20],
        [0, 15],
      ]),
    ).toEqual([5, 10, 15])
  })

  test('is not held back by an idle input', () => {
    expect(
      combined([
        [0, 10],
        [1, 'idle'],
        [0, 30],
      ]),
    ).toEqual([10, 30])
  })

  test('is idle when both are, and moves nothing then; what is active again says so before its watermark', () => {
    expect(
      combined([
        [0, 10],
        [1, 50],
        [1, 'idle'],
        [0, 'idle'],
        [0, 'idle'],
        [1, 'active'],
      ]),
    ).toEqual([10, 'idle', 'active', 50])
  })

  test('is held by an input that becomes active again far behind, and never goes back', () => {
    expect(
      combined([
        [0, 10],
        [1, 'idle'],
        [0, 50],
        [1, 'active'],
        [1, 20],
        [0, 60],
        [1, 55],
        [1, 70],
      ]),
    ).toEqual([10, 50, 55, 60])
  })

  test('is the end of time when both inputs have ended', () => {
    expect(
      combined([
        [0, Number.POSITIVE_INFINITY],
        [1, 3],
        [1, Number.POSITIVE_INFINITY],
      ]),
    ).toEqual([3, Number.POSITIVE_INFINITY])
  })

  test('rises only, repeats no status, and stands at the lowest active input whenever that is higher', () => {
    const event = fc.tuple(
      fc.constantFrom(0 as const, 1 as const),
      fc.oneof(fc.nat(20), fc.constantFrom('idle' as const, 'active' as const)),
    )
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), (events) => {
        const marks = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]
        const idle = [false, false]
        let highest = Number.NEGATIVE_INFINITY
        for (const [input, what] of events) {
          if (typeof what === 'number') {
            marks[input] = Math.max(marks[input] as number, what)
            idle[input] = false
          } else idle[input] = what === 'idle'
          if (!idle.every(Boolean))
            highest = Math.max(highest, Math.min(...marks.filter((_, index) => idle[index] === false)))
        }
        const out = combined(events)
        const times = out.filter((each) => typeof each === 'number')
        expect(times).toEqual([...new Set(times)].toSorted((one, other) => one - other))
        expect(times.at(-1) ?? Number.NEGATIVE_INFINITY).toBe(highest)
        const statuses = out.filter((each) => typeof each === 'string')
        expect(statuses).toEqual(statuses.map((_, index) => (index % 2 === 0 ? 'idle' : 'active')))
        expect(statuses.length % 2 === 1).toBe(idle.every(Boolean))
      }),
    )
  })
})
