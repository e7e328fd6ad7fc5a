import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type HeapSplit, SplitHeap } from '../../../src/operators/split-heap.ts'

const watermark = fc.integer({ min: 0, max: 50 })
const step = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(fc.constant('add' as const), watermark, fc.nat(99)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('remove' as const), watermark, fc.nat(99)) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('move' as const), watermark, fc.nat(99)) },
)

describe('A heap of splits', () => {
  test('has the first one on top, whatever is added, moved and taken out, until it is empty', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.boolean(), (steps, lowest) => {
        const heap = new SplitHeap<HeapSplit>(lowest ? (one, other) => one < other : (one, other) => one > other)
        const inside: HeapSplit[] = []
        const first = () => {
          const all = inside.map((split) => split.watermark)
          return all.length === 0 ? undefined : lowest ? Math.min(...all) : Math.max(...all)
        }
        for (const [what, value, at] of steps) {
          const place = at % Math.max(1, inside.length)
          const split = inside[place]
          if (what === 'add') {
            const added = { watermark: value, heapIndex: 0 }
            inside.push(added)
            heap.add(added)
          } else if (split !== undefined && what === 'move') {
            split.watermark = value
            heap.moved(split)
          } else if (split !== undefined) {
            inside.splice(place, 1)
            heap.remove(split)
          }
          expect([heap.peek()?.watermark, heap.size]).toEqual([first(), inside.length])
        }
        for (let top = heap.peek(); top !== undefined; top = heap.peek()) {
          expect(top.watermark).toBe(first())
          inside.splice(inside.indexOf(top), 1)
          heap.remove(top)
        }
        expect(inside).toEqual([])
      }),
      { numRuns: 1000, seed: 5 },
    )
  })
})
