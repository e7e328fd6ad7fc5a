/** Whatever a user's code throws, wherever it throws it: the job goes through its restart strategy and tells the very thing. */
import { describe, expect, it } from 'vitest'
import {
  DiscardingSink,
  defineSource,
  MORE_AVAILABLE,
  NOTHING_AVAILABLE,
  RestartStrategies,
  type Sink,
  type Source,
  type StreamExecutionEnvironment,
  ValueStateDescriptor,
  WatermarkStrategy,
} from '../../src/index.ts'
import { describeJobs, type World } from './harness.ts'
import { Ledger, ticks } from './parts.ts'

type Bomb = () => never

/** Declares a job whose function at one place throws what the bomb throws. */
type Place = (env: StreamExecutionEnvironment, bomb: Bomb, world: World) => void

const discard = () => new DiscardingSink()

function brokenSource(
  parts: Partial<
    Record<'pollNext' | 'start' | 'createReader' | 'isAvailable' | 'reject' | 'snapshotState' | 'notify', Bomb>
  >,
): Source<number> {
  return {
    boundedness: 'continuous-unbounded',
    createEnumerator: () => ({
      start() {},
      handleSplitRequest() {},
      addSplitsBack() {},
      addReader() {},
      snapshotState: () => null,
      close() {},
    }),
    createReader: () => {
      parts.createReader?.()
      return {
        start: () => parts.start?.(),
        pollNext(output) {
          parts.pollNext?.()
          if (parts.isAvailable !== undefined || parts.reject !== undefined) return NOTHING_AVAILABLE
          output.collect(1)
          return MORE_AVAILABLE
        },
        isAvailable: () => {
          parts.isAvailable?.()
          return new Promise((_, reject) => {
            try {
              parts.reject?.()
            } catch (thrown) {
              reject(thrown)
            }
          })
        },
        snapshotState() {
          parts.snapshotState?.()
          return []
        },
        addSplits() {},
        notifyNoMoreSplits() {},
        ...(parts.notify === undefined ? {} : { notifyCheckpointComplete: parts.notify }),
        close() {},
      }
    },
  }
}

function brokenEnumerator(
  place:
    | 'createEnumerator'
    | 'start'
    | 'handleSplitRequest'
    | 'addReader'
    | 'snapshotState'
    | 'notify'
    | 'callAsync'
    | 'callAsyncSync'
    | 'handle'
    | 'periodic'
    | 'splitSerializer',
  bomb: Bomb,
): Source<number> {
  const at = (here: typeof place) => {
    if (here === place) bomb()
  }
  return {
    ...brokenSource({}),
    ...(place === 'splitSerializer'
      ? { splitSerializer: { id: 'bad', version: 1, serialize: bomb, deserialize: () => ({ id: 'a' }) } }
      : {}),
    createEnumerator: (context) => {
      at('createEnumerator')
      return {
        start() {
          at('start')
          if (place === 'callAsync')
            context.callAsync(
              async () => bomb(),
              () => {},
            )
          if (place === 'callAsyncSync')
            context.callAsync(
              () => bomb(),
              () => {},
            )
          if (place === 'handle') context.callAsync(async () => 1, bomb)
          if (place === 'periodic')
            context.callPeriodically(
              () => bomb(),
              () => {},
              20,
              20,
            )
        },
        handleSplitRequest: () => at('handleSplitRequest'),
        addSplitsBack() {},
        addReader(subtask) {
          at('addReader')
          if (place === 'splitSerializer') context.assignSplits(subtask, [{ id: 'a' }])
        },
        snapshotState() {
          at('snapshotState')
          return null
        },
        notifyCheckpointComplete: () => at('notify'),
        close() {},
      }
    },
    createReader(context) {
      const reader = brokenSource({}).createReader(context)
      return { ...reader, start: () => context.sendSplitRequest() }
    },
  }
}

const sinkThat = (parts: Parameters<typeof Object.assign>[1]): Sink<unknown> => ({
  createWriter: () => ({ write() {}, flush() {}, close() {}, ...parts }),
})

