/** `executeAndCollect`: what comes out and when, how the reader leaves, what failures do to it. */
import { expect, expectTypeOf, test } from 'vitest'
import { type CollectedResults, RestartStrategies, type Serializer } from '../../src/index.ts'
import { endless, failingAt, first, fromTicks } from './collect-parts.ts'
import { describeJobs, promises } from './harness.ts'
import { Ledger, range } from './parts.ts'

describeJobs('executeAndCollect', (newWorld) => {
  test('gives every record of the stream, in order, and ends with the job', async () => {
    const world = newWorld()
    const results = await world.until(world.env().fromSequence(1, 5_000).executeAndCollect('numbers'))
    expectTypeOf(results).toEqualTypeOf<CollectedResults<number>>()
    expect(results.client.jobId).toMatch(/^[0-9a-f]{32}$/)
    expect(await world.until(results.toArray())).toEqual(range(1, 5_000))
    expect(await results.client.getJobStatus()).toBe('FINISHED')
  })

  test('runs the rest of the program too, and leaves the environment empty', async () => {
    const world = newWorld()
    const env = world.env()
    const ledger = new Ledger<number>()
    const numbers = env.fromData([1, 2])
    numbers.sinkTo(ledger)
    const results = await world.until(numbers.executeAndCollect())
    expect(await world.until(results.toArray())).toEqual([1, 2])
    expect(ledger.committed).toEqual([1, 2])
    expect(await world.failure(env.execute())).toMatchObject({ code: 'EMPTY_JOB' })
  })

  test('collects what several subtasks emit, in one place', async () => {
    const world = newWorld()
    const env = world.env().setParallelism(3)
    const results = await world.until(env.fromSequence(1, 100).executeAndCollect())
    const seen = await world.until(results.toArray())
    expect(seen.toSorted((a, b) => a - b)).toEqual(range(1, 100))
  })

  test('without checkpointing a record comes out at once', async () => {
    const world = newWorld()
    const results = await world.until(fromTicks(world.env(), world, 3, 100).executeAndCollect())
    const iterator = results[Symbol.asyncIterator]()
    await world.until(iterator.next())
    expect(world.clock.now()).toBe(1_000_100)
    await world.until(results[Symbol.asyncDispose]())
  })

  test('with checkpointing a record comes out only when the checkpoint that covers it is complete', async () => {
    const world = newWorld()
    const env = world.env()
    env.enableCheckpointing(1_000)
    const results = await world.until(fromTicks(env, world, 100, 100).executeAndCollect())
    const seen: { value: number; checkpoints: number }[] = []
    const reading = (async () => {
      for await (const value of results) seen.push({ value, checkpoints: world.ofType('checkpoint.completed').length })
    })()
    await world.advance(950)
    expect(seen).toEqual([])
    await world.until(reading)
    expect(seen.map(({ value }) => value)).toEqual(range(0, 99))
    expect(seen.every(({ checkpoints }) => checkpoints > 0)).toBe(true)
  })

  test('with checkpointing every record comes once, whatever failed in between', async () => {
    const world = newWorld()
    const env = world.env().setParallelism(2)
    env.enableCheckpointing(50).setRestartStrategy(RestartStrategies.fixedDelayRestart(5, 10))
    const stream = fromTicks(env, world, 60, 10)
      .rebalance()
      .map(failingAt(17))
      .map(failingAt(18))
      .rebalance()
      .map(failingAt(44))
    const results = await world.until(stream.executeAndCollect())
    const seen = await world.until(results.toArray())
    expect(seen.toSorted((a, b) => a - b)).toEqual(range(0, 59))
    expect(world.ofType('restart.scheduled').length).toBeGreaterThan(1)
  })

  test('without checkpointing a restart fails the job, for its records would come twice', async () => {
    const world = newWorld()
    const env = world.env()
    env.setRestartStrategy(RestartStrategies.fixedDelayRestart(5, 10))
    const results = await world.until(fromTicks(env, world, 10, 10).map(failingAt(4)).executeAndCollect())
    const seen: number[] = []
    const reading = (async () => {
      for await (const value of results) seen.push(value)
    })()
    expect(await world.failure(reading)).toMatchObject({ code: 'JOB_FAILED', cause: { code: 'RESULTS_COME_ONCE' } })
    expect(seen).toEqual([0, 1, 2, 3])
  })

  test('without checkpointing a restart before the first record changes nothing', async () => {
    const world = newWorld()
    const env = world.env()
    env.setRestartStrategy(RestartStrategies.fixedDelayRestart(5, 10))
    const results = await world.until(fromTicks(env, world, 3, 10).map(failingAt(0)).executeAndCollect())
    expect(await world.until(results.toArray())).toEqual([0, 1, 2])
  })

  test('the loop throws what failed the job, behind the records that came before', async () => {
    const world = newWorld()
    const thrown = { not: 'an error' }
    const stream = fromTicks(world.env(), world, 10, 10).map((value): number => {
      if (value === 3) throw thrown
      return value
    })
    const results = await world.until(stream.executeAndCollect())
    const seen: number[] = []
    const reading = (async () => {
      for await (const value of results) seen.push(value)
    })()
    const failure = await world.failure(reading)
    expect(failure.code).toBe('JOB_FAILED')
    expect(failure.cause).toBe(thrown)
    expect(seen).toEqual([0, 1, 2])
  })

  test('a job that fails, and whose results nobody reads, causes no unhandled rejection', async () => {
    const world = newWorld()
    const stream = world
      .env()
      .fromData([1])
      .map((): number => {
        throw new Error('down')
      })
    const results = await world.until(stream.executeAndCollect())
    await world.when(() => world.handles[0]?.status() === 'FAILED')
    await world.settle()
    expect(await world.failure(results.toArray())).toMatchObject({ code: 'JOB_FAILED' })
  })

  test('leaving the loop cancels the job and waits for its end', async () => {
    const world = newWorld()
    const env = world.env()
    const results = await world.until(endless(env).executeAndCollect())
    expect(await world.until(first(results, 3))).toEqual([0, 1, 2])
    expect(await results.client.getJobStatus()).toBe('CANCELED')
    expect(world.timersLeft()).toBe(0)
  })

  test('leaving the loop by a throw cancels the job, and the throw is what comes out', async () => {
    const world = newWorld()
    const results = await world.until(endless(world.env()).executeAndCollect())
    const thrown = new Error('of the reader')
    const reading = (async () => {
      for await (const value of results) if (value === 10) throw thrown
    })()
    expect(await world.failure(reading)).toBe(thrown)
    expect(await results.client.getJobStatus()).toBe('CANCELED')
  })

  test('leaving the scope cancels the job, also with a directory, where a client alone would suspend it', async () => {
    const world = newWorld()
    const env = world.env()
    env.enableCheckpointing(100).getCheckpointConfig().setCheckpointStorage('/checkpoints')
    const stream = endless(env, 100)
    const scope = (async () => {
      await using _results = await stream.executeAndCollect()
      await world.sleep(250)
    })()
    await world.until(scope)
    expect(world.statuses().at(-1)).toBe('CANCELED')
  })

  test('leaving the scope while somebody waits for the next record ends that loop without an error', async () => {
    const world = newWorld()
    const results = await world.until(endless(world.env(), 0.001).executeAndCollect())
    const reading = (async () => {
      for await (const _ of results);
    })()
    await world.settle()
    await world.until(results[Symbol.asyncDispose]())
    await world.until(reading)
    expect(await results.client.getJobStatus()).toBe('CANCELED')
  })

  test('leaving twice, and after the end, changes nothing and does not throw', async () => {
    const world = newWorld()
    const results = await world.until(world.env().fromData([1]).executeAndCollect())
    expect(await world.until(results.toArray())).toEqual([1])
    await world.until(results[Symbol.asyncDispose]())
    await world.until(results[Symbol.asyncDispose]())
    expect(await results.client.getJobStatus()).toBe('FINISHED')
  })

  test('a return of the iterator while its next one waits ends both', async () => {
    const world = newWorld()
    const results = await world.until(endless(world.env(), 0.001).executeAndCollect())
    const iterator = results[Symbol.asyncIterator]()
    await world.until(iterator.next())
    const waiting = iterator.next()
    const left = iterator.return?.()
    expect(await world.until(waiting)).toEqual({ done: true, value: undefined })
    expect(await world.until(left ?? Promise.reject())).toEqual({ done: true, value: undefined })
    expect(await world.until(iterator.next())).toEqual({ done: true, value: undefined })
  })

  test('calls of next that do not wait for each other get the records in their order', async () => {
    const world = newWorld()
    const results = await world.until(fromTicks(world.env(), world, 4, 10).executeAndCollect())
    const iterator = results[Symbol.asyncIterator]()
    const got = await world.until(Promise.all(range(0, 4).map(() => iterator.next())))
    expect(got.map(({ value }) => value)).toEqual([0, 1, 2, 3, undefined])
  })

  test('the results are read once: a second loop is refused', async () => {
    const world = newWorld()
    const results = await world.until(world.env().fromData([1]).executeAndCollect())
    await world.until(results.toArray())
    expect(() => results[Symbol.asyncIterator]()).toThrow(expect.objectContaining({ code: 'RESULTS_COME_ONCE' }))
    expect(await world.failure(results.toArray())).toMatchObject({ code: 'RESULTS_COME_ONCE' })
  })

  test('somebody else who cancels the job makes the loop throw', async () => {
    const world = newWorld()
    const results = await world.until(endless(world.env(), 10).executeAndCollect())
    const reading = results.toArray()
    reading.catch(() => {})
    await world.advance(500)
    await world.until(results.client.cancel())
    expect(await world.failure(reading)).toMatchObject({ code: 'JOB_CANCELED' })
  })

  test('its signal suspends the job, and the loop throws with the reason as cause', async () => {
    const world = newWorld()
    const env = world.env()
    env.enableCheckpointing(100).getCheckpointConfig().setCheckpointStorage('/checkpoints')
    const controller = new AbortController()
    const results = await world.until(endless(env, 100).executeAndCollect('x', { signal: controller.signal }))
    const seen: number[] = []
    const reading = (async () => {
      for await (const value of results) seen.push(value)
    })()
    reading.catch(() => {})
    await world.advance(250)
    const reason = { why: 'enough' }
    controller.abort(reason)
    const failure = await world.failure(reading)
    expect(failure.code).toBe('JOB_SUSPENDED')
    expect(failure.cause).toBe(reason)
    expect(seen).toEqual(range(0, seen.length - 1))
  })

  test('a job that goes on from its checkpoint hands out the rest: nothing is missing', async () => {
    const world = newWorld()
    const stream = () => {
      const env = world.env()
      env.enableCheckpointing(100).getCheckpointConfig().setCheckpointStorage('/checkpoints')
      return fromTicks(env, world, 50, 10)
    }
    const before = await world.until(stream().executeAndCollect('x'))
    const seen: number[] = []
    const reading = (async () => {
      for await (const value of before) seen.push(value)
    })()
    reading.catch(() => {})
    await world.advance(250)
    await world.until(before.client.suspend())
    const after = await world.until(stream().executeAndCollect('x', { resume: 'latest' }))
    const rest = await world.until(after.toArray())
    expect([...new Set([...seen, ...rest])]).toEqual(range(0, 49))
  })

  test('limit ends the job after so many records, and the loop without an error', async () => {
    const world = newWorld()
    for (const checkpointing of [false, true]) {
      const env = world.env()
      if (checkpointing) env.enableCheckpointing(10)
      const results = await world.until(endless(env, 1_000).executeAndCollect('x', { limit: 25 }))
      expect(await world.until(results.toArray())).toEqual(range(0, 24))
      expect(await results.client.getJobStatus()).toBe('CANCELED')
    }
  })

  test('limit ends the job also where nobody reads', async () => {
    const world = newWorld()
    const results = await world.until(endless(world.env()).executeAndCollect('x', { limit: 3_000 }))
    expect(await world.until(first(results, 2_500))).toHaveLength(2_500)
    const unread = await world.until(endless(world.env()).executeAndCollect('x', { limit: 10 }))
    await world.when(() => world.handles[1]?.status() === 'CANCELED')
    expect(await world.until(unread.toArray())).toEqual(range(0, 9))
  })

  test('a limit that is never reached changes nothing', async () => {
    const world = newWorld()
    const results = await world.until(world.env().fromData([1, 2]).executeAndCollect('x', { limit: 3 }))
    expect(await world.until(results.toArray())).toEqual([1, 2])
    expect(await results.client.getJobStatus()).toBe('FINISHED')
  })

  test('a limit that is none is refused at once, and nothing is declared or run', async () => {
    const world = newWorld()
    const env = world.env()
    const stream = env.fromData([1])
    for (const limit of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])
      expect(await world.failure(stream.executeAndCollect('x', { limit }))).toMatchObject({ code: 'INVALID_ARGUMENT' })
    expect(world.handles).toEqual([])
    const results = await world.until(stream.executeAndCollect('x'))
    expect(await world.until(results.toArray())).toEqual([1])
  })

  test('keeps records in checkpoints with the serializer of their stream', async () => {
    class Money {
      readonly cents: number
      constructor(cents: number) {
        this.cents = cents
      }
    }
    const serializer: Serializer<Money> = {
      id: 'money',
      version: 1,
      serialize: ({ cents }) => new Uint8Array([cents]),
      deserialize: ([cents = 0]) => new Money(cents),
    }
    const world = newWorld()
    const env = world.env()
    env.enableCheckpointing(20).setRestartStrategy(RestartStrategies.fixedDelayRestart(5, 10))
    const stream = fromTicks(env, world, 20, 10)
      .map(failingAt(11))
      .map((cents) => new Money(cents))
      .withSerializer(serializer)
    const results = await world.until(stream.executeAndCollect())
    const seen = await world.until(results.toArray())
    expect(seen.map(({ cents }) => cents)).toEqual(range(0, 19))
    expect(seen.every((value) => value instanceof Money)).toBe(true)
  })

  test('is refused as execute is: with an aborted signal, and with a stream of a job that is over', async () => {
    const world = newWorld()
    const env = world.env()
    const stream = env.fromData([1])
    const refused = stream.executeAndCollect('x', { signal: AbortSignal.abort('no') })
    expect(await world.failure(refused)).toMatchObject({ code: 'JOB_CANCELED', cause: 'no' })
    expect(await world.failure(stream.executeAndCollect('x'))).toMatchObject({ code: 'FOREIGN_STREAM' })
    await promises()
  })
})
