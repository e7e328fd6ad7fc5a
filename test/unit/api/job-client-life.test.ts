/** What the owner of a running job may ask of it, in every order and at every moment: through whole jobs. */
import { getEventListeners } from 'node:events'
import { expect, test } from 'vitest'
import {
  DataGeneratorSource,
  DiscardingSink,
  type JobClient,
  type JobEvent,
  RestartStrategies,
  type StreamExecutionEnvironment,
  WatermarkStrategy,
} from '../../../src/index.ts'
import { describeJobs, type World } from '../../jobs/harness.ts'
import { Ledger, range, ticks } from '../../jobs/parts.ts'

const START = 1_000_000

const endless = (env: StreamExecutionEnvironment, sink: Ledger<number> = new Ledger()) => {
  env
    .fromSource(
      new DataGeneratorSource((index) => index, { ratePerSecond: 100 }),
      WatermarkStrategy.noWatermarks(),
      'without end',
    )
    .sinkTo(sink)
  return env
}

const durable = (world: World, directory = '/checkpoints'): StreamExecutionEnvironment => {
  const env = world.env()
  env.enableCheckpointing(100).getCheckpointConfig().setCheckpointStorage(directory)
  return env
}

/** Fails at the first record, and waits an hour for its restart. */
const restarting = async (world: World, signal?: AbortSignal): Promise<JobClient> => {
  const env = world.env()
  env.enableCheckpointing(100).setRestartStrategy(RestartStrategies.fixedDelayRestart(3, '1 h'))
  env
    .fromData([1])
    .map((): number => {
      throw new Error('down')
    })
    .sinkTo(new DiscardingSink())
  const client = await world.until(env.executeAsync('x', { signal }))
  await world.when(() => world.statuses().at(-1) === 'RESTARTING')
  return client
}

