/** `execution.debug-freeze` in exchanges: a record goes through the serializer of its stream, as it would between threads. */
import { expect, test } from 'vitest'
import { CollectSink, DiscardingSink, OutputTag, type Serializer } from '../../src/index.ts'
import { checked } from './freeze-parts.ts'
import { describeJobs } from './harness.ts'

class Money {
  readonly cents: number
  constructor(cents: number) {
    this.cents = cents
  }
}

const ofMoney = (parts: Partial<Serializer<Money>> = {}): Serializer<Money> => ({
  id: 'money',
  version: 3,
  serialize: ({ cents }) => new Uint8Array([cents]),
  deserialize: ([cents = 0], version) => new Money(cents * version),
  ...parts,
})

describeJobs('With execution.debug-freeze an exchange', (newWorld) => {
  test('refuses a record that could not leave its thread, naming the edge and the path', async () => {
    const world = newWorld()
    const env = checked(world)
    env
      .fromData([1])
      .map((n) => ({ n, items: [{ onClick: () => n }] }))
      .name('to items')
      .keyBy(({ n }) => n)
      .process<number>(() => ({ processElement() {} }))
      .name('of items')
      .sinkTo(new DiscardingSink())
    const failure = await world.failure(env.execute('x'))
    expect(failure).toMatchObject({
      code: 'JOB_FAILED',
      cause: {
        code: 'NOT_SERIALIZABLE',
        message: expect.stringContaining('from "to items" to "of items" cannot be serialised'),
        details: { from: 'to items', to: 'of items', path: 'value.items[0].onClick' },
      },
    })
    expect((failure.cause as Error).message).toContain('value.items[0].onClick is a function')
  })

  test('lets the same record pass without the option, and where it stays in its chain', async () => {
    const world = newWorld()
    for (const [env, exchanges] of [
      [world.env(), true],
      [checked(world), false],
    ] as const) {
      const sink = new CollectSink<Money>()
      const stream = env.fromData([1]).map((cents) => new Money(cents))
      const read = exchanges ? stream.rebalance() : stream
      read.sinkTo(sink)
      await world.until(env.execute('x'))
      expect(sink.results()[0]).toBeInstanceOf(Money)
    }
  })

  test('uses the serializer of the stream, and hands on what that gives back', async () => {
    const world = newWorld()
    const env = checked(world)
    const sink = new CollectSink<Money>()
    env
      .fromData([1, 2])
      .map((cents) => new Money(cents))
      .withSerializer(ofMoney())
      .rebalance()
      .sinkTo(sink)
    await world.until(env.execute('x'))
    expect(sink.results().map(({ cents }) => cents)).toEqual([3, 6])
    expect(sink.results().every((each) => each instanceof Money && Object.isFrozen(each))).toBe(true)
  })

  test.each<[string, Partial<Serializer<Money>>, string]>([
    [
      'throws while it writes',
      {
        serialize() {
          throw new RangeError('too much money')
        },
      },
      'cannot be serialised (serializer money): too much money',
    ],
    [
      'throws while it reads',
      {
        deserialize() {
          throw new RangeError('too much money')
        },
      },
      'cannot be read back from what was serialised (serializer money): too much money',
    ],
    [
      'gives no bytes',
      { serialize: () => 'text' as never },
      'cannot be serialised (serializer money): serialize returned string, not a Uint8Array',
    ],
  ])('finds a serializer that %s', async (_, parts, message) => {
    const world = newWorld()
    const env = checked(world)
    env
      .fromData([1])
      .map((cents) => new Money(cents))
      .withSerializer(ofMoney(parts))
      .rebalance()
      .sinkTo(new DiscardingSink())
    const failure = await world.failure(env.execute('x'))
    expect(failure).toMatchObject({ cause: { code: 'NOT_SERIALIZABLE', message: expect.stringContaining(message) } })
  })

  test('takes the default serializer for a side output', async () => {
    const world = newWorld()
    const env = checked(world)
    const tag = new OutputTag<Money>('side')
    const main = env
      .fromData([1])
      .process<Money>(() => ({
        processElement: (cents, context) => context.output(tag, new Money(cents)) as undefined,
      }))
      .withSerializer(ofMoney())
    main.getSideOutput(tag).rebalance().sinkTo(new DiscardingSink())
    const failure = await world.failure(env.execute('x'))
    expect(failure).toMatchObject({ cause: { code: 'NOT_SERIALIZABLE' } })
    expect((failure.cause as Error).message).toContain('an instance of the class Money')
  })
})
