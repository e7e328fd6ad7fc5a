/** Operators that are wrong in one way each: the kit must find them, and say where. */
import { describe, expect, test } from 'vitest'
import {
  type Collector,
  type Context,
  type FunctionInitializationContext,
  type KeyedContext,
  KeyedProcessFunction,
  ListStateDescriptor,
  ProcessFunction,
  type RuntimeContext,
  type ValueState,
  ValueStateDescriptor,
} from '../../../src/index.ts'
import type { Input, OperatorContext, OperatorFactory } from '../../../src/operators/operator.ts'
import { type Item, KeyedOneInputHarness, OneInputHarness, verifyOperator } from '../../../src/testing/index.ts'

const WORDS = [{ value: 'a' }, { value: 'b' }, { value: 'a' }, { value: 'a' }] as const

const problem = (verifying: Promise<unknown>): Promise<string> =>
  verifying.then(
    () => 'nothing was found',
    (error: Error) => error.message,
  )

/** An operator of one input out of its handling of a record. */
function operator(
  process: (value: number, output: Input<unknown>, context: OperatorContext) => void,
  forwardsTime = true,
): OperatorFactory {
  return (context) => ({
    inputs: [
      {
        processElement: (value: number) => process(value, context.output, context),
        processWatermark: (timestamp: number) => {
          if (forwardsTime) context.output.processWatermark(timestamp)
        },
        processWatermarkStatus: (idle: boolean) => context.output.processWatermarkStatus(idle),
      },
    ],
  })
}

const NUMBERS: readonly Item[] = [{ value: 2 }, { value: 3 }, { watermark: 5 }, { value: 1 }]
const verify = (faulty: OperatorFactory) =>
  problem(verifyOperator({ subject: () => ({ operator: faulty }), input: NUMBERS }))

/** Right, where each count is in the state. */
class Counts extends KeyedProcessFunction<string, string, string> {
  readonly #count: ValueState<number, number>
  constructor(context: RuntimeContext) {
    super()
    this.#count = context.getState(new ValueStateDescriptor('count', { default: () => 0 }))
  }
  processElement(word: string, _: KeyedContext<string>, out: Collector<string>): undefined {
    this.#count.update(this.#count.value() + 1)
    out.collect(`${word} ${this.#count.value()}`)
  }
}

