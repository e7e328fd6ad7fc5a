/** State that cannot be serialised: a restart brings it back, so the job ends, and says whose it is. */
import { describe, expect, it } from 'vitest'
import {
  DataGeneratorSource,
  DiscardingSink,
  ListStateDescriptor,
  MapStateDescriptor,
  RestartStrategies,
  type Source,
  type StatefulSink,
  type StreamExecutionEnvironment,
  ValueStateDescriptor,
  WatermarkStrategy,
} from '../../src/index.ts'
import { describeJobs, type World } from './harness.ts'
import { Ledger, ticks } from './parts.ts'

class Cart {
  items = 1
}

const numbers = (env: StreamExecutionEnvironment, world: World) =>
  env.fromSource(ticks(world, 50, 20), WatermarkStrategy.noWatermarks(), 'ticks')

/** Keeps a cart for each of two keys. */
const keyed = (env: StreamExecutionEnvironment, world: World, keep: (value: number) => boolean = () => true) =>
  numbers(env, world)
    .keyBy((value) => (value % 2 === 0 ? 'even' : 'odd'))
    .process<number>((context) => {
      const cart = context.getState(new ValueStateDescriptor<unknown>('cart'))
      return {
        processElement(value, _, out) {
          if (keep(value)) cart.update({ content: new Cart() })
          else cart.clear()
          out.collect(value)
        },
      }
    })
    .name('carts')

interface Place {
  readonly operator: string
  /** Of the error in words, beside the operator. */
  readonly says: RegExp
  make(env: StreamExecutionEnvironment, world: World): void
}

const places: Readonly<Record<string, Place>> = {
  'keyed state': {
    operator: 'carts',
    says: /State 'cart' of key "(even|odd)" could not be written into checkpoint 1: value\.content is an instance of the class Cart/,
    make: (env, world) => void keyed(env, world).sinkTo(new Ledger()),
  },
  'the running result of a reduce': {
    operator: 'best',
    says: /The running result of key 0 could not be written/,
    make: (env, world) =>
      void numbers(env, world)
        .map<unknown>(() => new Cart())
        .keyBy(() => 0)
        .reduce((one) => one)
        .name('best')
        .sinkTo(new DiscardingSink()),
  },
  'operator state': {
    operator: 'lists',
    says: /Element 0 of operator state 'carts' could not be serialised: value is an instance of the class Cart/,
    make: (env, world) =>
      void numbers(env, world)
        .rebalance()
        .process<number>(() => ({
          initializeState: (context) =>
            context.getOperatorStateStore().getListState(new ListStateDescriptor<unknown>('carts')).add(new Cart()),
          processElement: () => {},
        }))
        .name('lists')
        .sinkTo(new Ledger()),
  },
  'broadcast state': {
    operator: 'ruled',
    says: /The value of key "k" in broadcast state 'rules' could not be serialised/,
    make(env, world) {
      const rules = new MapStateDescriptor<string, unknown>('rules')
      numbers(env, world)
        .connect(numbers(env, world).broadcast(rules))
        .process<number>(() => ({
          processElement() {},
          processBroadcastElement: (_, context) => void context.getBroadcastState(rules).set('k', new Cart()),
        }))
        .name('ruled')
        .sinkTo(new Ledger())
    },
  },
  'the state of a sink': {
    operator: 'Sink: shop',
    says: /Element 0 of the state of the sink’s writer could not be serialised: value is an instance/,
    make: (env, world) => void numbers(env, world).rebalance().sinkTo(keeping(new Cart())).name('shop'),
  },
  'what a sink is to commit': {
    operator: 'Sink: shop',
    says: /A committable could not be serialised: value\.values\[0\] is an instance of the class Cart/,
    make: (env, world) =>
      void numbers(env, world)
        .map<unknown>(() => new Cart())
        .sinkTo(new Ledger())
        .name('shop'),
  },
}

function keeping(state: unknown): StatefulSink<number, unknown> {
  const writer = { write() {}, flush() {}, snapshotState: () => [state], close() {} }
  return { createWriter: () => writer, restoreWriter: () => writer }
}

