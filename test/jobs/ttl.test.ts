/** State with a time-to-live in whole jobs on virtual time: it expires across checkpoints, failures and time that the job was down. */
import { expect, it } from 'vitest'
import {
  AggregatingStateDescriptor,
  CollectSink,
  ListStateDescriptor,
  MapStateDescriptor,
  ReducingStateDescriptor,
  RestartStrategies,
  type StateTtlConfig,
  ValueStateDescriptor,
  WatermarkStrategy,
} from '../../src/index.ts'
import { describeJobs, type World } from './harness.ts'
import { Ledger, type Timed, timedSource } from './parts.ts'

const TTL_MS = 100

interface Seen {
  readonly key: string
  readonly value: number
  readonly atMs: number
  readonly states: States
}

/** After a record was added to each, as read at that time. */
interface States {
  readonly count: number
  readonly list: readonly number[]
  readonly map: readonly number[]
  readonly sum: number | undefined
  readonly mean: number | undefined
}

interface Visit {
  readonly key: string
  readonly value: number
}

/** Adds each record to a state of each kind of its key, and tells what they hold then. */
function declare(
  world: World,
  visits: Readonly<Record<string, readonly Timed<Visit>[]>>,
  ttl: StateTtlConfig,
  bomb: (visit: Visit) => void,
) {
  const env = world.env().enableCheckpointing(20)
  const ledger = new Ledger<Seen>()
  env
    .fromSource(timedSource(world, visits), WatermarkStrategy.noWatermarks<Visit>(), 'visits')
    .keyBy(({ key }) => key)
    .process<Seen>((context) => {
      const count = context.getState(new ValueStateDescriptor('count', { default: () => 0, ttl }))
      const list = context.getListState(new ListStateDescriptor<number>('list', { ttl }))
      const map = context.getMapState(new MapStateDescriptor<number, number>('map', { ttl }))
      const sum = context.getReducingState(new ReducingStateDescriptor<number>('sum', (a, b) => a + b, { ttl }))
      const mean = context.getAggregatingState(
        new AggregatingStateDescriptor(
          'mean',
          {
            createAccumulator: () => ({ sum: 0, count: 0 }),
            add(value: number, all) {
              all.sum += value
              all.count++
              return all
            },
            getResult: (all) => all.sum / all.count,
            merge: (a, b) => ({ sum: a.sum + b.sum, count: a.count + b.count }),
          },
          { ttl },
        ),
      )
      return {
        processElement(visit, at, out) {
          bomb(visit)
          const { key, value } = visit
          count.update(count.value() + 1)
          list.add(value)
          map.set(value, value)
          sum.add(value)
          mean.add(value)
          const states = {
            count: count.value(),
            list: [...list.get()],
            map: [...map.values()],
            sum: sum.get(),
            mean: mean.get(),
          }
          out.collect({ key, value, atMs: at.timerService().currentProcessingTime(), states })
        },
      }
    })
    .setParallelism(2)
    .sinkTo(ledger)
  return { env, ledger }
}

/** What the states hold after the last of these records of one key: only a record within the time-to-live goes on from the one before. */
function expectedOf(history: readonly Seen[]): States {
  const last = history.at(-1) as Seen
  let from = history.length - 1
  while (from > 0 && (history[from] as Seen).atMs - (history[from - 1] as Seen).atMs < TTL_MS) from--
  const values = history.slice(from).map(({ value }) => value)
  const living = history.filter(({ atMs }) => last.atMs - atMs < TTL_MS).map(({ value }) => value)
  const sum = values.reduce((a, b) => a + b, 0)
  return { count: values.length, list: living, map: living, sum, mean: sum / values.length }
}

/** The records of a key that were committed are its history, whatever failed in between: each goes on from the one before it. */
function expectExact(committed: readonly Seen[]): { readonly fresh: number; readonly continued: number } {
  const histories = new Map<string, Seen[]>()
  const all = { fresh: 0, continued: 0 }
  for (const seen of committed) {
    const history = histories.get(seen.key) ?? []
    histories.set(seen.key, history)
    history.push(seen)
    expect(seen.states, `${seen.key} at ${seen.atMs}`).toEqual(expectedOf(history))
    if (history.length > 1) all[seen.states.count === 1 ? 'fresh' : 'continued']++
  }
  return all
}

