/** How jobs begin and end: cancelled, suspended, aborted, left, side by side; and what is left of them: nothing. */
import { expect, it } from 'vitest'
import {
  CollectSink,
  DataGeneratorSource,
  DiscardingSink,
  type JobEvent,
  RestartStrategies,
  type Source,
  type StreamExecutionEnvironment,
  WatermarkStrategy,
} from '../../src/index.ts'
import { describeJobs, type World } from './harness.ts'
import { Ledger, range, ticks } from './parts.ts'

const START = 1_000_000

const endless = (env: StreamExecutionEnvironment) =>
  env.fromSource(
    new DataGeneratorSource((index) => index, { ratePerSecond: 100 }),
    WatermarkStrategy.noWatermarks(),
    'without end',
  )

const fromTicks = (env: StreamExecutionEnvironment, world: World, count: number, everyMs: number) =>
  env.fromSource(ticks(world, count, everyMs), WatermarkStrategy.noWatermarks(), 'ticks')

describeJobs('A job', (newWorld) => {
  it('is cancelled while it runs: everything is closed, nothing is committed any more', async () => {
    const world = newWorld()
    const env = world.env().setParallelism(2)
    env.enableCheckpointing(100)
    const sink = new Ledger<number>()
    endless(env).rebalance().sinkTo(sink)
    const client = await world.until(env.executeAsync('x'))
    await world.advance(450)
    const committed = sink.committed.length
    await world.until(client.cancel())
    expect(await client.getJobStatus()).toBe('CANCELED')
    expect(world.statuses()).toEqual(['RUNNING', 'CANCELLING', 'CANCELED'])
    expect(await world.failure(client.getJobExecutionResult())).toMatchObject({ code: 'JOB_CANCELED' })
    expect(sink.log.filter((line) => line.startsWith('close'))).toHaveLength(2)
    expect(committed).toBeGreaterThan(0)
    expect(sink.committed).toHaveLength(committed)
    await world.settle()
    expect(world.timersLeft()).toBe(0)
  })

  it('is cancelled during the delay of a restart, and not started again', async () => {
    const world = newWorld()
    const env = world.env()
    env.enableCheckpointing(100).setRestartStrategy(RestartStrategies.fixedDelayRestart(3, '1 h'))
    endless(env)
      .map((value): number => {
        if (value === 10) throw new Error('down')
        return value
      })
      .sinkTo(new DiscardingSink())
    const client = await world.until(env.executeAsync('x'))
    await world.when(() => world.statuses().at(-1) === 'RESTARTING')
    await world.advance(1_000)
    await world.until(client.cancel())
    // CANCELLING is passed in no time: no task runs.
    expect(world.statuses()).toEqual(['RUNNING', 'RESTARTING', 'CANCELED'])
    expect(world.timersLeft()).toBe(0)
  })

  it('is cancelled while a function opens, when that is over', async () => {
    const world = newWorld()
    const env = world.env()
    const log: string[] = []
    env
      .fromData([1])
      .process<number>(() => ({
        open: async () => {
          await world.sleep(5_000)
          log.push('opened')
        },
        processElement: () => void log.push('processed'),
        close: () => void log.push('closed'),
      }))
      .sinkTo(new DiscardingSink())
    const client = await world.until(env.executeAsync('x'))
    await world.advance(100)
    await world.until(client.cancel())
    expect(log).toEqual(['opened', 'closed'])
    expect(world.clock.now() - START).toBe(5_000)
  })

  it('that is cancelled while a function opens for ever fails for good after task.cancellation.timeout', async () => {
    const world = newWorld()
    const env = world.env()
    env.enableCheckpointing(100)
    env
      .fromData([1])
      .process<number>(() => ({ open: () => new Promise(() => {}), processElement() {} }))
      .sinkTo(new DiscardingSink())
    const client = await world.until(env.executeAsync('x'))
    await world.advance(100)
    await world.until(client.cancel())
    expect(world.clock.now() - START).toBe(180_100)
    expect(await client.getJobStatus()).toBe('FAILED')
    const failure = await world.failure(client.getJobExecutionResult())
    expect(failure).toMatchObject({ code: 'JOB_FAILED', cause: { code: 'TASK_CANCELLATION_TIMED_OUT' } })
    expect(world.ofType('restart.scheduled')).toEqual([])
  })

  it('with a task that cannot be stopped is never started a second time beside it', async () => {
    const world = newWorld()
    const env = world.env().setParallelism(2)
    env.enableCheckpointing(100).configure({ 'task.cancellation.timeout': '30 s' })
    let opened = 0
    env
      .fromData([1, 2])
      .rebalance()
      .process<number>(({ indexOfThisSubtask }) => ({
        open: () => {
          opened++
          if (indexOfThisSubtask === 0) return new Promise(() => {})
          throw new Error('the other one')
        },
        processElement() {},
      }))
      .sinkTo(new DiscardingSink())
    const failure = await world.failure(env.execute('x'))
    expect(failure).toMatchObject({ code: 'JOB_FAILED', cause: { code: 'TASK_CANCELLATION_TIMED_OUT' } })
    expect(opened).toBe(2)
    expect(world.clock.now() - START).toBe(30_000)
  })

  it('is suspended at once where there is no checkpoint directory', async () => {
    const world = newWorld()
    const env = world.env()
    env.enableCheckpointing(100)
    const sink = new Ledger<number>()
    endless(env).sinkTo(sink)
    const client = await world.until(env.executeAsync('x'))
    await world.advance(250)
    const triggered = world.ofType('checkpoint.triggered').length
    await world.until(client.suspend())
    expect(await client.getJobStatus()).toBe('SUSPENDED')
    expect(world.ofType('checkpoint.triggered')).toHaveLength(triggered)
    expect(await world.failure(client.getJobExecutionResult())).toMatchObject({ code: 'JOB_SUSPENDED' })
    expect(world.timersLeft()).toBe(0)
  })

  it('is cancelled by its signal, with the reason as cause', async () => {
    const world = newWorld()
    const env = world.env()
    const controller = new AbortController()
    endless(env).sinkTo(new DiscardingSink())
    const result = env.execute('x', { signal: controller.signal })
    result.catch(() => {})
    await world.advance(100)
    const reason = { why: 'enough' }
    controller.abort(reason)
    const failure = await world.failure(result)
    expect(failure.code).toBe('JOB_CANCELED')
    expect(failure.cause).toBe(reason)
  })

  it('is not started with a signal that was aborted before', async () => {
    const world = newWorld()
    const env = world.env()
    endless(env).sinkTo(new DiscardingSink())
    const failure = await world.failure(env.execute('x', { signal: AbortSignal.abort('no') }))
    expect(failure).toMatchObject({ code: 'JOB_CANCELED', cause: 'no' })
    expect(world.handles).toEqual([])
  })

  it('is over when its scope is left, and leaving it twice, or cancelling it again, changes nothing', async () => {
    const world = newWorld()
    const env = world.env()
    endless(env).sinkTo(new DiscardingSink())
    const client = await world.until(env.executeAsync('x'))
    const left = (async () => {
      await using _scope = client
    })()
    await world.until(left)
    expect(await client.getJobStatus()).toBe('CANCELED')
    await world.until(client[Symbol.asyncDispose]())
    await world.until(client.cancel())
    await world.until(client.suspend())
    expect(await client.getJobStatus()).toBe('CANCELED')
  })

  it('that fails while its scope is left does not throw there', async () => {
    const world = newWorld()
    const env = world.env()
    fromTicks(env, world, 5, 10)
      .map((): number => {
        throw new Error('down')
      })
      .sinkTo(new DiscardingSink())
    const client = await world.until(env.executeAsync('x'))
    await world.advance(50)
    await world.until(client[Symbol.asyncDispose]())
    expect(await client.getJobStatus()).toBe('FAILED')
  })

  it('tells its events in order, to several, and the stream of them ends with it', async () => {
    const world = newWorld()
    const env = world.env()
    env.enableCheckpointing(20).setRestartStrategy(RestartStrategies.fixedDelayRestart(1, 100))
    fromTicks(env, world, 10, 10)
      .process<number>(({ attemptNumber }) => ({
        processElement(value, _, out) {
          if (value === 6 && attemptNumber === 0) throw new Error('down')
          out.collect(value)
        },
      }))
      .sinkTo(new Ledger())
    const client = await world.until(env.executeAsync('x'))
    const follow = async () => {
      const events: JobEvent[] = []
      for await (const event of client.events()) events.push(event)
      return events
    }
    const [first, second] = await world.until(Promise.all([follow(), follow()]))
    expect(second).toEqual(first)
    const told = first.flatMap((event) => (event.type === 'job.status' ? [event.status] : [event.type]))
    const once = told.filter((type, index) => type !== 'task.status' && type !== told[index - 1])
    const order = ['RESTARTING', 'restart.scheduled', 'checkpoint.triggered', 'checkpoint.completed', 'FINISHED']
    for (const type of order) expect(once).toContain(type)
    expect(told.at(-1)).toBe('FINISHED')
    expect(told.indexOf('restart.scheduled')).toBeGreaterThan(told.indexOf('checkpoint.completed'))
    const times = first.map(({ atMs }) => atMs)
    expect(times).toEqual(times.toSorted((one, other) => one - other))
    // Each task goes through Flink's states.
    const states = first.flatMap((event) => (event.type === 'task.status' && event.attempt === 2 ? [event.status] : []))
    expect(states).toEqual(['SCHEDULED', 'DEPLOYING', 'INITIALIZING', 'RUNNING', 'FINISHED'])
  })

  it('that nobody asks about fails without an unhandled rejection', async () => {
    const world = newWorld()
    const env = world.env()
    env
      .fromData([1])
      .map((): number => {
        throw new Error('down')
      })
      .sinkTo(new DiscardingSink())
    await world.until(env.executeAsync('x'))
    await world.when(() => world.handles[0]?.status() === 'FAILED')
    await world.settle()
  })

  it('does not change whoever watches it throws', async () => {
    const world = newWorld({
      tap: {
        started() {
          throw new Error('of the tap')
        },
        stepped() {
          throw new Error('of the tap')
        },
      },
    })
    const env = world.env()
    env.enableCheckpointing(10)
    const sink = new Ledger<number>()
    fromTicks(env, world, 10, 5).sinkTo(sink)
    await world.until(env.executeAsync('x'))
    world.handles[0]?.subscribe(() => {
      throw new Error('of a listener')
    })
    await world.until(world.handles[0]?.result ?? Promise.reject())
    expect(sink.committed).toEqual(range(0, 9))
  })

  it('runs beside others in one process, each with its own end', async () => {
    const world = newWorld()
    const sinks = range(0, 4).map(() => new CollectSink<number>())
    const clients = await world.until(
      Promise.all(
        sinks.map((sink, index) => {
          const env = world.env()
          env.enableCheckpointing(20)
          fromTicks(env, world, 10, 10 + index)
            .map((value): number => {
              if (index === 2 && value === 5) throw new Error('of the third')
              return value * (index + 1)
            })
            .sinkTo(sink)
          if (index === 2) env.setRestartStrategy(RestartStrategies.noRestart())
          return env.executeAsync(`job ${index}`)
        }),
      ),
    )
    await world.until(clients[4]?.cancel() ?? Promise.reject())
    const ends = await world.until(Promise.allSettled(clients.map((client) => client.getJobExecutionResult())))
    expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled', 'rejected'])
    expect(new Set(clients.map(({ jobId }) => jobId)).size).toBe(5)
    for (const index of [0, 1, 3])
      expect(sinks[index]?.results()).toEqual(range(0, 9).map((value) => value * (index + 1)))
  })

  it('leaves its environment empty, to be used again', async () => {
    const world = newWorld()
    const env = world.env()
    const [first, second] = [new CollectSink<number>(), new CollectSink<number>()]
    env.fromData([1]).sinkTo(first)
    await world.until(env.execute('one'))
    expect(await world.failure(env.execute('none'))).toMatchObject({ code: 'EMPTY_JOB' })
    env.fromData([2]).sinkTo(second)
    await world.until(env.execute('two'))
    expect([first.results(), second.results()]).toEqual([[1], [2]])
  })

  it('tells how long it ran, and what it did', async () => {
    const world = newWorld()
    const env = world.env()
    env.enableCheckpointing(50)
    fromTicks(env, world, 10, 10).sinkTo(new Ledger())
    const result = await world.until(env.execute('x'))
    expect(result.netRuntimeMs).toBe(100)
    const metrics = world.handles[0]?.metrics()
    expect(metrics).toMatchObject({ recordsIn: 10, recordsOut: 10, restarts: 0, failedCheckpoints: 0 })
    expect(metrics?.completedCheckpoints).toBe(world.ofType('checkpoint.completed').length)
  })

  it('counts in its metrics also what attempts did that nobody looked at', async () => {
    const world = newWorld()
    const env = world.env()
    env.enableCheckpointing(50).setRestartStrategy(RestartStrategies.fixedDelayRestart(3, 10))
    let failures = 0
    env
      .fromSource(ticks(world, 10, 10), WatermarkStrategy.noWatermarks(), 'ticks')
      .rebalance()
      .map((value): number => {
        if (value === 4 && failures < 2) {
          failures++
          throw new Error('down')
        }
        return value
      })
      .sinkTo(new DiscardingSink())
    await world.until(env.execute('x'))
    // Each of the ten once, and some of them again.
    expect(world.handles[0]?.metrics().recordsIn).toBeGreaterThan(10)
  })

  it('closes each function once, whatever happened to it', async () => {
    const world = newWorld()
    const env = world.env()
    env.enableCheckpointing(50).setRestartStrategy(RestartStrategies.fixedDelayRestart(2, 10))
    const log: string[] = []
    fromTicks(env, world, 10, 10)
      .process<number>(({ attemptNumber }) => ({
        open: () => void log.push(`open ${attemptNumber}`),
        processElement(value, _, out) {
          if (attemptNumber === 0 && value === 5) throw new Error('down')
          out.collect(value)
        },
        close() {
          log.push(`close ${attemptNumber}`)
          if (attemptNumber === 1) throw new Error('while closing')
        },
      }))
      .sinkTo(new Ledger())
    await world.until(env.execute('x'))
    expect(log).toEqual(['open 0', 'close 0', 'open 1', 'close 1', 'open 2', 'close 2'])
  })

  it('opens from the end of a chain to its head and closes what was opened', async () => {
    const world = newWorld()
    const env = world.env()
    const log: string[] = []
    const logged = (name: string) => () => ({
      open: () => void log.push(`open ${name}`),
      processElement: (value: number, _: unknown, out: { collect(value: number): void }) => out.collect(value),
      close: () => void log.push(`close ${name}`),
    })
    env.fromData([1]).process<number>(logged('a')).process<number>(logged('b')).sinkTo(new DiscardingSink())
    await world.until(env.execute('x'))
    expect(log.slice(0, 2)).toEqual(['open b', 'open a'])
    expect(log.slice(2).toSorted()).toEqual(['close a', 'close b'])
  })

  it('that ends while an enumerator starts leaves no enumerator behind', async () => {
    const world = newWorld()
    const env = world.env()
    const log: string[] = []
    const source: Source<number> = {
      boundedness: 'continuous-unbounded',
      createEnumerator: (context) => ({
        async start() {
          await world.sleep(1_000)
          log.push('started')
          context.callPeriodically(
            async () => log.push('periodically'),
            () => {},
            100,
            100,
          )
        },
        handleSplitRequest() {},
        addSplitsBack() {},
        addReader() {},
        snapshotState: () => null,
        close: () => void log.push('closed'),
      }),
      createReader: () => {
        throw new Error('never deployed')
      },
    }
    env.fromSource(source, WatermarkStrategy.noWatermarks(), 's').sinkTo(new DiscardingSink())
    const client = await world.until(env.executeAsync('x'))
    await world.settle()
    const cancelled = client.cancel()
    await world.advance(3_000)
    await world.until(cancelled)
    expect(log.filter((line) => line === 'periodically')).toEqual([])
    expect(log).toContain('closed')
    expect(world.timersLeft()).toBe(0)
  })
})