describeJobs('The owner of a job', (newWorld) => {
  test('asks for its status at any time, also after the end', async () => {
    const world = newWorld()
    const env = world.env()
    env.fromSource(ticks(world, 3, 10), WatermarkStrategy.noWatermarks(), 'ticks').sinkTo(new DiscardingSink())
    const client = await world.until(env.executeAsync('x'))
    await world.advance(15)
    expect(await client.getJobStatus()).toBe('RUNNING')
    await world.until(client.getJobExecutionResult())
    await world.advance(1_000)
    expect(await client.getJobStatus()).toBe('FINISHED')
  })

  test('gets the id of each checkpoint that it asks for, when it is complete', async () => {
    const world = newWorld()
    const env = world.env()
    env.enableCheckpointing('1 h')
    const client = await world.until(endless(env).executeAsync('x'))
    await world.advance(100)
    const ids = await world.until(Promise.all([client.triggerCheckpoint(), client.triggerCheckpoint()]))
    expect(ids).toEqual([1, 2])
    expect(world.ofType('checkpoint.completed').map(({ checkpointId }) => checkpointId)).toEqual([1, 2])
    await world.until(client.cancel())
  })

  test('is told that no checkpoint can be taken while the job waits for its restart, and after its end', async () => {
    const world = newWorld()
    const client = await restarting(world)
    expect(await world.failure(client.triggerCheckpoint())).toMatchObject({ code: 'CHECKPOINT_FAILED' })
    await world.until(client.cancel())
    const failure = await world.failure(client.triggerCheckpoint())
    expect(failure).toMatchObject({ code: 'CHECKPOINT_FAILED', hint: undefined })
    expect(failure.message).toContain('has ended')
  })

  test('whose checkpoint is under way when the job is cancelled hears that it failed', async () => {
    const world = newWorld()
    const env = world.env()
    env.enableCheckpointing('1 h')
    const never = new Ledger<number>({ makeDurable: () => world.sleep(5_000) })
    const client = await world.until(endless(env, never).executeAsync('x'))
    await world.advance(100)
    const checkpoint = client.triggerCheckpoint()
    checkpoint.catch(() => {})
    await world.advance(10)
    const cancelled = client.cancel()
    expect(await world.failure(checkpoint)).toMatchObject({ code: 'CHECKPOINT_FAILED' })
    await world.until(cancelled)
  })

  test('suspends it with one last checkpoint, however often it asks, and goes on from there', async () => {
    const world = newWorld()
    const ledger = new Ledger<number>()
    const client = await world.until(endless(durable(world), ledger).executeAsync('x'))
    await world.advance(250)
    const triggered = world.ofType('checkpoint.triggered').length
    await world.until(Promise.all([client.suspend(), client.suspend(), client[Symbol.asyncDispose]()]))
    expect(await client.getJobStatus()).toBe('SUSPENDED')
    expect(world.ofType('checkpoint.triggered')).toHaveLength(triggered + 1)
    const resumed = await world.until(endless(durable(world), ledger).executeAsync('x', { resume: 'latest' }))
    expect(resumed.jobId).toBe(client.jobId)
    await world.advance(250)
    await world.until(resumed.cancel())
    expect(ledger.committed.length).toBeGreaterThan(30)
    expect(ledger.committed).toEqual(range(0, ledger.committed.length - 1))
  })

  test('waits no longer than timeoutMs for the last checkpoint', async () => {
    for (const [timeoutMs, lasts] of [
      [undefined, 10_000],
      [1_500, 1_500],
      [0, 0],
    ]) {
      const world = newWorld()
      const slow = new Ledger<number>({ makeDurable: () => world.sleep(20_000) })
      const client = await world.until(endless(durable(world), slow).executeAsync('x'))
      await world.advance(50)
      const asked = world.clock.now()
      const suspended = client.suspend({ timeoutMs })
      await world.when(() => world.ofType('task.status').some(({ status }) => status === 'CANCELING'))
      expect(world.clock.now() - asked).toBe(lasts)
      await world.until(suspended)
      expect(await client.getJobStatus()).toBe('SUSPENDED')
    }
  })

  test('is refused a timeoutMs that is none, and the job runs on', async () => {
    const world = newWorld()
    const client = await world.until(endless(world.env()).executeAsync('x'))
    await world.advance(50)
    for (const timeoutMs of [Number.NaN, -1, Number.POSITIVE_INFINITY, '10 s' as never])
      expect(await world.failure(client.suspend({ timeoutMs }))).toMatchObject({ code: 'INVALID_ARGUMENT' })
    expect(await client.getJobStatus()).toBe('RUNNING')
    await world.until(client.cancel())
  })

  test('cancels it while it is being suspended: the cancellation is what counts', async () => {
    const world = newWorld()
    const slow = new Ledger<number>({ makeDurable: () => world.sleep(2_000) })
    const client = await world.until(endless(durable(world), slow).executeAsync('x'))
    await world.advance(50)
    const suspended = client.suspend()
    await world.advance(10)
    await world.until(Promise.all([client.cancel(), suspended]))
    expect(await client.getJobStatus()).toBe('CANCELED')
    expect(await world.failure(client.getJobExecutionResult())).toMatchObject({ code: 'JOB_CANCELED' })
  })

  test('may cancel and suspend what has ended already: nothing changes and nothing throws', async () => {
    const world = newWorld()
    for (const fails of [false, true]) {
      const env = world.env()
      env
        .fromData([1])
        .map((value) => {
          if (fails) throw new Error('down')
          return value
        })
        .sinkTo(new DiscardingSink())
      const client = await world.until(env.executeAsync('x'))
      await world.until(client.getJobExecutionResult().catch(() => {}))
      await world.until(Promise.all([client.cancel(), client.suspend(), client[Symbol.asyncDispose]()]))
      expect(await client.getJobStatus()).toBe(fails ? 'FAILED' : 'FINISHED')
    }
  })

  test('gets one result, however often it asks', async () => {
    const world = newWorld()
    const thrown = Symbol('not an error')
    const env = world.env()
    env
      .fromData([1])
      .map((): number => {
        throw thrown
      })
      .sinkTo(new DiscardingSink())
    const client = await world.until(env.executeAsync('x'))
    const failures = [
      await world.failure(client.getJobExecutionResult()),
      await world.failure(client.getJobExecutionResult()),
    ]
    expect(failures[0]).toBe(failures[1])
    expect(failures[0]?.cause).toBe(thrown)
  })

  test('who leaves its scope by a throw gets that throw, after the end of the job', async () => {
    const world = newWorld()
    const env = endless(durable(world))
    const thrown = new Error('of the program')
    const scope = (async () => {
      await using _client = await env.executeAsync('x')
      await world.sleep(150)
      throw thrown
    })()
    expect(await world.failure(scope)).toBe(thrown)
    expect(world.statuses().at(-1)).toBe('SUSPENDED')
  })

  test('who leaves its scope at once, or during a restart, waits for the end as well', async () => {
    for (const directory of [true, false]) {
      const world = newWorld()
      const client = await world.until(endless(directory ? durable(world) : world.env()).executeAsync('x'))
      await world.until(client[Symbol.asyncDispose]())
      expect(await client.getJobStatus()).toBe(directory ? 'SUSPENDED' : 'CANCELED')
      const waiting = await restarting(newWorld())
      await world.until(waiting[Symbol.asyncDispose]())
      expect(await waiting.getJobStatus()).toBe('CANCELED')
      expect(world.timersLeft()).toBe(0)
    }
  })
})

