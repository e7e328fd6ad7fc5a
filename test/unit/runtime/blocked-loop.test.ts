import { describe, expect, it } from 'vitest'
import { silentLogger } from '../../../src/base/logger.ts'
import { VirtualClock } from '../../../src/base/virtual-clock.ts'
import type { Input, Operator } from '../../../src/operators/operator.ts'
import { BlockedLoop } from '../../../src/runtime/blocked-loop.ts'

/** A chain of two; a step puts one record in, for which one of them takes so long. */
function fixture() {
  const clock = new VirtualClock()
  const warnings: string[] = []
  const took = { first: 0, second: 0 }
  const input = (take: () => void): Input<never> => ({
    processElement: take,
    processWatermark() {},
    processWatermarkStatus() {},
  })
  const second = input(() => clock.skip(took.second))
  const first = input(() => {
    clock.skip(took.first)
    second.processElement(undefined as never, 0)
  })
  const untouched = [first.processElement, second.processElement]
  const operators: readonly Operator[] = [{ inputs: [first] }, { inputs: [second] }]
  const loop = new BlockedLoop({
    ...{ task: 'chain (1/1)', names: ['first', 'second'], thresholdMs: 100, clock },
    logger: { ...silentLogger, warn: (text) => void warnings.push(text.replace(/: meanwhile.*$/, '')) },
    operators: () => operators,
  })
  return {
    ...{ clock, loop },
    /** What it warned of. */
    step(given: { first?: number; second?: number }) {
      took.first = given.first ?? 0
      took.second = given.second ?? 0
      const startMs = clock.monotonic()
      first.processElement(undefined as never, 0)
      loop.stepped(startMs, clock.monotonic())
      return warnings.splice(0)
    },
    isTimed: () => first.processElement !== untouched[0] || second.processElement !== untouched[1],
  }
}

const UNNAMED = 'Task "chain (1/1)" held the event loop for 100 ms in one of "first", "second"'
const NAMED = 'Task "chain (1/1)" held the event loop for 100 ms in operator "second"'

describe('The watch over blocked steps', () => {
  it('times the operators of a chain from the first slow step on, for ten seconds', () => {
    const { clock, step, isTimed } = fixture()
    expect(step({ second: 99 })).toEqual([])
    expect(isTimed()).toBe(false)
    expect(step({ second: 100 })).toEqual([UNNAMED])
    expect(isTimed()).toBe(true)
    expect(step({ second: 100 })).toEqual([NAMED])
    clock.skip(9_000)
    step({})
    expect(isTimed()).toBe(true)
    clock.skip(1_000)
    step({})
    expect(isTimed()).toBe(false)
  })

  it('warns once a minute without a name and once with one, and times nothing for a name that it may not tell', () => {
    const { clock, step, isTimed } = fixture()
    expect([step({ second: 100 }), step({ second: 100 }), step({ second: 100 })]).toEqual([[UNNAMED], [NAMED], []])
    clock.skip(59_750)
    step({})
    // A minute behind the first warning, less than that behind the second.
    expect(step({ second: 100 })).toEqual([])
    expect(isTimed()).toBe(false)
    expect([step({ second: 100 }), step({ second: 100 })]).toEqual([[UNNAMED], [NAMED]])
  })

  it('counts what was too long, and leaves the chain as it was when the task is over', () => {
    const { loop, step, isTimed } = fixture()
    step({ first: 150 })
    step({ second: 100, first: 30 })
    step({ first: 99 })
    expect([loop.blockedMs, loop.maxBlockedMs]).toEqual([280, 150])
    loop.stop()
    expect(isTimed()).toBe(false)
  })
})
