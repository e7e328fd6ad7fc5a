/** Records in flight on edges of every kind, several of them into one task, in graphs that part and meet: all come back, at another parallelism too. */
import { expect, it } from 'vitest'
import {
  type DataStream,
  MapStateDescriptor,
  OutputTag,
  type StreamExecutionEnvironment,
  WatermarkStrategy,
} from '../../src/index.ts'
import { describeJobs, type World } from './harness.ts'
import { Ledger, range, ticks, timedSource } from './parts.ts'
import { edgesHeld, holding, numbered, numberedOf, overtaking } from './unaligned-parts.ts'

const SLOW_MS = 4
const slowly = (world: World) => world.sleep(SLOW_MS)

type Build = (env: StreamExecutionEnvironment, sink: Ledger<string>, parallelism: number) => void

/** One run after the other, at these parallelisms; each but the last is cut off behind a checkpoint that holds `edges`. */
async function rescaled(world: World, build: Build, parallelisms: readonly number[], edges: readonly string[]) {
  const sink = new Ledger<string>({ write: () => slowly(world) })
  for (const [index, parallelism] of parallelisms.entries()) {
    const env = overtaking(world, { 'execution.checkpointing.interval': 25 })
    build(env, sink, parallelism)
    const client = await world.until(env.executeAsync('x', index === 0 ? {} : { resume: 'latest' }))
    if (index < parallelisms.length - 1) {
      const completed = world.ofType('checkpoint.completed').length
      await world.when(
        () =>
          world.ofType('checkpoint.completed').length > completed &&
          edges.every((edge) => edgesHeld(world).includes(edge)),
      )
      await world.until(client.suspend())
    } else await world.until(client.getJobExecutionResult())
  }
  return sink.committed.toSorted()
}

const RULES = new MapStateDescriptor<string, number>('rules')
const LATE = new OutputTag<string>('odd')