describeJobs('What cannot be serialised', (newWorld) => {
  describe.each(Object.keys(places))('in %s', (name) => {
    const { operator, says, make } = places[name] as Place

    it('fails the job without a restart, with the error that names its place', async () => {
      const world = newWorld()
      const env = world.env()
      env.enableCheckpointing(50).setRestartStrategy(RestartStrategies.fixedDelayRestart(3, 10))
      make(env, world)
      const failure = await world.failure(env.execute('shop'))
      expect(failure).toMatchObject({ code: 'JOB_FAILED', details: { operator } })
      expect(failure.message).toMatch(new RegExp(`^Job "shop" failed in operator "${operator}": `))
      expect(failure.message).toMatch(says)
      expect(failure.cause).toMatchObject({ code: 'NOT_SERIALIZABLE', hint: expect.stringMatching(/plain data/) })
      expect(`${failure.message} ${(failure.cause as Error).message}`).not.toMatch(/_op_state|sink-writer/)
      expect(world.ofType('restart.scheduled')).toEqual([])
      expect(world.statuses().at(-1)).toBe('FAILED')
    })
  })

  it('only fails checkpoints as long as that is tolerated', async () => {
    const world = newWorld()
    const env = world.env()
    env.enableCheckpointing(50).getCheckpointConfig().setTolerableCheckpointFailureNumber(2)
    keyed(env, world).sinkTo(new Ledger())
    const failure = await world.failure(env.execute('shop'))
    expect(world.ofType('checkpoint.aborted').map(({ checkpointId }) => checkpointId)).toEqual([1, 2, 3])
    expect(failure.cause).toMatchObject({ code: 'NOT_SERIALIZABLE', message: expect.stringContaining('checkpoint 3') })
    expect(world.ofType('restart.scheduled')).toEqual([])
  })

  it('is forgotten when it is gone before too many checkpoints have failed of it', async () => {
    const world = newWorld()
    const env = world.env()
    env.enableCheckpointing(50).getCheckpointConfig().setTolerableCheckpointFailureNumber(2)
    const sink = new Ledger<number>()
    keyed(env, world, (value) => value < 4).sinkTo(sink)
    await world.until(env.execute('shop'))
    expect(world.ofType('checkpoint.aborted').length).toBeGreaterThan(0)
    expect(sink.committed).toHaveLength(50)
  })

  it.each(['keyed state', 'operator state'])('never fails a job whose checkpoints may all fail (%s)', async (name) => {
    const world = newWorld()
    const env = world.env()
    env.enableCheckpointing(50).getCheckpointConfig().setFailTasksOnCheckpointingErrors(false)
    places[name]?.make(env, world)
    const client = await world.until(env.executeAsync('shop'))
    await world.when(() => world.ofType('checkpoint.aborted').length > 5)
    expect(world.statuses().at(-1)).toBe('RUNNING')
    expect(world.ofType('restart.scheduled')).toEqual([])
    await world.until(client.cancel())
  })
})

describeJobs('The state of a split enumerator that cannot be serialised', (newWorld) => {
  /** A source of which the enumerator's state is this. */
  const counting = (state: unknown, more: Partial<Source<number>> = {}): Source<number> => {
    const numbers = new DataGeneratorSource((index) => index, { count: 50, ratePerSecond: 50 })
    return {
      boundedness: 'bounded',
      createEnumerator: (context, restored) =>
        Object.assign(numbers.createEnumerator(context as never, restored as never), {
          snapshotState: () => state,
        }) as never,
      createReader: (context) => numbers.createReader(context) as never,
      ...more,
    }
  }

  it.each([0, 5])(
    'fails the job for good, naming the source, also where %i failed checkpoints are tolerated',
    async (tolerated) => {
      const world = newWorld()
      const env = world.env()
      env
        .enableCheckpointing(50)
        .setRestartStrategy(RestartStrategies.fixedDelayRestart(3, 10))
        .getCheckpointConfig()
        .setTolerableCheckpointFailureNumber(tolerated)
      env.fromSource(counting([{ cart: new Cart() }]), WatermarkStrategy.noWatermarks(), 'numbers').sinkTo(new Ledger())
      const failure = await world.failure(env.execute('shop'))
      expect(failure).toMatchObject({
        code: 'JOB_FAILED',
        message: expect.stringContaining(
          'The state of the split enumerator of source "Source: numbers" could not be written into checkpoint 1: value[0].cart is an instance of the class Cart',
        ),
        cause: { code: 'NOT_SERIALIZABLE', hint: expect.stringContaining('`enumeratorSerializer`') },
      })
      expect(world.ofType('restart.scheduled')).toEqual([])
      expect(world.ofType('checkpoint.aborted')).toMatchObject([{ checkpointId: 1 }])
      expect(world.statuses().at(-1)).toBe('FAILED')
    },
  )

  it('fails it as well where it is the serializer of the source that throws', async () => {
    const world = newWorld()
    const env = world.env()
    env.enableCheckpointing(50)
    const thrown = new RangeError('out of ink')
    const enumeratorSerializer = {
      id: 'ink',
      version: 1,
      serialize: () => {
        throw thrown
      },
      deserialize: () => undefined,
    }
    env
      .fromSource(counting(1, { enumeratorSerializer }), WatermarkStrategy.noWatermarks(), 'numbers')
      .sinkTo(new Ledger())
    const failure = await world.failure(env.execute('shop'))
    expect(failure.message).toMatch(/source "Source: numbers" could not be written into checkpoint 1: out of ink/)
    expect(failure.cause).toMatchObject({ code: 'NOT_SERIALIZABLE', cause: thrown })
    expect(world.ofType('restart.scheduled')).toEqual([])
  })
})

describeJobs('A checkpoint that fails of something else', (newWorld) => {
  it('restarts the job, and what was thrown is the cause', async () => {
    const world = newWorld()
    const env = world.env()
    env.enableCheckpointing(50).setRestartStrategy(RestartStrategies.fixedDelayRestart(2, 10))
    // As it is in a configuration file: tasks live, and no failed checkpoint is tolerated.
    env.configure({ 'execution.checkpointing.fail-tasks-on-errors': false })
    const thrown = new RangeError('not now')
    numbers(env, world)
      .rebalance()
      .process<number>(() => ({
        processElement() {},
        snapshotState() {
          throw thrown
        },
      }))
      .name('shy')
      .sinkTo(new Ledger())
    const failure = await world.failure(env.execute('shop'))
    expect(world.ofType('restart.scheduled')).toHaveLength(2)
    expect(failure.message).toMatch(/^Job "shop" failed in operator "shy": Failure of checkpoint \d+ in subtask shy/)
    expect(failure.cause).toMatchObject({ code: 'CHECKPOINT_FAILURES_EXCEEDED' })
    expect((failure.cause as Error).cause).toBe(thrown)
  })
})
