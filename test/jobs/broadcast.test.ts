/** The broadcast pattern through whole jobs: every subtask sees each broadcast record once, whatever fails and however the job is rescaled. */
import { expect, test } from 'vitest'
import {
  CollectSink,
  type JobClient,
  MapStateDescriptor,
  RestartStrategies,
  type StreamExecutionEnvironment,
  ValueStateDescriptor,
} from '../../src/index.ts'
import { describeJobs, type World } from './harness.ts'
import { Ledger, punctuated, range, type Timed, timedSource } from './parts.ts'

interface Rule {
  readonly name: string
  readonly n: number
}

const RULE_COUNT = 30
const EVENTS = 150
const rules: readonly Timed<Rule>[] = range(0, RULE_COUNT - 1).map((n) => ({
  afterMs: n * 8,
  value: { name: `r${n % 5}`, n },
  timestamp: n * 8,
}))
/** The last fifty come behind all rules. */
const events: readonly Timed<number>[] = range(0, EVENTS - 1).map((n) => ({
  afterMs: n < 100 ? n * 2 : 300 + n,
  value: n,
  timestamp: n < 100 ? n * 2 : 300 + n,
}))

/** How often each rule was seen. */
const SEEN = new MapStateDescriptor<string, number>('seen')
const LAST = new MapStateDescriptor<string, number>('last')

/** What the state must be behind the first `count` rules, in order. */
const behind = (count: number) => {
  const seen = new Map<string, number>()
  for (const { value } of rules.slice(0, count)) seen.set(value.name, (seen.get(value.name) ?? 0) + 1)
  return JSON.stringify([...seen])
}
const PREFIXES = new Map(range(0, RULE_COUNT).map((count) => [behind(count), count]))

interface Options {
  readonly parallelism: number
  readonly failAt?: Set<string>
  readonly keyed: boolean
}

/** Emits for each event what the broadcast state was, and for each rule a line in each subtask. */
function watched(env: StreamExecutionEnvironment, world: World, { parallelism, failAt, keyed }: Options) {
  const ruled = env.fromSource(timedSource(world, { rules }), punctuated<Rule>(), 'rules').broadcast(SEEN, LAST)
  const source = env.fromSource(timedSource(world, { events }), punctuated<number>(), 'events')
  const fail = (what: string) => {
    if (failAt?.delete(what)) throw new Error(`down at ${what}`)
  }
  const functions = {
    processElement(
      event: number,
      at: { getBroadcastState(descriptor: typeof SEEN): Iterable<[string, number]> },
      out: { collect(line: string): void },
    ) {
      fail(`event ${event}`)
      const count = PREFIXES.get(JSON.stringify([...at.getBroadcastState(SEEN)]))
      const last = [...at.getBroadcastState(LAST)]
      // Two states change together.
      const agree = count === 0 ? last.length === 0 : last[0]?.[1] === (count ?? Number.NaN) - 1
      out.collect(`event ${event} ${count === undefined || !agree ? 'sees something else' : ''}`)
      if (event >= 100) out.collect(`${event} behind ${count}`)
    },
    processBroadcastElement(
      rule: Rule,
      at: {
        getBroadcastState(descriptor: typeof SEEN): {
          get(k: string): number | undefined
          set(k: string, v: number): unknown
        }
      },
      out: { collect(line: string): void },
    ) {
      const seen = at.getBroadcastState(SEEN)
      seen.set(rule.name, (seen.get(rule.name) ?? 0) + 1)
      fail(`rule ${rule.n}`)
      at.getBroadcastState(LAST).set('last', rule.n)
      out.collect(`rule ${rule.n}`)
    },
  }
  const stream = keyed
    ? source
        .keyBy((event) => event % 11)
        .connect(ruled)
        .process<string>(() => functions)
    : source
        .rebalance()
        .connect(ruled)
        .process<string>(() => functions)
  return stream.setParallelism(parallelism).setMaxParallelism(128)
}

const expected = (copiesOfRule: (n: number) => number) =>
  [
    ...range(0, EVENTS - 1).map((event) => `event ${event} `),
    ...range(100, EVENTS - 1).map((event) => `${event} behind ${RULE_COUNT}`),
    ...rules.flatMap(({ value }) => Array.from({ length: copiesOfRule(value.n) }, () => `rule ${value.n}`)),
  ].toSorted()

