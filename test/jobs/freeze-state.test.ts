/** `execution.debug-freeze` and state: who changes a value that a state was given or gave fails where he does it. */
import { expect, test } from 'vitest'
import {
  AggregatingStateDescriptor,
  CollectSink,
  DiscardingSink,
  type KeyedProcessFunction,
  ListStateDescriptor,
  MapStateDescriptor,
  ReducingStateDescriptor,
  RestartStrategies,
  type RuntimeContext,
  type StatefulSink,
  type StreamExecutionEnvironment,
  ValueStateDescriptor,
  WatermarkStrategy,
} from '../../src/index.ts'
import { type Count, checked, counts, expectChangeFound } from './freeze-parts.ts'
import { describeJobs, type World } from './harness.ts'
import { ticks } from './parts.ts'

const FILE = 'freeze-state.test.ts'

const add = (held: { n: number }): void => {
  held.n++
}

describeJobs('With execution.debug-freeze state', (newWorld) => {
  const keyed = (
    world: World,
    create: (context: RuntimeContext) => KeyedProcessFunction<string, Count, never>,
  ): StreamExecutionEnvironment => {
    const env = checked(world)
    env
      .fromData(counts())
      .keyBy(({ key }) => key)
      .process<never>(create)
      .sinkTo(new DiscardingSink())
    return env
  }

  test.each<[string, (context: RuntimeContext) => KeyedProcessFunction<string, Count, never>]>([
    [
      'a value that was read from a value state',
      (ctx) => {
        const state = ctx.getState(new ValueStateDescriptor<{ n: number }>('s'))
        return {
          processElement() {
            const held = state.value()
            if (held === undefined) state.update({ n: 1 })
            else held.n++
          },
        }
      },
    ],
    [
      'a value that was given to a value state',
      (ctx) => {
        const state = ctx.getState(new ValueStateDescriptor<{ n: number }>('s'))
        return {
          processElement() {
            const mine = { n: 1 }
            state.update(mine)
            mine.n++
          },
        }
      },
    ],
    [
      'the default of a value state',
      (ctx) => {
        const state = ctx.getState(new ValueStateDescriptor('s', { default: () => ({ n: 0 }) }))
        return {
          processElement() {
            state.value().n++
          },
        }
      },
    ],
    [
      'an element of a list state',
      (ctx) => {
        const state = ctx.getListState(new ListStateDescriptor<{ n: number }>('s'))
        return {
          processElement() {
            state.addAll([{ n: 1 }])
            for (const each of state.get()) each.n++
          },
        }
      },
    ],
    [
      'a value of a map state, by its iterator',
      (ctx) => {
        const state = ctx.getMapState(new MapStateDescriptor<string, { n: number }>('s'))
        return {
          processElement() {
            const mine = { n: 1 }
            state.put('k', mine)
            for (const [, each] of state) each.n++
          },
        }
      },
    ],
    [
      'the first argument of the function of a reducing state',
      (ctx) => {
        const reduce = (a: { n: number; sum?: boolean }, b: { n: number }) => {
          if (a.sum !== true) return { n: a.n + b.n, sum: true }
          a.n += b.n
          return a
        }
        const state = ctx.getReducingState(new ReducingStateDescriptor('s', reduce))
        return {
          processElement({ n }) {
            for (let each = 0; each < 3; each++) state.add({ n })
          },
        }
      },
    ],
    [
      'a value that was given to an aggregating state',
      (ctx) => {
        const state = ctx.getAggregatingState(
          new AggregatingStateDescriptor<{ n: number }, number[], number>('s', {
            createAccumulator: () => [],
            add: (value, all) => [...all, value.n],
            getResult: (all) => all.length,
            merge: (a, b) => [...a, ...b],
          }),
        )
        return {
          processElement() {
            const mine = { n: 1 }
            state.add(mine)
            mine.n = 2
          },
        }
      },
    ],
  ])('%s is found when it is changed', async (_, create) => {
    const world = newWorld()
    await expectChangeFound(world, keyed(world, create), FILE)
  })

  test('an aggregate function may change its accumulator in place', async () => {
    const world = newWorld()
    const env = checked(world)
    const sink = new CollectSink<number>()
    env
      .fromData(counts())
      .keyBy(({ key }) => key)
      .process<number>((ctx) => {
        const state = ctx.getAggregatingState(
          new AggregatingStateDescriptor<Count, { sum: number }, { sum: number }>('s', {
            createAccumulator: () => ({ sum: 0 }),
            add(value, accumulator) {
              accumulator.sum += value.n
              return accumulator
            },
            getResult: (accumulator) => accumulator,
            merge: (a, b) => ({ sum: a.sum + b.sum }),
          }),
        )
        return {
          processElement(value, _, out) {
            state.add(value)
            out.collect(state.get()?.sum ?? -1)
          },
        }
      })
      .sinkTo(sink)
    await world.until(env.execute('x'))
    expect(sink.results()).toEqual([1, 3])
  })

  test('operator state of a function is frozen', async () => {
    const world = newWorld()
    const env = checked(world)
    env
      .fromData([1])
      .process<number>(() => {
        const mine = { n: 0 }
        return {
          initializeState(context) {
            context.getOperatorStateStore().getListState(new ListStateDescriptor<{ n: number }>('s')).add(mine)
          },
          processElement() {
            mine.n++
          },
        }
      })
      .sinkTo(new DiscardingSink())
    await expectChangeFound(world, env, FILE)
  })

  test('the state of a sink’s writer stays its own: it may go on changing what it gives', async () => {
    const world = newWorld()
    const env = checked(world)
    env.enableCheckpointing(10)
    const live = { written: 0 }
    const writer = {
      write() {
        live.written++
      },
      flush() {},
      snapshotState: () => [live],
      close() {},
    }
    const sink: StatefulSink<number, { written: number }> = { createWriter: () => writer, restoreWriter: () => writer }
    env.fromSource(ticks(world, 20, 10), WatermarkStrategy.noWatermarks(), 'ticks').sinkTo(sink)
    await world.until(env.execute('x'))
    expect(world.ofType('checkpoint.completed').length).toBeGreaterThan(3)
    expect(live.written).toBe(20)
  })

  type Held = { n: number }
  test.each<[string, (ctx: RuntimeContext) => { put(): void; change(): unknown }]>([
    [
      'value',
      (ctx) => {
        const state = ctx.getState(new ValueStateDescriptor<Held>('s'))
        return { put: () => state.update({ n: 0 }), change: () => add(state.value() ?? { n: 0 }) }
      },
    ],
    [
      'list',
      (ctx) => {
        const state = ctx.getListState(new ListStateDescriptor<Held>('s'))
        return { put: () => state.add({ n: 0 }), change: () => [...state.get()].forEach(add) }
      },
    ],
    [
      'map',
      (ctx) => {
        const state = ctx.getMapState(new MapStateDescriptor<string, Held>('s'))
        return { put: () => state.put('k', { n: 0 }), change: () => Array.from(state, ([, held]) => add(held)) }
      },
    ],
    [
      'map, read by its key,',
      (ctx) => {
        const state = ctx.getMapState(new MapStateDescriptor<string, Held>('s'))
        return { put: () => state.put('k', { n: 0 }), change: () => add(state.get('k') ?? { n: 0 }) }
      },
    ],
    [
      'map, read by its values,',
      (ctx) => {
        const state = ctx.getMapState(new MapStateDescriptor<string, Held>('s'))
        return { put: () => state.put('k', { n: 0 }), change: () => [...state.values()].forEach(add) }
      },
    ],
    [
      'reducing',
      (ctx) => {
        const reduce = (a: Held) => {
          if (ctx.attemptNumber === 0) return { n: 0 }
          add(a)
          return a
        }
        const state = ctx.getReducingState(new ReducingStateDescriptor<Held>('s', reduce))
        return { put: () => state.add({ n: 0 }), change: () => state.add({ n: 0 }) }
      },
    ],
  ])('a restored value of a %s state is frozen too, and the failure for it is final', async (_, create) => {
    const world = newWorld()
    const env = checked(world)
    env.enableCheckpointing(20).setRestartStrategy(RestartStrategies.fixedDelayRestart(10, 10))
    env
      .fromSource(ticks(world, 10, 10), WatermarkStrategy.noWatermarks(), 'ticks')
      .keyBy(() => 'k')
      .process<never>((ctx) => {
        const state = create(ctx)
        return {
          processElement(value) {
            if (ctx.attemptNumber === 1) state.change()
            if (value === 7) throw new Error('another reason')
            state.put()
          },
        }
      })
      .sinkTo(new DiscardingSink())
    const failure = await world.failure(env.execute('x'))
    expect(failure.cause).toBeInstanceOf(TypeError)
    expect(world.ofType('restart.scheduled')).toHaveLength(1)
  })

  test('broadcast state is frozen on both sides', async () => {
    for (const changes of ['broadcast side', 'other side']) {
      const world = newWorld()
      const env = checked(world)
      const rules = new MapStateDescriptor<string, { n: number }>('rules')
      const broadcast = env.fromData([{ n: 1 }]).broadcast(rules)
      env
        .fromSource(ticks(world, 3, 10), WatermarkStrategy.noWatermarks(), 'ticks')
        .connect(broadcast)
        .process<number>(() => ({
          processElement(_, context) {
            for (const rule of context.getBroadcastState(rules).values()) if (changes === 'other side') rule.n++
          },
          processBroadcastElement(_, context) {
            const rule = { n: 1 }
            context.getBroadcastState(rules).set('r', rule)
            if (changes === 'broadcast side') rule.n++
          },
        }))
        .sinkTo(new DiscardingSink())
      await expectChangeFound(world, env, FILE)
    }
  })
})
