/** A job is ended, or made to fail, at each of its moments in turn: it ends as it should, and leaves nothing behind. */
import { expect, it } from 'vitest'
import {
  DataGeneratorSource,
  type JobClient,
  RestartStrategies,
  type StreamExecutionEnvironment,
  ValueStateDescriptor,
  WatermarkStrategy,
} from '../../src/index.ts'
import { describeJobs, type World } from './harness.ts'
import { byNumber, Ledger, range } from './parts.ts'

const COUNT = 60
/** Moments that are left out between two that are tried: prime, so that no rhythm of the job is missed. */
const STEP = 47

/** Two sources, an exchange, state, timers, two sinks of which one waits, checkpoints, and failures on demand. */
function declare(env: StreamExecutionEnvironment, world: World, failAt: readonly number[]) {
  const left = new Set(failAt)
  const sinks = [new Ledger<number>({ write: () => world.sleep(1) }), new Ledger<number>()] as const
  const source = (count: number) =>
    env.fromSource(
      new DataGeneratorSource((index) => index, { count, ratePerSecond: 2_000 }),
      WatermarkStrategy.noWatermarks(),
      'numbers',
    )
  env.enableCheckpointing(10).setRestartStrategy(RestartStrategies.fixedDelayRestart(100, 15))
  const counted = source(COUNT)
    .union(source(10).map((value) => value + 1_000))
    .keyBy((value) => value % 4)
    .process<number>((context) => {
      const count = context.getState(new ValueStateDescriptor('count', { default: () => 0 }))
      return {
        open: () => world.sleep(2),
        processElement(value, at, out) {
          if (left.delete(value)) throw new Error(`down at ${value}`)
          count.update(count.value() + 1)
          at.timerService().registerProcessingTimeTimer(at.timerService().currentProcessingTime() + 5)
          out.collect(value)
        },
        onTimer: () => {},
        close: () => world.sleep(1),
      }
    })
    .setParallelism(2)
  counted.sinkTo(sinks[0]).setParallelism(2)
  counted.rebalance().sinkTo(sinks[1])
  return sinks
}

const expected = [...range(0, COUNT - 1), ...range(1_000, 1_009)].toSorted(byNumber)

async function start(world: World, failAt: readonly number[]) {
  const env = world.env()
  const sinks = declare(env, world, failAt)
  const client: JobClient = await world.until(env.executeAsync('x'))
  return { client, sinks }
}

const ENDS = ['FINISHED', 'FAILED', 'CANCELED', 'SUSPENDED']
const hasEnded = (world: World) => ENDS.includes(world.handles[0]?.status() ?? '')

/** Nothing fires any more: neither a timer of the library nor one of a function that was cut off. */
async function expectNothingLeft(world: World): Promise<void> {
  await world.advance(50)
  expect(world.timersLeft()).toBe(0)
}

describeJobs('At any moment', (newWorld) => {
  const everyMoment = async (end: (client: JobClient) => Promise<void>, status: string) => {
    for (let moment = 0, over = false; !over; moment += STEP) {
      const world = newWorld({ stepsPerTurn: 1 })
      const { client, sinks } = await start(world, [30])
      await world.rounds(moment, () => hasEnded(world))
      over = hasEnded(world)
      await world.until(end(client))
      const ended = await client.getJobStatus()
      // The end may have been on its way.
      const exact = over || ended === 'FINISHED'
      expect({ moment, ended }).toEqual({ moment, ended: exact ? 'FINISHED' : status })
      await expectNothingLeft(world)
      for (const { committed } of sinks) expect(new Set(committed).size).toBe(committed.length)
      if (exact) for (const { committed } of sinks) expect(committed.toSorted(byNumber)).toEqual(expected)
    }
  }

  it('a job can be cancelled', () => everyMoment((client) => client.cancel(), 'CANCELED'))

  it('a job can be suspended', () => everyMoment((client) => client.suspend(), 'SUSPENDED'))

  it('a record can make the job fail: the result is exact', async () => {
    for (const first of range(0, COUNT - 1).filter((value) => value % 13 === 0)) {
      const world = newWorld({ stepsPerTurn: 1 })
      const { client, sinks } = await start(world, [first, first + 1, first + 9, 1_005])
      await world.until(client.getJobExecutionResult())
      for (const { committed } of sinks)
        expect({ first, committed: committed.toSorted(byNumber) }).toEqual({ first, committed: expected })
      await expectNothingLeft(world)
    }
  })
})