describeJobs('Broadcast state', (newWorld) => {
  test('is the same in every subtask and exact, whatever fails in between', async () => {
    for (const keyed of [false, true])
      for (const parallelism of keyed ? [1, 3] : [2, 3]) {
        const failAt = new Set(['rule 1', 'event 20', 'rule 13', 'rule 14', 'event 90', 'rule 29', 'event 149'])
        const world = newWorld({ stepsPerTurn: parallelism })
        const env = world.env().enableCheckpointing(10)
        env.setRestartStrategy(RestartStrategies.fixedDelayRestart(100, 15))
        const sink = new Ledger<string>()
        watched(env, world, { parallelism, failAt, keyed }).sinkTo(sink)
        await world.until(env.execute('x'))
        expect(failAt).toEqual(new Set())
        const lines = sink.committed.toSorted()
        expect({ keyed, parallelism, lines }).toEqual({ keyed, parallelism, lines: expected(() => parallelism) })
      }
  })

  test('goes on at another parallelism: each subtask begins with a copy', async () => {
    for (const keyed of [false, true])
      for (const [from, to] of [
        [1, 3],
        [3, 1],
        [2, 3],
        [3, 2],
      ] as const) {
        const world = newWorld()
        const sink = new Ledger<string>()
        const start = (parallelism: number, options: { readonly resume?: 'latest' } = {}): PromiseLike<JobClient> => {
          const env = world.env().enableCheckpointing(20)
          env.getCheckpointConfig().setCheckpointStorage('/checkpoints')
          watched(env, world, { parallelism, keyed }).sinkTo(sink).setParallelism(1)
          return world.until(env.executeAsync('x', options))
        }
        const before = await start(from)
        await world.advance(115)
        await world.until(before.suspend())
        const ruled = sink.committed.filter((line) => line.startsWith('rule')).length / from
        await world.until((await start(to, { resume: 'latest' })).getJobExecutionResult())
        expect(ruled).toBeGreaterThan(10)
        expect({ keyed, from, to, lines: sink.committed.toSorted() }).toEqual({
          keyed,
          from,
          to,
          lines: expected((n) => (n < ruled ? from : to)),
        })
      }
  })

  test('on a keyed stream: applyToKeyedState changes every key once, in every subtask, whatever fails in the middle of it', async () => {
    for (const parallelism of [1, 3]) {
      const world = newWorld({ stepsPerTurn: 2 })
      const env = world.env().enableCheckpointing(10)
      env.setRestartStrategy(RestartStrategies.fixedDelayRestart(100, 15))
      const failAt = new Set(['event 50', 'key 3', 'key 7', 'event 120', 'event 121'])
      const fail = (what: string) => {
        if (failAt.delete(what)) throw new Error(`down at ${what}`)
      }
      const sink = new Ledger<string>()
      const raises = env
        .fromSource(timedSource(world, { raises: [{ afterMs: 280, value: 1_000 }] }), punctuated<number>(), 'raises')
        .broadcast(SEEN)
      const total = new ValueStateDescriptor('total', { default: () => 0 })
      env
        .fromSource(timedSource(world, { events }), punctuated<number>(), 'events')
        .keyBy((event) => ({ key: event % 10 }))
        .connect(raises)
        .process<string>((context) => {
          const sum = context.getState(total)
          return {
            processElement(event, at, out) {
              fail(`event ${event}`)
              sum.update(sum.value() + 1)
              if (event >= 100) out.collect(`${at.getCurrentKey().key}: ${sum.value()}`)
            },
            processBroadcastElement(raise, at) {
              at.applyToKeyedState(total, ({ key }, state) => {
                state.update(state.value() + raise)
                fail(`key ${key}`)
              })
            },
          }
        })
        .setParallelism(parallelism)
        .sinkTo(sink)
      await world.until(env.execute('x'))
      const lines = range(100, EVENTS - 1).map((event) => `${event % 10}: ${Math.floor(event / 10) + 1 + 1_000}`)
      expect({ parallelism, lines: sink.committed.toSorted() }).toEqual({ parallelism, lines: lines.toSorted() })
      expect(failAt).toEqual(new Set())
    }
  })

  test('is restored to initializeState of any function, and kept when nobody asks for it', async () => {
    const world = newWorld()
    const totals = new CollectSink<number>()
    const start = (declared: boolean, ending: number, options: { readonly resume?: 'latest' } = {}) => {
      const env = world.env().enableCheckpointing(20)
      env.getCheckpointConfig().setCheckpointStorage('/checkpoints')
      env
        .fromSource(timedSource(world, { events }, ending), punctuated<number>(), 'events')
        .uid('events')
        .broadcast()
        .process<number>(() => {
          let seen: { get(key: string): number | undefined; set(key: string, value: number): unknown } | undefined
          return {
            initializeState(context) {
              if (declared) seen = context.getOperatorStateStore().getBroadcastState(SEEN)
            },
            processElement(event, _, out) {
              seen?.set('events', (seen.get('events') ?? 0) + 1)
              if (event === EVENTS - 1) out.collect(seen?.get('events') ?? -1)
            },
          }
        })
        .uid('counts')
        .setParallelism(2)
        .sinkTo(totals)
      return world.until(env.executeAsync('x', options))
    }
    const first = await start(true, 0)
    await world.advance(50)
    await world.until(first.suspend())
    const second = await start(false, 0, { resume: 'latest' })
    await world.advance(100)
    await world.until(second.suspend())
    const third = await start(true, 0, { resume: 'latest' })
    await world.until(third.getJobExecutionResult())
    const [one, other] = totals.results()
    expect(one).toBe(other)
    // Those of the second life are missing, no others.
    expect(one).toBeGreaterThan(EVENTS - 40)
    expect(one).toBeLessThan(EVENTS)
  })
})