const later = async (bomb: Bomb, world: World): Promise<never> => {
  await world.sleep(5)
  return bomb()
}

/** Before the first attempt is deployed. */
const beforeTasks = ['createEnumerator', 'start', 'callAsync', 'callAsyncSync', 'handle'] as const

const places: Readonly<Record<string, Place>> = {
  'a map': (env, bomb) =>
    env
      .fromData([1])
      .map((): number => bomb())
      .sinkTo(discard()),
  'a map behind an exchange': (env, bomb) =>
    env
      .fromData([1])
      .rebalance()
      .map((): number => bomb())
      .sinkTo(discard()),
  'a filter': (env, bomb) =>
    env
      .fromData([1])
      .filter(() => bomb())
      .sinkTo(discard()),
  'a flatMap': (env, bomb) =>
    env
      .fromData([1])
      .flatMap((): number[] => bomb())
      .sinkTo(discard()),
  "a flatMap's generator": (env, bomb) =>
    env
      .fromData([1])
      .flatMap(function* (): Generator<number> {
        yield 1
        bomb()
      })
      .sinkTo(discard()),
  'a reduce': (env, bomb) =>
    env
      .fromData([1, 2])
      .keyBy(() => 'k')
      .reduce(() => bomb())
      .sinkTo(discard()),
  'a key selector': (env, bomb) =>
    env
      .fromData([1])
      .keyBy((): number => bomb())
      .reduce((a) => a)
      .sinkTo(discard()),
  'a key selector in front of several subtasks': (env, bomb) =>
    env
      .fromData([1])
      .keyBy((): number => bomb())
      .reduce((a) => a)
      .setParallelism(2)
      .sinkTo(discard()),
  'the factory of a process function': (env, bomb) =>
    env
      .fromData([1])
      .process<number>(() => bomb())
      .sinkTo(discard()),
  processElement: (env, bomb) =>
    env
      .fromData([1])
      .process<number>(() => ({ processElement: () => bomb() }))
      .sinkTo(discard()),
  open: (env, bomb) =>
    env
      .fromData([1])
      .process<number>(() => ({ open: () => bomb(), processElement() {} }))
      .sinkTo(discard()),
  'open, later': (env, bomb, world) =>
    env
      .fromData([1])
      .process<number>(() => ({ open: () => later(bomb, world), processElement() {} }))
      .sinkTo(discard()),
  close: (env, bomb) =>
    env
      .fromData([1])
      .process<number>(() => ({ close: () => bomb(), processElement() {} }))
      .sinkTo(discard()),
  'close, later': (env, bomb, world) =>
    env
      .fromData([1])
      .process<number>(() => ({ close: () => later(bomb, world), processElement() {} }))
      .sinkTo(discard()),
  initializeState: (env, bomb) =>
    env
      .fromData([1])
      .process<number>(() => ({ initializeState: () => bomb(), processElement() {} }))
      .sinkTo(discard()),
  snapshotState: (env, bomb) =>
    env
      .fromData([1])
      .process<number>(() => ({ snapshotState: () => bomb(), processElement() {} }))
      .sinkTo(discard()),
  notifyCheckpointComplete: (env, bomb) =>
    env
      .fromData([1])
      .process<number>(() => ({ notifyCheckpointComplete: () => bomb(), processElement() {} }))
      .sinkTo(discard()),
  'a keyed processElement': (env, bomb) =>
    env
      .fromData([1])
      .keyBy((value) => value)
      .process<number>(() => ({ processElement: () => bomb() }))
      .sinkTo(discard()),
  'an event timer': (env, bomb) =>
    env
      .fromData([1])
      .keyBy((value) => value)
      .process<number>(() => ({
        processElement: (_, context) => context.timerService().registerEventTimeTimer(1),
        onTimer: () => bomb(),
      }))
      .sinkTo(discard()),
  'a processing timer': (env, bomb, world) =>
    env
      .fromSource(ticks(world, 3, 50), WatermarkStrategy.noWatermarks(), 'ticks')
      .keyBy((value) => value)
      .process<number>(() => ({
        processElement: (_, context) =>
          context.timerService().registerProcessingTimeTimer(context.timerService().currentProcessingTime() + 10),
        onTimer: () => bomb(),
      }))
      .sinkTo(discard()),
  'a default of a state': (env, bomb) =>
    env
      .fromData([1])
      .keyBy((value) => value)
      .process<number>((ctx) => {
        const state = ctx.getState(new ValueStateDescriptor('s', { default: (): number => bomb() }))
        return { processElement: () => void state.value() }
      })
      .sinkTo(discard()),
  'the timestamp assigner of a source': (env, bomb, world) =>
    env
      .fromSource(
        ticks(world, 1, 1),
        WatermarkStrategy.forMonotonousTimestamps<number>({ timestampAssigner: () => bomb() }),
        'ticks',
      )
      .sinkTo(discard()),
  assignTimestampsAndWatermarks: (env, bomb) =>
    env
      .fromData([1])
      .assignTimestampsAndWatermarks(WatermarkStrategy.noWatermarks({ timestampAssigner: () => bomb() }))
      .sinkTo(discard()),
  'onEvent of a watermark generator': (env, bomb) =>
    env
      .fromSource(
        brokenSource({}),
        WatermarkStrategy.forGenerator(() => ({ onEvent: () => bomb(), onPeriodicEmit() {} })),
        'source',
      )
      .sinkTo(discard()),
  'onPeriodicEmit of a watermark generator': (env, bomb, world) =>
    env
      .fromSource(
        ticks(world, 2, 1000),
        WatermarkStrategy.forGenerator<number>(() => ({ onEvent() {}, onPeriodicEmit: () => bomb() })),
        'source',
      )
      .sinkTo(discard()),
  'onPeriodicEmit in the middle of a stream': (env, bomb, world) =>
    env
      .fromSource(ticks(world, 2, 1000), WatermarkStrategy.noWatermarks(), 'source')
      .assignTimestampsAndWatermarks(
        WatermarkStrategy.forGenerator(() => ({ onEvent() {}, onPeriodicEmit: () => bomb() })),
      )
      .sinkTo(discard()),
  'a partitioner': (env, bomb) =>
    env
      .fromData([1])
      .partitionCustom(() => bomb())
      .map((value) => value)
      .sinkTo(discard()),
  'createWriter of a sink': (env, bomb) => env.fromData([1]).sinkTo({ createWriter: () => bomb() }),
  'createWriter of a sink, later': (env, bomb, world) =>
    env.fromData([1]).sinkTo({ createWriter: () => later(bomb, world) }),
  write: (env, bomb) => env.fromData([1]).sinkTo(sinkThat({ write: bomb })),
  'write, later': (env, bomb, world) => env.fromData([1]).sinkTo(sinkThat({ write: () => later(bomb, world) })),
  flush: (env, bomb) => env.fromData([1]).sinkTo(sinkThat({ flush: bomb })),
  'flush, later': (env, bomb, world) => env.fromData([1]).sinkTo(sinkThat({ flush: () => later(bomb, world) })),
  'flush at a checkpoint': (env, bomb, world) =>
    env
      .fromSource(ticks(world, 5, 40), WatermarkStrategy.noWatermarks(), 'ticks')
      .sinkTo(new Ledger({ flush: (endOfInput) => (endOfInput ? undefined : bomb()) })),
  'flush at a checkpoint, later': (env, bomb, world) =>
    env
      .fromSource(ticks(world, 5, 40), WatermarkStrategy.noWatermarks(), 'ticks')
      .sinkTo(new Ledger({ flush: (endOfInput) => (endOfInput ? undefined : later(bomb, world)) })),
  prepareCommit: (env, bomb) => env.fromData([1]).sinkTo(new Ledger<unknown>({ prepare: bomb })),
  'prepareCommit, later': (env, bomb, world) =>
    env.fromData([1]).sinkTo(new Ledger<unknown>({ prepare: () => later(bomb, world) })),
  makeDurable: (env, bomb) => env.fromData([1]).sinkTo(new Ledger<unknown>({ makeDurable: bomb })),
  'makeDurable, later': (env, bomb, world) =>
    env.fromData([1]).sinkTo(new Ledger<unknown>({ makeDurable: () => later(bomb, world) })),
  commit: (env, bomb) => env.fromData([1]).sinkTo(new Ledger<unknown>({ commit: bomb })),
  'commit, later': (env, bomb, world) =>
    env.fromData([1]).sinkTo(new Ledger<unknown>({ commit: () => later(bomb, world) })),
  'failed(reason) of a commit request': (env, bomb) =>
    env.fromData([1]).sinkTo(
      new Ledger<unknown>({
        commit: ([request]) => {
          try {
            bomb()
          } catch (reason) {
            request?.failed(reason)
          }
        },
      }),
    ),
  'close of a sink': (env, bomb) => env.fromData([1]).sinkTo(sinkThat({ close: bomb })),
  createReader: (env, bomb) =>
    env.fromSource(brokenSource({ createReader: bomb }), WatermarkStrategy.noWatermarks(), 's').sinkTo(discard()),
  'start of a reader': (env, bomb) =>
    env.fromSource(brokenSource({ start: bomb }), WatermarkStrategy.noWatermarks(), 's').sinkTo(discard()),
  pollNext: (env, bomb) =>
    env.fromSource(brokenSource({ pollNext: bomb }), WatermarkStrategy.noWatermarks(), 's').sinkTo(discard()),
  isAvailable: (env, bomb) =>
    env.fromSource(brokenSource({ isAvailable: bomb }), WatermarkStrategy.noWatermarks(), 's').sinkTo(discard()),
  'isAvailable, later': (env, bomb) =>
    env.fromSource(brokenSource({ reject: bomb }), WatermarkStrategy.noWatermarks(), 's').sinkTo(discard()),
  'snapshotState of a reader': (env, bomb) =>
    env.fromSource(brokenSource({ snapshotState: bomb }), WatermarkStrategy.noWatermarks(), 's').sinkTo(discard()),
  'notifyCheckpointComplete of a reader': (env, bomb) =>
    env.fromSource(brokenSource({ notify: bomb }), WatermarkStrategy.noWatermarks(), 's').sinkTo(discard()),
  'read of a source': (env, bomb) =>
    env
      .fromSource(
        defineSource({
          boundedness: 'bounded',
          splits: () => ['a'],
          async *read() {
            yield { value: 1, position: 1 }
            bomb()
          },
        }),
        WatermarkStrategy.noWatermarks(),
        's',
      )
      .sinkTo(discard()),
  ...Object.fromEntries(
    (
      [
        ...beforeTasks,
        'handleSplitRequest',
        'addReader',
        'snapshotState',
        'notify',
        'periodic',
        'splitSerializer',
      ] as const
    ).map((place): [string, Place] => [
      `an enumerator: ${place}`,
      (env, bomb) =>
        env.fromSource(brokenEnumerator(place, bomb), WatermarkStrategy.noWatermarks(), 's').sinkTo(discard()),
    ]),
  ),
}