describe('The kit', () => {
  test('finds nothing where nothing is wrong', async () => {
    const verified = await KeyedOneInputHarness.verify(
      {
        create: (context) => new Counts(context),
        keyBy: (word) => word,
      },
      {
        input: WORDS,
        output: ['a 1', 'b 1', 'a 2', 'a 3'],
      },
    )
    expect(verified.variants).toHaveLength(10)
  })

  test('shows the expected output beside the one that came', async () => {
    const wrong = KeyedOneInputHarness.verify(
      {
        create: (context) => new Counts(context),
        keyBy: (word) => word,
      },
      {
        input: WORDS,
        output: ['a 1', 'b 1', 'c 2', 'a 3'],
      },
    )
    expect(await problem(wrong)).toBe(
      "Run item by item: the output is not the expected one.\n  'a 1'\n  'b 1'\n- 'c 2'\n+ 'a 2'\n  'a 3'",
    )
  })

  test('finds a field that should be state, and says behind which item it shows', async () => {
    const counts = () => {
      const fields = new Map<string, number>()
      return {
        processElement(word: string, _: KeyedContext<string>, out: Collector<string>) {
          fields.set(word, (fields.get(word) ?? 0) + 1)
          out.collect(`${word} ${fields.get(word)}`)
        },
      }
    }
    const found = await problem(
      KeyedOneInputHarness.verify({ create: counts, keyBy: (word: string) => word }, { input: WORDS }),
    )
    expect(found).toBe(
      "Run restored after every item: behind item 3, { value: 'a' } the result differs from that of \"item by item\".\n- 'a 2'\n+ 'a 1'",
    )
  })

  test('finds a variable outside of the factory, which outlives a failure', async () => {
    let shared = 0
    const create = () => ({
      processElement(word: string, _: Context, out: Collector<string>) {
        out.collect(`${word} ${++shared % 3}`)
      },
    })
    expect(await problem(OneInputHarness.verify({ create }, { input: [...WORDS, ...WORDS] }))).toMatch(
      /^Run .*the result differs/s,
    )
  })

  test('finds state that is not restored, and state that a snapshot changes', async () => {
    class Sums extends ProcessFunction<number, number> {
      #sum = 0
      #save: () => void = () => {}
      readonly #broken: 'restore' | 'snapshot'
      constructor(broken: 'restore' | 'snapshot') {
        super()
        this.#broken = broken
      }
      override initializeState(context: FunctionInitializationContext): undefined {
        const list = context.getOperatorStateStore().getListState(new ListStateDescriptor<number>('sum'))
        if (this.#broken !== 'restore') for (const part of list.get()) this.#sum += part
        this.#save = () => list.update([this.#sum])
      }
      override snapshotState(): undefined {
        this.#save()
        if (this.#broken === 'snapshot') this.#sum = 0
      }
      processElement(value: number, _: Context, out: Collector<number>): undefined {
        this.#sum += value
        out.collect(this.#sum)
      }
    }
    const input = [{ value: 1 }, { value: 2 }]
    expect(await problem(OneInputHarness.verify({ create: () => new Sums('restore') }, { input }))).toMatch(
      /^Run restored after every item: behind item 2/,
    )
    expect(await problem(OneInputHarness.verify({ create: () => new Sums('snapshot') }, { input }))).toMatch(
      /^Run with a snapshot after every item: behind item 2/,
    )
  })

  test('finds a result that depends on the subtask', async () => {
    const create = (context: RuntimeContext) => ({
      processElement(word: string, _: KeyedContext<string>, out: Collector<string>) {
        out.collect(`${word} in ${context.indexOfThisSubtask}`)
      },
    })
    expect(
      await problem(KeyedOneInputHarness.verify({ create, keyBy: (word: string) => word }, { input: WORDS })),
    ).toMatch(/^Run in three subtasks/)
  })

  test('finds an operator that does not look at its gate', async () => {
    const careless = operator((value, output) => {
      for (let n = 0; n < value; n++) output.processElement(n, 0)
    })
    expect(await verify(careless)).toBe(
      'Run item by item, with an output that is full every second time: item 1, { value: 2 }: it emitted a record although its gate was closed: its output was full',
    )
  })

  test('finds an operator that drops what it cannot emit at once', async () => {
    const forgetful = operator((value, output, { gate }) => {
      for (let n = 0; n < value && gate.closed === 0; n++) output.processElement(n, 0)
    })
    expect(await verify(forgetful)).toMatch(/^Run item by item, with an output that is full.*behind item 1/)
  })

  test('finds an operator that never goes on', async () => {
    const stuck = operator((value, output, context) => {
      if (context.gate.closed === 0) output.processElement(value, 0)
      context.pause(new Promise(() => {}))
    })
    expect(await verify(stuck)).toBe('Run item by item: item 1, { value: 2 }: it stands still, and is not done')
  })

  test('finds a watermark that overtakes records that are half emitted', async () => {
    const hasty = operator((value, output, context) => {
      const emit = (from: number): void => {
        for (let n = from; n < value; n++) {
          if (context.gate.closed !== 0) return context.mail(() => emit(n))
          output.processElement(n, 0)
        }
      }
      emit(0)
    })
    expect(await verify(hasty)).toMatch(/^Run .*full every second time/)
  })

  test('tells what the operator threw, with the very error as cause', async () => {
    const error = new Error('at two')
    const thrower = operator((value) => {
      if (value === 3) throw error
    })
    await expect(verifyOperator({ subject: () => ({ operator: thrower }), input: NUMBERS })).rejects.toMatchObject({
      code: 'VERIFICATION_FAILED',
      message: 'Run item by item: item 2, { value: 3 }: it threw Error: at two',
      cause: error,
    })
  })

  test('compares what is left outside', async () => {
    const counting = () => {
      let written = 0
      return { operator: operator(() => void written++), result: () => written }
    }
    expect(await problem(verifyOperator({ subject: counting, input: NUMBERS }))).toMatch(
      /^Run failed behind every item.*outside/s,
    )
  })

  test('compares watermarks and idleness, unless time is free', async () => {
    // Passes time on in its first life only.
    const timeless: OperatorFactory = (context) => {
      const { attempt } = context.task
      return {
        inputs: [
          {
            processElement: (value: number) => context.output.processElement(value, 0),
            processWatermark: (timestamp: number) => {
              if (attempt === 0) context.output.processWatermark(timestamp)
            },
            processWatermarkStatus: (idle: boolean) => {
              if (attempt === 0) context.output.processWatermarkStatus(idle)
            },
          },
        ],
      }
    }
    const subject = () => ({ operator: timeless })
    const restored = 'Run restored after every item: behind item 2, '
    expect(await problem(verifyOperator({ subject, input: [{ value: 1 }, { watermark: 5 }] }))).toContain(
      `${restored}{ watermark: 5 } the result differs from that of "item by item".\n- watermark 5`,
    )
    const idle = [{ value: 1 }, { idle: true }]
    expect(await problem(verifyOperator({ subject, input: idle }))).toContain(`${restored}{ idle: true }`)
    expect(await problem(verifyOperator({ subject, input: idle, timeIsFree: true }))).toBe('nothing was found')
  })
})
