import { describe, expect, test } from 'vitest'
import { broadcastProcessOperator } from '../../../src/operators/broadcast-process.ts'
import type { KeyedBroadcastContext } from '../../../src/operators/functions.ts'
import { keyedBroadcastProcessOperator } from '../../../src/operators/keyed-broadcast-process.ts'
import type { Input, Operator } from '../../../src/operators/operator.ts'
import {
  ListStateDescriptor,
  MapStateDescriptor,
  type ValueState,
  ValueStateDescriptor,
} from '../../../src/state/descriptors.ts'
import { finishSnapshot, storedBytes } from '../../../src/testing/keyed-snapshot.ts'
import { KeyedContext } from './keyed-context.ts'
import { SubtaskHarness } from './subtask-harness.ts'

const inputsOf = (operator: Operator) => operator.inputs as unknown as readonly [Input<unknown>, Input<unknown>]
const RULES = new MapStateDescriptor<string, number>('rules')
const code = (expected: string) => expect.objectContaining({ code: expected })

describe('The broadcast side of a keyed function', () => {
  const COUNT = new ValueStateDescriptor('count', { default: () => 0 })

  /** Records of the first input count for their key; of the second, `work` is done. */
  function counted(work: (at: KeyedBroadcastContext<unknown>, count: ValueState<number, number>) => void) {
    const world = new KeyedContext()
    const operator = keyedBroadcastProcessOperator<unknown, unknown, unknown, unknown>(
      (value) => value,
      (context) => {
        const count = context.getState(COUNT)
        return {
          processElement: () => count.update(count.value() + 1),
          processBroadcastElement: (_, at) => work(at, count),
        }
      },
      [RULES],
    )(world.context)
    const [first, second] = inputsOf(operator)
    for (const key of ['a', ['b', 1], { c: 2n }, 'a', 4]) first.processElement(key, 0)
    return { world, send: () => second.processElement('x', 0) }
  }
  test('has no key, not even that of the record before, and sets no timer', () => {
    expect(counted((_, count) => void count.value()).send).toThrow(code('NO_CURRENT_KEY'))
    expect(counted((_, count) => count.update(1)).send).toThrow(code('NO_CURRENT_KEY'))
    const timers = counted((at) => Reflect.get(at.timerService(), 'registerEventTimeTimer')(1))
    expect(timers.send).toThrow(code('NO_CURRENT_KEY'))
    const lent = counted((at) =>
      at.applyToKeyedState(COUNT, () => Reflect.get(at.timerService(), 'registerProcessingTimeTimer')(1)),
    )
    expect(lent.send).toThrow(code('NO_CURRENT_KEY'))
  })

  test('may go over all keys of a state, each current in its turn, and has none again behind that', () => {
    const seen: unknown[] = []
    const { send } = counted((at, count) => {
      at.applyToKeyedState(COUNT, (key, state) => {
        seen.push([key, state.value(), count.value()])
        state.update(state.value() * 10)
      })
      expect(() => count.value()).toThrow(code('NO_CURRENT_KEY'))
    })
    send()
    send()
    expect(seen).toEqual([
      ['a', 2, 2],
      [['b', 1], 1, 1],
      [{ c: 2n }, 1, 1],
      [4, 1, 1],
      ['a', 20, 20],
      [['b', 1], 10, 10],
      [{ c: 2n }, 10, 10],
      [4, 10, 10],
    ])
  })

  test('has no key when what it does for one key throws', () => {
    const { send, world } = counted((at) =>
      at.applyToKeyedState(COUNT, () => {
        throw new RangeError('mine')
      }),
    )
    expect(send).toThrow(RangeError)
    expect(() => world.backend.currentKey()).toThrow(code('NO_CURRENT_KEY'))
  })

  test('meets no key twice that is cleared and set again meanwhile, and refuses to wait', () => {
    let calls = 0
    const { send } = counted((at) =>
      at.applyToKeyedState(COUNT, (_, state) => {
        calls++
        state.update(undefined)
        state.update(7)
      }),
    )
    send()
    expect(calls).toBe(4)
    const waiting = counted((at) => at.applyToKeyedState(COUNT, () => Promise.resolve() as never))
    expect(waiting.send).toThrow(code('FUNCTION_RESULT_INVALID'))
  })

  test('goes over the keys of every kind of state, and over none where nothing is', () => {
    const world = new KeyedContext()
    const list = new ListStateDescriptor<string>('l')
    const met: unknown[] = []
    const tags = new MapStateDescriptor<string, number>('tags')
    const operator = keyedBroadcastProcessOperator<string, string, string, string>(
      (value) => value,
      (context) => {
        const lists = context.getListState(list)
        const maps = context.getMapState(tags)
        return {
          processElement(value) {
            if (value === 'l') lists.add('one')
            else maps.set('x', 1)
          },
          processBroadcastElement(_, at) {
            at.applyToKeyedState(list, (key, state) => void met.push([key, ...state.get()]))
            at.applyToKeyedState(tags, (key, state) => void met.push([key, ...state.keys()]))
            at.applyToKeyedState(new ValueStateDescriptor('nobody has it'), () => void met.push('never'))
          },
        }
      },
      [RULES],
    )(world.context)
    const [first, second] = inputsOf(operator)
    first.processElement('l', 0)
    first.processElement('m', 0)
    second.processElement('x', 0)
    expect(met).toEqual([
      ['l', 'one'],
      ['m', 'x'],
    ])
  })

  test('changes nothing in a snapshot that is under way, at whatever step of it', () => {
    for (const steps of [0, 1, 2, 3, 4]) {
      const { world, send } = counted((at) =>
        at.applyToKeyedState(COUNT, (key, state) => (key === 4 ? state.clear() : state.update(state.value() + 100))),
      )
      const frozen = world.backend.freeze(1)
      for (let step = 0; step < steps; step++) frozen.step(1)
      send()
      const stored = storedBytes(finishSnapshot(frozen), { first: 0, last: 127 })
      const later = new KeyedContext()
      later.backend.restore([stored])
      const valuesIn = ({ backend }: KeyedContext) =>
        ['a', ['b', 1], { c: 2n }, 4].map((key) => {
          backend.setCurrentKey(key)
          return backend.getState(COUNT).value()
        })
      expect({ steps, frozen: valuesIn(later), live: valuesIn(world) }).toEqual({
        steps,
        frozen: [2, 1, 1, 1],
        live: [102, 101, 101, 0],
      })
    }
  })
})

