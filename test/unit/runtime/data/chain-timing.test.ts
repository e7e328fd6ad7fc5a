import { describe, expect, it } from 'vitest'
import { VirtualClock } from '../../../../src/base/virtual-clock.ts'
import type { Input, Operator } from '../../../../src/operators/operator.ts'
import { ChainTiming } from '../../../../src/runtime/data/chain-timing.ts'

class Stage implements Operator, Input<number> {
  readonly inputs = [this]
  readonly got: number[] = []
  readonly #take: (value: number) => void

  constructor(take: (value: number) => void) {
    this.#take = take
  }

  processElement(value: number): void {
    this.got.push(value)
    this.#take(value)
  }

  processWatermark(timestamp: number): void {
    this.#take(timestamp)
  }

  processWatermarkStatus(): void {}
}

/** Three stages; the middle one goes on into the last in the middle of its time. */
function chain() {
  const clock = new VirtualClock()
  const took = { head: 1, middle: 2, last: 3 }
  const last = new Stage(() => clock.skip(took.last))
  const middle = new Stage((value) => {
    clock.skip(took.middle / 2)
    last.processElement(value)
    clock.skip(took.middle / 2)
  })
  const head = new Stage((value) => {
    clock.skip(took.head)
    middle.processElement(value)
  })
  const operators = [head, middle, last]
  const slowest = (timing: ChainTiming, step: () => void) => {
    const startMs = clock.monotonic()
    step()
    return timing.slowest(clock.monotonic() - startMs)
  }
  return { clock, took, operators, head, timing: () => new ChainTiming(operators, () => clock.monotonic()), slowest }
}

describe('A timed chain', () => {
  it('tells which operator took longest by itself, without what it called', () => {
    const { took, head, timing, slowest } = chain()
    const timed = timing()
    expect(slowest(timed, () => head.processElement(1))).toBe(2)
    took.middle = 4
    expect(slowest(timed, () => head.processElement(2))).toBe(1)
    took.head = 5
    expect(slowest(timed, () => head.processWatermark(3))).toBe(0)
  })

  it('gives what was in no input to the head', () => {
    const { clock, head, timing, slowest } = chain()
    const step = () => {
      clock.skip(9)
      head.processElement(1)
    }
    expect(slowest(timing(), step)).toBe(0)
  })

  it('does as it did before, also where something throws, and is left as it was', () => {
    const { took, operators, head, timing, slowest } = chain()
    const shape = () => operators.map((operator) => Object.getOwnPropertyNames(operator))
    const before = shape()
    const timed = timing()
    const middle = operators[1] as Stage
    Object.assign(middle.got, {
      push() {
        throw new Error('refused')
      },
    })
    expect(() => head.processElement(1)).toThrow('refused')
    Reflect.deleteProperty(middle.got, 'push')
    timed.slowest(took.head)
    expect(slowest(timed, () => head.processElement(2))).toBe(2)
    expect(operators.map(({ got }) => got)).toEqual([[1, 2], [2], [2]])
    timed.stop()
    expect(shape()).toEqual(before)
    expect(head.processElement).toBe(Stage.prototype.processElement)
  })
})