describeJobs('Records in flight', (newWorld) => {
  it('beside broadcast ones, to a function with broadcast state, are exact from two subtasks to three to one', async () => {
    const world = newWorld()
    const at = (values: readonly number[], everyMs: number, fromMs = 0) =>
      values.map((value, index) => ({ afterMs: fromMs + index * everyMs, value }))
    const build: Build = (env, sink, parallelism) => {
      const rules = { all: at(range(1, 80), 2) }
      const events = { all: [...at(range(0, 119), 2), ...at(range(120, 129), 1, 3000)] }
      const ruled = env
        .fromSource(timedSource(world, rules), WatermarkStrategy.noWatermarks(), 'rules')
        .uid('rules')
        .broadcast(RULES)
      env
        .fromSource(timedSource(world, events), WatermarkStrategy.noWatermarks(), 'events')
        .uid('events')
        .keyBy((event) => event % 7)
        .connect(ruled)
        .process<string>(() => ({
          processElement(event, { getBroadcastState }, out) {
            const seen = [...getBroadcastState(RULES)]
            out.collect(
              event < 120
                ? `${event}`
                : `${event} knows ${seen.length}, once: ${seen.every(([, times]) => times === 1)}`,
            )
          },
          processBroadcastElement(rule, { getBroadcastState }, out) {
            // What waits for it differs from subtask to subtask.
            out.collect(`rule ${rule}`)
            const seen = getBroadcastState(RULES)
            seen.set(`${rule}`, (seen.get(`${rule}`) ?? 0) + 1)
          },
        }))
        .uid('ruled')
        .setParallelism(parallelism)
        .rebalance()
        .sinkTo(sink)
        .uid('slow')
        .setParallelism(1)
    }
    const lines = await rescaled(world, build, [2, 3, 1], ['broadcast', 'hash'])
    expect(new Set(lines.filter((line) => line.startsWith('rule'))).size).toBe(80)
    expect(lines.filter((line) => !line.startsWith('rule'))).toEqual(
      [...range(0, 119).map(String), ...range(120, 129).map((event) => `${event} knows 80, once: true`)].toSorted(),
    )
  })

  it('by a hash edge and a forward edge into the same task are exact from two subtasks to three to one', async () => {
    const world = newWorld()
    const splits = (name: string) =>
      Object.fromEntries(
        range(0, 2).map((split) => [
          `${split}`,
          range(0, 29).map((n) => ({ afterMs: n, value: `${name}${split}-${n}` })),
        ]),
      )
    const build: Build = (env, sink, parallelism) => {
      env.setParallelism(parallelism)
      const [forward, keyed] = ['f', 'k'].map((name) =>
        env.fromSource(timedSource(world, splits(name)), WatermarkStrategy.noWatermarks(), name).uid(name),
      ) as [DataStream<string>, DataStream<string>]
      forward
        .union(keyed.keyBy((value) => value))
        .map((value) => value)
        .uid('both')
        .sinkTo(sink)
        .uid('slow')
    }
    const lines = await rescaled(world, build, [2, 3, 1], ['forward', 'hash'])
    expect(lines).toEqual(
      ['f', 'k']
        .flatMap((name) => Object.values(splits(name)).flatMap((split) => split.map(({ value }) => value)))
        .toSorted(),
    )
  })

  it('of a main and a side output are told apart, also where both come to the same task', async () => {
    const world = newWorld()
    const build: Build = (env, sink, parallelism) => {
      const parted = env
        .fromSource(ticks(world, 60, 1), WatermarkStrategy.noWatermarks(), 'ticks')
        .uid('ticks')
        .process<string>(() => ({
          processElement(value, context, out) {
            if (value % 2 === 0) out.collect(`main ${value}`)
            else context.output(LATE, `side ${value}`)
          },
        }))
        .uid('parted')
      parted
        .rebalance()
        .map((line) => `${line} by main`)
        .uid('by main')
        .union(
          parted
            .getSideOutput(LATE)
            .rebalance()
            .map((line) => `${line} by side`)
            .uid('by side'),
        )
        .union(parted.getSideOutput(LATE).rebalance())
        .rebalance()
        .sinkTo(sink)
        .uid('slow')
        .setParallelism(parallelism)
    }
    const lines = await rescaled(world, build, [2, 1], ['odd', 'rebalance'])
    expect(lines).toEqual(
      range(0, 59)
        .flatMap((value) => (value % 2 === 0 ? [`main ${value} by main`] : [`side ${value} by side`, `side ${value}`]))
        .toSorted(),
    )
  })

  it('that part and meet again, one way slower than the other, are exact whenever the job fails', async () => {
    for (const failAt of [30, 55, 80]) {
      const world = newWorld()
      let left = failAt
      const write = async () => {
        await slowly(world)
        if (--left === 0) throw new Error('down')
      }
      const [sink, aside] = [new Ledger<string>({ write }), new Ledger<string>({ write })]
      const env = overtaking(world)
      const source = env.fromSource(ticks(world, 40, 1), WatermarkStrategy.noWatermarks(), 'ticks')
      const counted = numbered(source, 2)
      const slow = counted
        .rebalance()
        .flatMap((line) => [line, `${line} again`])
        .setParallelism(2)
      // In its chain: the way waits for it.
      slow.sinkTo(aside).setParallelism(2)
      const quick = counted.rebalance().map((line) => `${line} quick`)
      slow.union(quick).rebalance().sinkTo(sink).setParallelism(2)
      await world.until(env.execute('x'))
      expect(left).toBeLessThan(0)
      expect(holding(world).length).toBeGreaterThan(0)
      const lines = numberedOf(40)
      const twice = lines.flatMap((line) => [line, `${line} again`])
      expect(aside.committed.toSorted()).toEqual(twice.toSorted())
      expect(sink.committed.toSorted()).toEqual([...twice, ...lines.map((line) => `${line} quick`)].toSorted())
    }
  })
})
