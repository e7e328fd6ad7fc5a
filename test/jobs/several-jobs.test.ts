/** Several jobs in one process: each with its own id, state, failures and end, whatever the others do. */
import { expect, test } from 'vitest'
import {
  CollectSink,
  DataGeneratorSource,
  DiscardingSink,
  RestartStrategies,
  type StreamExecutionEnvironment,
  ValueStateDescriptor,
  WatermarkStrategy,
} from '../../src/index.ts'
import { describeJobs, type World } from './harness.ts'
import { byNumber, Ledger, range, ticks } from './parts.ts'

const fromTicks = (env: StreamExecutionEnvironment, world: World, count: number, everyMs: number) =>
  env.fromSource(ticks(world, count, everyMs), WatermarkStrategy.noWatermarks(), 'ticks')

/** The running number of each record within its key. */
const counted = (env: StreamExecutionEnvironment, world: World, fatal?: number) => {
  let failed = false
  return fromTicks(env, world, 30, 10)
    .keyBy((value) => value % 3)
    .process<number>((ctx) => {
      const state = ctx.getState(new ValueStateDescriptor('n', { default: () => 0 }))
      return {
        processElement(value, _, out) {
          if (value === fatal && !failed) {
            failed = true
            throw new Error('down')
          }
          state.update(state.value() + 1)
          out.collect(state.value())
        },
      }
    })
}

const COUNTED = range(1, 10).flatMap((n) => [n, n, n])

const durable = (world: World): StreamExecutionEnvironment => {
  const env = world.env()
  env.enableCheckpointing(50).getCheckpointConfig().setCheckpointStorage('/checkpoints')
  return env.setRestartStrategy(RestartStrategies.fixedDelayRestart(3, 20))
}

describeJobs('Jobs in one process', (newWorld) => {
  test('twenty at once, half of which fail and restart: each gives its own results, exactly', async () => {
    const world = newWorld()
    const all = range(0, 19).map(async (index) => {
      const env = durable(world).setParallelism(1 + (index % 3))
      const results = await counted(env, world, index % 2 === 0 ? index : undefined).executeAndCollect(`job ${index}`)
      return { id: results.client.jobId, values: await results.toArray() }
    })
    const jobs = await world.until(Promise.all(all))
    expect(new Set(jobs.map(({ id }) => id)).size).toBe(20)
    for (const { values } of jobs) expect(values.toSorted(byNumber)).toEqual(COUNTED)
    expect(world.ofType('restart.scheduled')).toHaveLength(10)
    expect(world.timersLeft()).toBe(0)
  })

  test('of one name, with one checkpoint directory: neither sees the other’s state', async () => {
    const world = newWorld()
    const runs = [undefined, 17].map(async (fatal) => {
      const results = await counted(durable(world), world, fatal).executeAndCollect('twin')
      return results.toArray()
    })
    for (const values of await world.until(Promise.all(runs))) expect(values).toEqual(COUNTED)
  })

  test('of one name, both suspended: which one to resume is not guessed, both are named', async () => {
    const world = newWorld()
    const clients = await world.until(
      Promise.all(
        [1, 2].map(() => {
          const env = durable(world)
          fromTicks(env, world, 100, 10).sinkTo(new DiscardingSink())
          return env.executeAsync('twin')
        }),
      ),
    )
    await world.advance(120)
    await world.until(Promise.all(clients.map((client) => client.suspend())))
    const env = durable(world)
    fromTicks(env, world, 100, 10).sinkTo(new DiscardingSink())
    const failure = await world.failure(env.execute('twin', { resume: 'latest' }))
    expect(failure.code).toBe('JOB_AMBIGUOUS')
    for (const { jobId } of clients) expect(failure.message + JSON.stringify(failure.details)).toContain(jobId)
  })

  test('of one id: the second is refused while the first runs, and the first does not notice', async () => {
    const world = newWorld()
    const id = { 'pipeline.fixed-job-id': '0123456789abcdef0123456789abcdef' }
    const [first, second] = [durable(world).configure(id), durable(world).configure(id)]
    const results = await world.until(counted(first, world).executeAndCollect('one'))
    await world.advance(100)
    counted(second, world).sinkTo(new DiscardingSink())
    const failure = await world.failure(second.execute('other', { resume: 'latest' }))
    expect(failure.code).toBe('JOB_IN_USE')
    expect(await world.until(results.toArray())).toEqual(COUNTED)
  })

  test('a failure of one ends that one alone', async () => {
    const world = newWorld()
    const [good, bad] = [new CollectSink<number>(), world.env()]
    const env = world.env()
    fromTicks(env, world, 20, 10).sinkTo(good)
    fromTicks(bad, world, 20, 10)
      .map((value): number => {
        if (value === 5) throw new Error('down')
        return value
      })
      .sinkTo(new DiscardingSink())
    const [ran, failed] = await world.until(Promise.allSettled([env.execute('good'), bad.execute('bad')]))
    expect(ran.status).toBe('fulfilled')
    expect(failed).toMatchObject({ status: 'rejected', reason: { code: 'JOB_FAILED' } })
    expect(good.results()).toEqual(range(0, 19))
  })

  test('a busy one does not starve another', async () => {
    const world = newWorld({ roundMs: 1 })
    const busy = world.env()
    busy
      .fromSource(new DataGeneratorSource((index) => index), WatermarkStrategy.noWatermarks(), 'busy')
      .sinkTo(new DiscardingSink())
    const client = await world.until(busy.executeAsync('busy'))
    const calm = world.env()
    calm.enableCheckpointing(50)
    const ledger = new Ledger<number>()
    fromTicks(calm, world, 20, 10).sinkTo(ledger)
    await world.until(calm.execute('calm'))
    expect(ledger.committed).toEqual(range(0, 19))
    expect(await client.getJobStatus()).toBe('RUNNING')
    await world.until(client.cancel())
  })

  test('of one environment, the second declared while the first runs, do not mix', async () => {
    const world = newWorld()
    const env = world.env()
    const [one, other] = [new CollectSink<number>(), new CollectSink<number>()]
    fromTicks(env, world, 10, 10).sinkTo(one)
    const first = await world.until(env.executeAsync('one'))
    await world.advance(35)
    env.setParallelism(2)
    env.fromData([7, 8]).sinkTo(other)
    const second = await world.until(env.executeAsync('other'))
    expect(second.jobId).not.toBe(first.jobId)
    await world.until(Promise.all([first.getJobExecutionResult(), second.getJobExecutionResult()]))
    expect(one.results()).toEqual(range(0, 9))
    expect(other.results().toSorted(byNumber)).toEqual([7, 8])
  })

  test('executed twice from one environment without waiting: the second call finds nothing declared', async () => {
    const world = newWorld()
    const env = world.env()
    env.fromData([1]).sinkTo(new DiscardingSink())
    const [first, second] = await world.until(Promise.allSettled([env.execute('a'), env.execute('b')]))
    expect(first.status).toBe('fulfilled')
    expect(second).toMatchObject({ status: 'rejected', reason: { code: 'EMPTY_JOB' } })
  })
})