/** No function of a task, so that the failure comes wrapped or before there is a task to restart. */
const isBeforeTasks = (name: string) => beforeTasks.some((place) => name === `an enumerator: ${place}`)
const declinesOnly = ['an enumerator: snapshotState']

describeJobs('A throw', (newWorld) => {
  describe.each(Object.keys(places))('in %s', (name) => {
    it('is put to the restart strategy, and fails the job in the end with the very object', async () => {
      const world = newWorld({ roundMs: 1 })
      const env = world.env()
      const thrown = { from: name }
      env.enableCheckpointing(25).setRestartStrategy(RestartStrategies.fixedDelayRestart(3, 10_000))
      ;(places[name] as Place)(
        env,
        () => {
          throw thrown
        },
        world,
      )
      if (declinesOnly.includes(name)) return expectDeclined(world, env)
      const failure = await world.failure(env.execute('doomed'))
      expect(failure.code).toBe('JOB_FAILED')
      expect(failure.cause).toBe(thrown)
      const asked = world.ofType('restart.scheduled').map(({ error }) => error)
      if (!isBeforeTasks(name)) expect(asked).toEqual([thrown, thrown, thrown])
      for (const error of asked) expect(error).toBe(thrown)
      expect(world.handles[0]?.status()).toBe('FAILED')
      await world.settle()
      expect(world.timersLeft()).toBe(0)
    })
  })

  const values: Readonly<Record<string, unknown>> = {
    'a string': 'no error at all',
    undefined: undefined,
    null: null,
    'a number': Number.NaN,
    'a symbol': Symbol('thrown'),
    'a promise': Promise.resolve('thrown'),
    'an error without a message': new Error(),
    'a frozen object': Object.freeze({ frozen: true }),
    'an object that is no text': Object.create(null),
    'an object whose toString throws': {
      toString() {
        throw new Error('unspeakable')
      },
    },
    'an error whose message throws': Object.defineProperty(new Error('text'), 'message', {
      get() {
        throw new Error('unspeakable')
      },
    }),
  }
  it.each(Object.keys(values))('of %s is the cause, as it was thrown', async (name) => {
    const world = newWorld()
    const env = world.env()
    const thrown = values[name]
    env
      .fromData([1])
      .map((): number => {
        throw thrown
      })
      .sinkTo(discard())
    const failure = await world.failure(env.execute('doomed'))
    expect(failure.code).toBe('JOB_FAILED')
    expect('cause' in failure).toBe(true)
    expect(failure.cause).toBe(thrown)
  })

  it('into a process function through its collector is not taken for its own', async () => {
    const world = newWorld()
    const env = world.env()
    env
      .fromData([1])
      .process<number>(() => ({ processElement: (value, _, out) => out.collect(value) }))
      .name('innocent')
      .map((): number => {
        throw new RangeError('guilty')
      })
      .name('guilty')
      .sinkTo(discard())
    const failure = await world.failure(env.execute('doomed'))
    expect(failure.cause).toBeInstanceOf(RangeError)
    const reported = world.steps.find(({ id, fact }) => id.endsWith('/task') && fact.type === 'task.failed')
    expect(reported?.fact).toMatchObject({ cause: { code: 'USER_FUNCTION_FAILED', message: 'guilty' } })
  })
})