/** Of four keys, with gaps shorter and longer than the time-to-live; all values differ. */
function visitsOf(random: () => number, perSplit: number): Record<string, Timed<Visit>[]> {
  const splits: Record<string, Timed<Visit>[]> = {}
  let value = 0
  for (const split of ['one', 'other']) {
    let afterMs = 0
    splits[split] = Array.from({ length: perSplit }, () => {
      afterMs += Math.floor(random() * 80)
      return { afterMs, value: { key: `${split} ${Math.floor(random() * 2)}`, value: value++ } }
    })
  }
  return splits
}

describeJobs('State with a time-to-live', (newWorld) => {
  it.each([
    ['goes on from a checkpoint within its time', 30, 3],
    ['has expired when the job was down for longer', 200, 1],
  ] as const)('%s', async (_, delayMs, count) => {
    const world = newWorld()
    const visits = [0, 10, 70].map((afterMs, value) => ({ afterMs, value: { key: 'k', value } }))
    let failures = 1
    const { env, ledger } = declare(world, { visits }, { ttl: TTL_MS }, ({ value }) => {
      if (value === 2 && failures-- > 0) throw new Error('down')
    })
    env.setRestartStrategy(RestartStrategies.fixedDelayRestart(1, delayMs))
    await world.until(env.execute('x'))
    expect(failures).toBe(-1)
    expect(ledger.committed.map(({ value, states }) => [value, states.count])).toEqual([
      [0, 1],
      [1, 2],
      [2, count],
    ])
    expectExact(ledger.committed)
  })

  it.each([1, 2, 3])(
    'is exact for every key and kind of state under failures at any time, in the background or not (seed %i)',
    async (seed) => {
      const world = newWorld({ seed, stepsPerTurn: 1 })
      const random = () => world.ports.random.next()
      const visits = visitsOf(random, 60)
      const failAt = new Set(Array.from({ length: 5 }, () => Math.floor(random() * 120)))
      const wanted = failAt.size
      const ttl = {
        ttl: TTL_MS,
        cleanupFullSnapshot: seed % 2 === 0,
        cleanupInBackground: seed % 3 !== 0,
      }
      const { env, ledger } = declare(world, visits, ttl, ({ value }) => {
        if (failAt.delete(value)) throw new Error(`down at ${value}`)
      })
      env.setRestartStrategy(RestartStrategies.fixedDelayRestart(100, 30))
      await world.until(env.execute('x'))
      expect(failAt.size).toBe(0)
      expect(world.statuses().filter((status) => status === 'RESTARTING')).toHaveLength(wanted)
      expect(ledger.committed.map(({ value }) => value).toSorted((a, b) => a - b)).toEqual([...Array(120).keys()])
      const { fresh, continued } = expectExact(ledger.committed)
      expect(Math.min(fresh, continued)).toBeGreaterThan(5)
      await world.advance(500)
      expect(world.timersLeft()).toBe(0)
    },
  )

  it('leaves no timer of its clean-up behind when the job is cancelled', async () => {
    const world = newWorld()
    const visits = [0, 1, 2].map((afterMs, value) => ({ afterMs, value: { key: `k${value}`, value } }))
    const sink = new CollectSink<string>()
    const env = world.env()
    env
      .fromSource(timedSource(world, { visits }, 1e6), WatermarkStrategy.noWatermarks<Visit>(), 'visits')
      .keyBy(({ key }) => key)
      .process<string>((context) => {
        const last = context.getState(new ValueStateDescriptor<number>('last', { ttl: { ttl: '1 h' } }))
        return {
          processElement({ key, value }, _, out) {
            last.update(value)
            out.collect(key)
          },
        }
      })
      .sinkTo(sink)
    const client = await world.until(env.executeAsync('x'))
    await world.advance(100)
    await world.until(client.cancel())
    await world.advance(2e6)
    expect(world.timersLeft()).toBe(0)
  })

  it('is refused in operator state, which does not expire', async () => {
    const world = newWorld()
    const env = world.env()
    env
      .fromSequence(1, 3)
      .process<number>(() => ({
        initializeState: (context) =>
          void context.getOperatorStateStore().getListState(new ListStateDescriptor('l', { ttl: { ttl: 1 } })),
        snapshotState() {},
        processElement: (value, _, out) => out.collect(value),
      }))
      .sinkTo(new CollectSink())
    const failed = await world.failure(env.execute('x'))
    expect(failed.cause).toMatchObject({ code: 'UNSUPPORTED' })
  })
})
