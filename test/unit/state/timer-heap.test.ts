import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { TimerHeap } from '../../../src/state/timer-heap.ts'
import type { Timer } from '../../../src/state/timer-queue.ts'

const timer = (timestamp: number, sequence: number): Timer => ({
  timestamp,
  sequence,
  key: 'k',
  mapKey: 'k',
  namespace: undefined,
  mapNamespace: undefined,
  heapIndex: -1,
})

describe('the heap of timers', () => {
  test('has on top the earliest, and of those of one time the one set first, whatever was added and taken out before', () => {
    const step = fc.oneof(
      { weight: 3, arbitrary: fc.record({ do: fc.constant('add'), number: fc.nat(1000) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('remove'), number: fc.nat(1000) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('poll'), number: fc.constant(0) }) },
    )
    fc.assert(
      fc.property(fc.array(step, { minLength: 50, maxLength: 200 }), (steps) => {
        const heap = new TimerHeap()
        const left: Timer[] = []
        steps.forEach(({ do: what, number }, sequence) => {
          if (what === 'add') {
            const added = timer(number, sequence)
            left.push(added)
            heap.add(added)
          } else if (left.length > 0) {
            const [out] = left.splice(what === 'poll' ? 0 : number % left.length, 1)
            heap.remove(out as Timer)
          }
          left.sort((a, b) => a.timestamp - b.timestamp || a.sequence - b.sequence)
          expect(heap.peek()).toBe(left[0])
          expect(heap.size).toBe(left.length)
        })
      }),
      { numRuns: 200, seed: 1 },
    )
  })
})