async function expectDeclined(world: World, env: StreamExecutionEnvironment): Promise<void> {
  env.getCheckpointConfig().setTolerableCheckpointFailureNumber(1_000)
  const client = await world.until(env.executeAsync('declining'))
  await world.when(() => world.ofType('checkpoint.aborted').length >= 3)
  expect(client.jobId).toBe(world.handles[0]?.jobId)
  expect(world.ofType('restart.scheduled')).toEqual([])
  await world.until(client.cancel())
}

/** Fails whenever it is told to. */
function failingEvery(env: StreamExecutionEnvironment, world: World, when: (attempt: number) => boolean) {
  env
    .fromSource(ticks(world, 5, 100), WatermarkStrategy.noWatermarks(), 'ticks')
    .process<number>((context) => ({
      processElement(value, _, out) {
        if (when(context.attemptNumber)) throw new RangeError(`attempt ${context.attemptNumber}`)
        out.collect(value)
      },
    }))
    .sinkTo(discard())
}

describeJobs('A restart', (newWorld) => {
  const runningAt = (world: World) =>
    world.ofType('job.status').flatMap(({ status, atMs }) => (status === 'RUNNING' ? [atMs] : []))
  const restartsDueAt = (world: World) => world.ofType('restart.scheduled').map(({ atMs, delayMs }) => atMs + delayMs)

  it('does not happen without checkpointing', async () => {
    const world = newWorld()
    const env = world.env()
    failingEvery(env, world, () => true)
    expect((await world.failure(env.execute('x'))).cause).toBeInstanceOf(RangeError)
    expect(world.ofType('restart.scheduled')).toEqual([])
  })

  it('does not happen with noRestart, checkpointing or not', async () => {
    const world = newWorld()
    const env = world.env()
    env.enableCheckpointing(50).setRestartStrategy(RestartStrategies.noRestart())
    failingEvery(env, world, () => true)
    await world.failure(env.execute('x'))
    expect(world.ofType('restart.scheduled')).toEqual([])
  })

  it('comes 1 s after each failure with checkpointing and no strategy, without end', async () => {
    const world = newWorld()
    const env = world.env()
    env.enableCheckpointing(50)
    failingEvery(env, world, (attempt) => attempt < 30)
    await world.until(env.execute('x'))
    expect(world.ofType('restart.scheduled')).toHaveLength(30)
    expect(runningAt(world).slice(1)).toEqual(restartsDueAt(world))
  })

  it('with fixedDelayRestart(3, 10 s) comes exactly three times, each 10 s after its failure', async () => {
    const world = newWorld()
    const env = world.env()
    env.enableCheckpointing(50).setRestartStrategy(RestartStrategies.fixedDelayRestart(3, '10 s'))
    failingEvery(env, world, () => true)
    const failure = await world.failure(env.execute('x'))
    expect((failure.cause as Error).message).toBe('attempt 3')
    expect(world.ofType('restart.scheduled').map(({ delayMs }) => delayMs)).toEqual([10_000, 10_000, 10_000])
    expect(runningAt(world).slice(1)).toEqual(restartsDueAt(world))
    // FAILING is passed in no time: the only task is gone already.
    expect(world.statuses()).toEqual([...Array(3).fill(['RUNNING', 'RESTARTING']).flat(), 'RUNNING', 'FAILED'])
  })

  it('with failureRateRestart comes as long as the failures are far enough apart', async () => {
    const world = newWorld()
    const env = world.env()
    env.enableCheckpointing(50).setRestartStrategy(RestartStrategies.failureRateRestart(2, '1 s', '1 s'))
    // 1.1 s apart: never more than one inside of a second.
    failingEvery(env, world, (attempt) => attempt < 10)
    await world.until(env.execute('x'))
    const other = newWorld()
    const tight = other.env()
    tight.enableCheckpointing(50).setRestartStrategy(RestartStrategies.failureRateRestart(2, '5 s', '1 s'))
    failingEvery(tight, other, () => true)
    await other.failure(tight.execute('x'))
    expect(other.ofType('restart.scheduled')).toHaveLength(2)
  })

  it('is paid once for two tasks that fail together', async () => {
    const world = newWorld()
    const env = world.env().setParallelism(4)
    env.enableCheckpointing(50).setRestartStrategy(RestartStrategies.fixedDelayRestart(1, 1_000))
    const sink = new Ledger<number>()
    env
      .fromSequence(0, 39)
      .process<number>((context) => ({
        processElement(value, _, out) {
          if (context.attemptNumber === 0) throw new RangeError(`subtask ${context.indexOfThisSubtask}`)
          out.collect(value)
        },
      }))
      .sinkTo(sink)
    await world.until(env.execute('x'))
    expect(world.ofType('restart.scheduled')).toHaveLength(1)
    expect(world.ofType('task.status').filter(({ status }) => status === 'FAILED').length).toBeGreaterThan(1)
    expect(sink.committed.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, index) => index))
  })

  it('that fails itself is asked about like any other failure', async () => {
    const world = newWorld()
    const env = world.env()
    env.enableCheckpointing(50).setRestartStrategy(RestartStrategies.fixedDelayRestart(3, 1_000))
    let enumerators = 0
    const thrown = new Error('no second enumerator')
    const source = brokenSource({})
    env
      .fromSource(
        {
          ...source,
          createEnumerator(context, restored) {
            enumerators++
            if (enumerators === 2 || enumerators === 3) throw thrown
            return source.createEnumerator(context, restored)
          },
        },
        WatermarkStrategy.noWatermarks(),
        'source',
      )
      .process<number>((context) => ({
        processElement() {
          if (context.attemptNumber === 0) throw new RangeError('first')
        },
      }))
      .sinkTo(discard())
    const client = await world.until(env.executeAsync('x'))
    await world.when(() => enumerators === 4 && world.statuses().at(-1) === 'RUNNING')
    expect(world.ofType('restart.scheduled').map(({ error }) => (error as Error).message)).toEqual([
      'first',
      'no second enumerator',
      'no second enumerator',
    ])
    await world.until(client.cancel())
  })

  it('waits for a write that is under way, and what that comes to changes nothing', async () => {
    const world = newWorld()
    const env = world.env()
    env.enableCheckpointing(50).setRestartStrategy(RestartStrategies.fixedDelayRestart(5, 10))
    const late: { resolve(): void; reject(reason: unknown): void }[] = []
    const sink = new Ledger<number>({
      write: (_, { attempt }) => {
        if (attempt > 1) return
        return new Promise<void>((resolve, reject) => void late.push({ resolve, reject }))
      },
    })
    env
      .fromSource(ticks(world, 6, 20), WatermarkStrategy.noWatermarks(), 'ticks')
      .process<number>((context) => ({
        processElement(value, _, out) {
          if (context.attemptNumber < 2 && value === 1) throw new Error('down')
          out.collect(value)
        },
      }))
      .rebalance()
      .sinkTo(sink)
    const client = await world.until(env.executeAsync('x'))
    await world.when(() => world.ofType('restart.scheduled').length === 1)
    await world.advance(1_000)
    expect(world.statuses().at(-1)).toBe('RESTARTING')
    late[0]?.resolve()
    await world.when(() => world.ofType('restart.scheduled').length === 2)
    await world.advance(1_000)
    late[1]?.reject(new Error('of an attempt that is gone'))
    await world.until(client.getJobExecutionResult())
    expect(world.ofType('restart.scheduled')).toHaveLength(2)
    expect(sink.committed).toEqual([0, 1, 2, 3, 4, 5])
  })

  it('never comes where a write never settles: the job fails for good when the time to cancel is over', async () => {
    const world = newWorld()
    const env = world.env()
    env.enableCheckpointing(50).setRestartStrategy(RestartStrategies.fixedDelayRestart(5, 10))
    const sink = new Ledger<number>({ write: () => new Promise<void>(() => {}) })
    env
      .fromSource(ticks(world, 6, 20), WatermarkStrategy.noWatermarks(), 'ticks')
      .process<number>(() => ({
        processElement(value, _, out) {
          if (value === 1) throw new Error('down')
          out.collect(value)
        },
      }))
      .rebalance()
      .sinkTo(sink)
    const failure = await world.failure(env.execute('x'))
    expect(failure).toMatchObject({ code: 'JOB_FAILED', cause: { code: 'TASK_CANCELLATION_TIMED_OUT' } })
  })

  it('waits for a commit that is under way, and commits once more what it may have committed', async () => {
    const world = newWorld()
    const env = world.env()
    env.enableCheckpointing(50).setRestartStrategy(RestartStrategies.fixedDelayRestart(5, 10))
    const log: string[] = []
    let commits = 0
    const sink = new Ledger<number>({
      open: ({ attempt }) => void log.push(`open ${attempt}`),
      commit: async () => {
        const commit = commits++
        log.push(`commit ${commit}`)
        if (commit === 0) await world.sleep(5_000)
        log.push(`committed ${commit}`)
      },
    })
    env
      .fromSource(ticks(world, 20, 10), WatermarkStrategy.noWatermarks(), 'ticks')
      .process<number>((context) => ({
        processElement(value, _, out) {
          if (context.attemptNumber === 0 && value === 12) throw new Error('down')
          out.collect(value)
        },
      }))
      .sinkTo(sink)
    await world.until(env.execute('x'))
    // Of two checkpoints that were complete: both are committed before the new writer is made.
    expect(log.slice(0, 8)).toEqual([
      ...['open 0', 'commit 0', 'committed 0'],
      ...['commit 1', 'committed 1', 'commit 2', 'committed 2', 'open 1'],
    ])
    expect(sink.committed).toEqual(Array.from({ length: 20 }, (_, index) => index))
  })
})
