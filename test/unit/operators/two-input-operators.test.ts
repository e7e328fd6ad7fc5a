import { describe, expect, test } from 'vitest'
import { broadcastProcessOperator } from '../../../src/operators/broadcast-process.ts'
import { coFlatMapOperator, coMapOperator } from '../../../src/operators/co-map.ts'
import { coProcessOperator } from '../../../src/operators/co-process.ts'
import { keyedBroadcastProcessOperator } from '../../../src/operators/keyed-broadcast-process.ts'
import { keyedCoProcessOperator } from '../../../src/operators/keyed-co-process.ts'
import { keyedProcessOperator } from '../../../src/operators/keyed-process.ts'
import type { Input, Operator, OperatorFactory } from '../../../src/operators/operator.ts'
import { MapStateDescriptor } from '../../../src/state/descriptors.ts'
import { KeyedContext } from './keyed-context.ts'

const inputsOf = (operator: Operator) => operator.inputs as unknown as readonly [Input<unknown>, Input<unknown>]
const RULES = new MapStateDescriptor<string, number>('rules')

/** Fires a timer for each of the first ten milliseconds, with an output that takes one record at a time. */
function firing(factory: (timer: (at: number) => string) => OperatorFactory) {
  const world = new KeyedContext()
  const operator = factory((at) => `timer ${at}`)(world.context)
  return { world, inputs: inputsOf(operator) }
}

const onTimer = (timestamp: number, _: unknown, out: { collect(value: string): void }) =>
  out.collect(`timer ${timestamp}`)
const setTimers = (_: unknown, at: { timerService(): { registerEventTimeTimer(ms: number): void } }) => {
  for (const ms of [1, 2, 3, 12]) at.timerService().registerEventTimeTimer(ms)
}

describe('Timers that an output without room interrupts', () => {
  test('hold back what comes behind them: a higher watermark, and that the input is idle', () => {
    const { world, inputs } = firing(() =>
      keyedProcessOperator(
        () => 'k',
        () => ({ processElement: setTimers, onTimer }),
      ),
    )
    const [input] = inputs
    input.processElement('x', 0)
    world.tight = true
    input.processWatermark(5)
    input.processWatermark(20)
    input.processWatermarkStatus(true)
    expect(world.out).toEqual(['timer 1'])
    for (let taken = 0; taken < 4; taken++) world.takeOne()
    expect(world.out).toEqual(['timer 1', 'timer 2', 'timer 3', 5, 'timer 12', 20, 'idle'])
    expect(world.gate.closed).toBe(0)
  })

  test('do so for two inputs as well, whichever of them moves', () => {
    const { world, inputs } = firing(() =>
      keyedCoProcessOperator(
        () => 'k',
        () => 'k',
        () => ({ processElement1: setTimers, processElement2: setTimers, onTimer }),
      ),
    )
    const [first, second] = inputs
    first.processElement('x', 0)
    second.processElement('y', 0)
    world.tight = true
    first.processWatermark(30)
    second.processWatermark(5)
    second.processWatermarkStatus(true)
    first.processWatermarkStatus(true)
    second.processWatermarkStatus(false)
    expect(world.out).toEqual(['timer 1'])
    for (let taken = 0; taken < 4; taken++) world.takeOne()
    expect(world.out).toEqual(['timer 1', 'timer 2', 'timer 3', 5, 'timer 12', 30, 'idle', 'active'])
  })
})

describe('An operator of two inputs', () => {
  const both = { processElement1() {}, processElement2() {} }
  const sides = { processElement() {}, processBroadcastElement() {} }
  test.each<[string, OperatorFactory]>([
    ['map', coMapOperator(String, String)],
    ['flatMap', coFlatMapOperator(Array.of, Array.of)],
    ['process', coProcessOperator(() => both)],
    ['process by key', keyedCoProcessOperator(String, String, () => both)],
    ['process with broadcast state', broadcastProcessOperator(() => sides, [RULES])],
    ['process by key with broadcast state', keyedBroadcastProcessOperator(String, () => sides, [RULES])],
  ])('combines the time of both: %s', (_, factory) => {
    for (const [one, other] of [
      [0, 1],
      [1, 0],
    ] as const) {
      const world = new KeyedContext()
      const inputs = inputsOf(factory(world.context))
      inputs[one].processWatermark(10)
      inputs[other].processWatermark(7)
      inputs[other].processWatermarkStatus(true)
      inputs[one].processWatermarkStatus(true)
      inputs[other].processWatermarkStatus(false)
      inputs[other].processWatermark(12)
      expect(world.out).toEqual([7, 10, 'idle', 'active', 12])
    }
  })
})

describe('A function of two inputs', () => {
  test('that returns what it must not is refused by its name', () => {
    const promised = Promise.resolve() as never
    const refused = (factory: OperatorFactory, input: 0 | 1, name: string) => {
      const { context } = new KeyedContext()
      expect(() => inputsOf(factory(context))[input].processElement('x', 0)).toThrow(
        expect.objectContaining({ code: 'FUNCTION_RESULT_INVALID', message: expect.stringContaining(name) }),
      )
    }
    const both = { processElement1: () => promised, processElement2: () => promised }
    const sides = { processElement: () => promised, processBroadcastElement: () => promised }
    const self = (value: unknown) => value
    refused(
      coProcessOperator(() => both),
      0,
      'processElement1',
    )
    refused(
      coProcessOperator(() => both),
      1,
      'processElement2',
    )
    refused(
      keyedCoProcessOperator(self, self, () => both),
      0,
      'processElement1',
    )
    refused(
      keyedCoProcessOperator(self, self, () => both),
      1,
      'processElement2',
    )
    refused(
      broadcastProcessOperator(() => sides, [RULES]),
      0,
      'processElement',
    )
    refused(
      broadcastProcessOperator(() => sides, [RULES]),
      1,
      'processBroadcastElement',
    )
    refused(
      keyedBroadcastProcessOperator(self, () => sides, [RULES]),
      0,
      'processElement',
    )
    refused(
      keyedBroadcastProcessOperator(self, () => sides, [RULES]),
      1,
      'processBroadcastElement',
    )
    refused(
      coMapOperator(self, () => promised),
      1,
      'map',
    )
    refused(
      coFlatMapOperator(
        () => promised,
        () => promised,
      ),
      0,
      'flatMap',
    )
  })

  test('whose selector gives what cannot be a key fails by the name of the operator, on either side', () => {
    const { context } = new KeyedContext()
    const operator = keyedCoProcessOperator<unknown, unknown, unknown, unknown>(
      () => new Date(),
      () => undefined,
      () => ({ processElement1() {}, processElement2() {} }),
    )(context)
    for (const input of inputsOf(operator))
      expect(() => input.processElement('x', 0)).toThrow(
        expect.objectContaining({ code: 'INVALID_KEY', message: expect.stringContaining('"operator"') }),
      )
  })
})