describe('Broadcast state', () => {
  test('is read-only for the other side and for timers; the broadcast side writes what they read', () => {
    const world = new KeyedContext()
    const tries: unknown[] = []
    const attempt = (state: object) => {
      try {
        Reflect.apply(Reflect.get(state, 'set'), state, ['a', 1])
      } catch (thrown) {
        tries.push((thrown as { code?: string }).code)
      }
    }
    const operator = keyedBroadcastProcessOperator<string, string, string, string>(
      () => 'k',
      () => ({
        processElement(_, at, out) {
          attempt(at.getBroadcastState(RULES))
          at.timerService().registerEventTimeTimer(5)
          out.collect(`${at.getCurrentKey()} ${at.currentWatermark()} ${at.getBroadcastState(RULES).get('a')}`)
        },
        processBroadcastElement: (_, at) => void at.getBroadcastState(RULES).set('a', 7),
        onTimer(ms, at, out) {
          attempt(at.getBroadcastState(RULES))
          out.collect(`${ms} ${at.timeDomain()} ${at.getCurrentKey()} ${at.getBroadcastState(RULES).get('a')}`)
        },
      }),
      [RULES],
    )(world.context)
    const [first, second] = inputsOf(operator)
    first.processElement('x', 0)
    second.processElement('x', 0)
    first.processWatermark(9)
    second.processWatermark(8)
    expect(tries).toEqual(['STATE_READ_ONLY', 'STATE_READ_ONLY'])
    expect(world.out).toEqual(['k -Infinity undefined', '5 event-time k 7', 8])
  })

  test('is found by the name that was declared, whichever descriptor asks; any other name is refused', () => {
    const asked = (descriptor: MapStateDescriptor<string, number>) => {
      const { context, values } = new SubtaskHarness()
      const operator = broadcastProcessOperator<string, string, unknown>(
        () => ({
          processElement: (_, at, out) => out.collect(at.getBroadcastState(descriptor).get('a')),
          processBroadcastElement: (_, at) => void at.getBroadcastState(RULES).set('a', 7),
        }),
        [RULES],
      )(context)
      const [first, second] = inputsOf(operator)
      second.processElement('x', 0)
      first.processElement('x', 0)
      return values
    }
    expect(asked(RULES)).toEqual([])
    expect(() => asked(new MapStateDescriptor('rulse'))).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', hint: expect.stringContaining("'rules'") }),
    )
    const other = { id: 'other', version: 1, serialize: () => new Uint8Array(), deserialize: () => 1 }
    expect(() => asked(new MapStateDescriptor('rules', { serializer: other }))).toThrow(code('STATE_CONFLICT'))
  })

  test('without a key has clocks and neither timers nor keyed state', () => {
    const { context, clock } = new SubtaskHarness()
    const seen: unknown[] = []
    const operator = broadcastProcessOperator<string, string, never>(
      (runtime) => ({
        processElement(_, at) {
          seen.push(at.timestamp(), at.currentWatermark(), at.timerService().currentProcessingTime() - clock.now())
          expect(() => Reflect.get(at.timerService(), 'registerEventTimeTimer')(1)).toThrow(code('NO_KEYED_STATE'))
          expect(() => runtime.getState(new ValueStateDescriptor('x'))).toThrow(code('NO_KEYED_STATE'))
        },
        processBroadcastElement: (_, at) => void seen.push(at.timestamp(), at.currentWatermark()),
      }),
      [RULES],
    )(context)
    const [first, second] = inputsOf(operator)
    first.processElement('x', 3)
    for (const input of [first, second]) input.processWatermark(8)
    second.processElement('x', Number.NEGATIVE_INFINITY)
    expect(seen).toEqual([3, Number.NEGATIVE_INFINITY, 0, undefined, 8])
  })
})