describeJobs('The signal of a job', (newWorld) => {
  const reason = { why: 'enough' }

  test('aborted while the job is being started ends it, with the reason', async () => {
    const world = newWorld()
    for (const env of [durable(world), world.env()]) {
      const controller = new AbortController()
      const starting = endless(env).executeAsync('x', { signal: controller.signal })
      controller.abort(reason)
      const client = await world.until(starting)
      const failure = await world.failure(client.getJobExecutionResult())
      expect(['JOB_SUSPENDED', 'JOB_CANCELED']).toContain(failure.code)
      expect(failure.cause).toBe(reason)
    }
  })

  test('aborted while a function opens ends the job when that is over', async () => {
    const world = newWorld()
    const controller = new AbortController()
    const env = world.env()
    env
      .fromData([1])
      .process<number>(() => ({ open: () => world.sleep(1_000), processElement() {} }))
      .sinkTo(new DiscardingSink())
    const result = env.execute('x', { signal: controller.signal })
    result.catch(() => {})
    await world.advance(100)
    controller.abort(reason)
    const failure = await world.failure(result)
    expect(failure).toMatchObject({ code: 'JOB_CANCELED' })
    expect(failure.cause).toBe(reason)
    expect(world.clock.now() - START).toBe(1_000)
  })

  test('aborted during the delay of a restart ends the job at once', async () => {
    const world = newWorld()
    const controller = new AbortController()
    const client = await restarting(world, controller.signal)
    controller.abort(reason)
    const failure = await world.failure(client.getJobExecutionResult())
    expect(failure.code).toBe('JOB_CANCELED')
    expect(failure.cause).toBe(reason)
    expect(world.clock.now() - START).toBe(0)
  })

  test('aborted after the end changes nothing; and a job that is over listens to no signal', async () => {
    const world = newWorld()
    const controller = new AbortController()
    const env = world.env()
    env.fromSource(ticks(world, 3, 10), WatermarkStrategy.noWatermarks(), 'ticks').sinkTo(new DiscardingSink())
    const client = await world.until(env.executeAsync('x', { signal: controller.signal }))
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1)
    await world.until(client.getJobExecutionResult())
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0)
    controller.abort(reason)
    await world.settle()
    expect(await client.getJobStatus()).toBe('FINISHED')
    await client.getJobExecutionResult()
  })

  test('aborted behind a failure leaves the failure what it was', async () => {
    const world = newWorld()
    const controller = new AbortController()
    const thrown = new Error('down')
    const env = world.env().setParallelism(2)
    env
      .fromData([1, 2])
      .rebalance()
      .process<number>(({ indexOfThisSubtask }) => ({
        processElement() {
          if (indexOfThisSubtask === 0) throw thrown
        },
        close: () => world.sleep(500),
      }))
      .sinkTo(new DiscardingSink())
    const client = await world.until(env.executeAsync('x', { signal: controller.signal }))
    await world.when(() => world.statuses().at(-1) === 'FAILING')
    controller.abort(reason)
    const failure = await world.failure(client.getJobExecutionResult())
    expect(failure.code).toBe('JOB_FAILED')
    expect(failure.cause).toBe(thrown)
  })

  test('aborted after the program had cancelled the job is not the cause of the end', async () => {
    const world = newWorld()
    const controller = new AbortController()
    const client = await world.until(endless(world.env()).executeAsync('x', { signal: controller.signal }))
    await world.advance(50)
    const cancelled = client.cancel()
    controller.abort(reason)
    await world.until(cancelled)
    expect((await world.failure(client.getJobExecutionResult())).cause).toBeUndefined()
  })

  test('may be that of several jobs: each ends in its own way', async () => {
    const world = newWorld()
    const controller = new AbortController()
    const { signal } = controller
    const clients = await world.until(
      Promise.all([
        endless(durable(world)).executeAsync('kept', { signal }),
        endless(world.env()).executeAsync('not kept', { signal }),
      ]),
    )
    await world.advance(150)
    controller.abort(reason)
    const codes: string[] = []
    for (const client of clients) codes.push((await world.failure(client.getJobExecutionResult())).code)
    expect(codes).toEqual(['JOB_SUSPENDED', 'JOB_CANCELED'])
  })
})

describeJobs('The events of a running job', (newWorld) => {
  test('begin with the call and end with the job; after the end there are none', async () => {
    const world = newWorld()
    const env = durable(world)
    env.fromSource(ticks(world, 30, 10), WatermarkStrategy.noWatermarks(), 'ticks').sinkTo(new DiscardingSink())
    const client = await world.until(env.executeAsync('x'))
    await world.advance(150)
    const at = world.clock.now()
    const events: JobEvent[] = []
    const reading = (async () => {
      for await (const event of client.events()) events.push(event)
    })()
    await world.until(reading)
    expect(events.every(({ atMs }) => atMs >= at)).toBe(true)
    expect(events.at(-1)).toMatchObject({ type: 'job.status', status: 'FINISHED' })
    expect(await world.until(client.events().next())).toEqual({ done: true, value: undefined })
  })

  test('do not hold the job: a reader that stands still reads them all later', async () => {
    const world = newWorld()
    const env = durable(world)
    env.fromSource(ticks(world, 50, 10), WatermarkStrategy.noWatermarks(), 'ticks').sinkTo(new DiscardingSink())
    const client = await world.until(env.executeAsync('x'))
    const [slow, left] = [client.events(), client.events()]
    await world.until(left.next())
    await left.return?.()
    await world.until(client.getJobExecutionResult())
    const types = new Set<string>()
    const reading = (async () => {
      for await (const { type } of slow) types.add(type)
    })()
    await world.until(reading)
    for (const type of ['job.status', 'task.status', 'checkpoint.triggered', 'checkpoint.completed'])
      expect(types).toContain(type)
    expect(await left.next()).toEqual({ done: true, value: undefined })
  })
})
