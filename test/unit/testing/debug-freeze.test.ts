/** `debugFreeze` of harnesses and verifications: who changes a record or a value of state in place fails where he does it. */
import { describe, expect, test } from 'vitest'
import {
  type Collector,
  KeyedProcessFunction,
  MapStateDescriptor,
  type ProcessFunction,
  type RuntimeContext,
  type ValueState,
  ValueStateDescriptor,
} from '../../../src/index.ts'
import { BroadcastHarness, KeyedOneInputHarness, OneInputHarness, TwoInputHarness } from '../../../src/testing/index.ts'

interface Count {
  readonly key: string
  n: number
}

const CHANGED = expect.objectContaining({ name: 'TypeError', message: expect.stringContaining('read only property') })

/** Emits what it got, with one more. */
const raising: { readonly create: () => ProcessFunction<Count, Count> } = {
  create: () => ({
    processElement(count, _, out) {
      count.n++
      out.collect(count)
    },
  }),
}

/** Keeps the sum of a key in an object that it changes in place. */
class SumsInPlace extends KeyedProcessFunction<string, Count, number> {
  readonly #sum: ValueState<{ n: number }>

  constructor(context: RuntimeContext) {
    super()
    this.#sum = context.getState(new ValueStateDescriptor<{ n: number }>('sum'))
  }

  processElement(count: Count, _: unknown, out: Collector<number>): undefined {
    const sum = this.#sum.value()
    if (sum === undefined) this.#sum.update({ n: count.n })
    else sum.n += count.n
    out.collect(this.#sum.value()?.n ?? 0)
  }
}

const inPlace = { create: (context: RuntimeContext) => new SumsInPlace(context), keyBy: ({ key }: Count) => key }

const one = (): Count => ({ key: 'a', n: 1 })

describe('A harness with debugFreeze', () => {
  test('finds a function that changes the record that it got', () => {
    const harness = new OneInputHarness({ ...raising, debugFreeze: true })
    expect(() => harness.processElement(one())).toThrow(CHANGED)
  })

  test('finds one that changes what it has emitted', () => {
    const harness = new OneInputHarness<number, { last: number }>({
      debugFreeze: true,
      create: () => {
        const emitted = { last: 0 }
        return {
          processElement(value, _, out) {
            emitted.last = value
            out.collect(emitted)
          },
        }
      },
    })
    harness.processElement(1)
    expect(() => harness.processElement(2)).toThrow(CHANGED)
  })

  test('finds one that changes a value that its state gave, in what was restored as well', async () => {
    await using before = new KeyedOneInputHarness({ ...inPlace, debugFreeze: true })
    before.processElement(one())
    const restoreFrom = await before.snapshot(1)
    expect(() => before.processElement(one())).toThrow(CHANGED)
    const after = new KeyedOneInputHarness({ ...inPlace, restoreFrom, parallelism: 2, debugFreeze: true })
    expect(() => after.processElement(one())).toThrow(CHANGED)
  })

  test('finds it at each of two inputs', () => {
    const change = (count: Count) => {
      count.n++
    }
    const harness = () =>
      new TwoInputHarness<Count, Count>({
        create: () => ({ processElement1: change, processElement2: change }),
        debugFreeze: true,
      })
    expect(() => harness().processElement1(one())).toThrow(CHANGED)
    expect(() => harness().processElement2(one())).toThrow(CHANGED)
  })

  test('finds it in broadcast state', () => {
    const rules = new MapStateDescriptor<string, Count>('rules')
    const harness = new BroadcastHarness<string, Count>({
      descriptors: [rules],
      create: () => ({
        processElement(key, context) {
          const rule = context.getBroadcastState(rules).get(key) as Count
          rule.n++
        },
        processBroadcastElement: (rule, context) => void context.getBroadcastState(rules).set(rule.key, { ...rule }),
      }),
      debugFreeze: true,
    })
    harness.processBroadcastElement(one())
    expect(() => harness.processElement('a')).toThrow(CHANGED)
  })

  test('changes nothing for a function that makes new objects', () => {
    const harness = new OneInputHarness<Count, Count>({
      create: () => ({ processElement: (count, _, out) => out.collect({ ...count, n: count.n + 1 }) }),
      debugFreeze: true,
    })
    harness.processElement(one())
    expect(harness.output()).toEqual([{ key: 'a', n: 2 }])
  })
})

test.each([undefined, false])('With debugFreeze: %s a harness freezes nothing', (debugFreeze) => {
  const records = new OneInputHarness({ ...raising, debugFreeze })
  records.processElement(one())
  expect(records.output()).toEqual([{ key: 'a', n: 2 }])
  const sums = new KeyedOneInputHarness({ ...inPlace, debugFreeze })
  sums.processElement(one())
  sums.processElement(one())
  expect(sums.output()).toEqual([1, 2])
})

describe('A verification with debugFreeze', () => {
  test('finds a change in its first run, and says what to do; without it a later run comes to another result', async () => {
    const input = [{ value: one() }]
    await expect(OneInputHarness.verify(raising, { input, debugFreeze: true })).rejects.toMatchObject({
      code: 'VERIFICATION_FAILED',
      message: expect.stringMatching(/^Run item by item: item 1.*it threw TypeError: Cannot assign to read only/s),
      hint: expect.stringContaining('Make a new object'),
      cause: CHANGED,
    })
    await expect(OneInputHarness.verify(raising, { input })).rejects.toMatchObject({
      message: expect.stringMatching(/^Run failed behind every item/),
    })
    expect(Object.isFrozen(input[0]?.value)).toBe(false)
  })

  test('finds a change of a value of keyed state', async () => {
    const input = [{ value: one() }, { value: one() }]
    await expect(KeyedOneInputHarness.verify(inPlace, { input, debugFreeze: true })).rejects.toMatchObject({
      message: expect.stringMatching(/^Run item by item: item 2.*Cannot assign to read only/s),
      hint: expect.stringContaining('Make a new object'),
    })
  })

  test('speaks of it only where it was that', async () => {
    const failing = {
      create: (): ProcessFunction<number, never> => ({
        processElement() {
          throw new TypeError('no number')
        },
      }),
    }
    const failure = OneInputHarness.verify(failing, { input: [{ value: 1 }], debugFreeze: true })
    await expect(failure).rejects.toMatchObject({ message: expect.stringContaining('no number'), hint: undefined })
  })
})
