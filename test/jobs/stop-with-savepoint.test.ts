/** Jobs that end with a savepoint: stopped with and without drain, cancelled, and what happens where that fails. */
import { expect, it } from 'vitest'
import { defineSource, FileSink, RestartStrategies, WatermarkStrategy } from '../../src/index.ts'
import { describeJobs, type World } from './harness.ts'
import { Ledger, type LedgerHooks, range, ticks } from './parts.ts'
import { type SumsOptions, sums, sumsOf } from './savepoint-parts.ts'

interface Options extends SumsOptions {
  readonly intervalMs?: number | undefined
  readonly resume?: 'latest' | undefined
  readonly fromSavepoint?: string | undefined
}

function environment(world: World, { intervalMs = 100 }: Options) {
  const env = world.env().setRestartStrategy(RestartStrategies.fixedDelayRestart(3, 10))
  env.enableCheckpointing(intervalMs).getCheckpointConfig().setCheckpointStorage('/checkpoints')
  return env
}

async function started(world: World, sink: Ledger<string>, options: Options = {}) {
  const env = environment(world, options)
  sums(env, world, sink, options)
  const { resume, fromSavepoint } = options
  return world.until(env.executeAsync('sums', { resume, fromSavepoint }))
}

/** Goes on with the job to its end. */
const finished = async (world: World, sink: Ledger<string>, options: Options) =>
  world.until((await started(world, sink, options)).getJobExecutionResult())

/** Runs the suite's job until 255 ms: some windows are out, one is open. */
async function running(world: World, hooks: LedgerHooks<string> = {}, options: Options = {}) {
  const sink = new Ledger<string>(hooks)
  const client = await started(world, sink, options)
  await world.advance(255)
  return { sink, client }
}

const completed = (world: World) => world.ofType('checkpoint.completed')
const kinds = (world: World) => completed(world).map(({ kind }) => kind)

describeJobs('A job that is stopped with a savepoint', (newWorld) => {
  it.each([1, 2, 3])(
    'goes on from there exactly, at parallelism %i: no timer fired early, everything before is committed',
    async (parallelism) => {
      const world = newWorld()
      const { sink, client } = await running(world)
      const path = await world.until(client.stopWithSavepoint({ drain: false, targetDirectory: '/savepoints' }))
      expect(await client.getJobStatus()).toBe('FINISHED')
      expect(world.statuses().at(-1)).toBe('FINISHED')
      expect(completed(world).at(-1)).toMatchObject({ kind: 'synchronousSavepoint', path })
      expect(sink.committed.toSorted()).toEqual(sumsOf(20))
      expect(sink.log.filter((line) => line.includes('at the end'))).toEqual([])
      await finished(world, sink, { fromSavepoint: path, parallelism })
      expect(sink.committed.toSorted()).toEqual(sumsOf(60))
    },
  )

  it('is resumed from that savepoint, whatever checkpoints there were', async () => {
    const world = newWorld()
    const { sink, client } = await running(world)
    await world.until(client.stopWithSavepoint({ drain: false, targetDirectory: '/savepoints' }))
    const again = await started(world, sink, { resume: 'latest' })
    expect(again.jobId).toBe(client.jobId)
    await world.until(again.getJobExecutionResult())
    expect(sink.committed.toSorted()).toEqual(sumsOf(60))
  })

  it.each([true, false])(
    'emits nothing behind the savepoint, however long that takes: time stands still as well (assigned behind the source: %s)',
    async (assignLater) => {
      const world = newWorld()
      let slow = false
      // The next watermark, due at 400 ms, would let a window out.
      const options = { strategy: WatermarkStrategy.forMonotonousTimestamps<number>(), assignLater }
      const { sink, client } = await running(
        world,
        { makeDurable: () => (slow ? world.sleep(2_000) : undefined) },
        options,
      )
      await world.advance(70)
      slow = true
      await world.until(client.stopWithSavepoint({ drain: false, targetDirectory: '/savepoints' }))
      slow = false
      expect(sink.written.toSorted()).toEqual(sumsOf(10))
      expect(sink.committed.toSorted()).toEqual(sumsOf(10))
      await finished(world, sink, { resume: 'latest', ...options })
      expect(sink.committed.toSorted()).toEqual(sumsOf(60))
    },
  )

  it('is not failed by what its source would have read next', async () => {
    const world = newWorld()
    let slow = false
    const sink = new Ledger<number>({ makeDurable: () => (slow ? world.sleep(2_000) : undefined) })
    const env = environment(world, {})
    const source = defineSource<number, number>({
      boundedness: 'bounded',
      splits: () => ['one'],
      start: () => 0,
      async *read(_, position) {
        for (let value = position; value < 10; value++) yield { value, position: value + 1 }
        await world.sleep(500)
        throw new Error('the feed is gone')
      },
    })
    env.fromSource(source, WatermarkStrategy.noWatermarks(), 'feed').sinkTo(sink)
    const client = await world.until(env.executeAsync('feed'))
    await world.advance(255)
    slow = true
    await world.until(client.stopWithSavepoint({ drain: false, targetDirectory: '/savepoints' }))
    expect(await client.getJobStatus()).toBe('FINISHED')
    expect(sink.committed).toEqual(range(0, 9))
  })

  it.each([true, false])('keeps timers of processing time that are not due yet (drain: %s)', async (drain) => {
    const world = newWorld()
    const sink = new Ledger<string>()
    const run = async (options: Options) => {
      const env = environment(world, {})
      env
        .fromSource(ticks(world, 60, 10), WatermarkStrategy.noWatermarks(), 'ticks')
        .keyBy((value) => value % 3)
        .process<string>(() => ({
          processElement(value, ctx) {
            if (value < 3)
              ctx.timerService().registerProcessingTimeTimer(ctx.timerService().currentProcessingTime() + 300)
          },
          onTimer: (_, ctx, out) => out.collect(`late ${ctx.getCurrentKey()}`),
        }))
        .sinkTo(sink)
      return world.until(env.executeAsync('late', options))
    }
    const client = await run({})
    await world.advance(255)
    await world.until(client.stopWithSavepoint({ drain, targetDirectory: '/savepoints' }))
    expect(sink.committed).toEqual([])
    await world.advance(1_000)
    if (drain) return
    await world.until((await run({ resume: 'latest' })).getJobExecutionResult())
    expect(sink.committed.toSorted()).toEqual(['late 0', 'late 1', 'late 2'])
  })

  it('loses nothing where it runs at least once', async () => {
    const world = newWorld()
    const sink = new Ledger<string>()
    const run = async (options: Options) => {
      const env = environment(world, {})
      env.getCheckpointConfig().setCheckpointingMode('AT_LEAST_ONCE')
      sums(env, world, sink, options)
      return world.until(env.executeAsync('sums', options))
    }
    const client = await run({})
    await world.advance(255)
    await world.until(client.stopWithSavepoint({ drain: false, targetDirectory: '/savepoints' }))
    await world.until((await run({ resume: 'latest' })).getJobExecutionResult())
    expect(sink.committed.toSorted()).toEqual(sumsOf(60))
  })

  it('hands out the results that it covers before it is over', async () => {
    const world = newWorld()
    const env = environment(world, { intervalMs: 10_000 })
    const stream = env.fromSource(ticks(world, 60, 10), WatermarkStrategy.noWatermarks(), 'ticks')
    const results = await world.until(stream.executeAndCollect())
    await world.advance(255)
    const seen: number[] = []
    const reading = (async () => {
      for await (const value of results) seen.push(value)
    })()
    await world.until(results.client.stopWithSavepoint({ drain: false, targetDirectory: '/savepoints' }))
    await world.until(reading)
    expect(seen).toEqual(range(0, (world.handles[0]?.metrics().recordsIn ?? 0) - 1))
    expect(seen.length).toBeGreaterThan(20)
  })

  it('drained gives out everything that waits, commits it and is over: there is nothing to go on with', async () => {
    const world = newWorld()
    const { sink, client } = await running(world)
    const path = await world.until(client.stopWithSavepoint({ drain: true, targetDirectory: '/savepoints' }))
    expect(await client.getJobStatus()).toBe('FINISHED')
    const count = world.handles[0]?.metrics().recordsIn ?? 0
    expect(count).toBeGreaterThan(20)
    expect(count).toBeLessThan(30)
    expect(sink.committed.toSorted()).toEqual(sumsOf(count))
    expect(sink.log.filter((line) => line.includes('at the end'))).toHaveLength(1)
    const again = await started(world, sink, { resume: 'latest' })
    expect(await again.getJobStatus()).toBe('FINISHED')
    expect(sink.committed.toSorted()).toEqual(sumsOf(count))
    expect(await world.until(world.ports.files.list(path))).not.toEqual([])
  })

  it.each([true, false])('has all its files under their final names (drain: %s)', async (drain) => {
    const world = newWorld()
    const run = async (options: Options) => {
      const env = environment(world, options)
      sums(env, world, FileSink.forLines('/out'), options)
      return world.until(env.executeAsync('files', options))
    }
    const client = await run({})
    await world.advance(255)
    await world.until(client.stopWithSavepoint({ drain, targetDirectory: '/savepoints' }))
    const lines = async () => {
      const names = (await world.until(world.ports.files.list('/out'))).map(({ name }) => name)
      expect(names.filter((name) => name.startsWith('.'))).toEqual([])
      const texts = names.map(async (name) => new TextDecoder().decode(await world.ports.files.read(`/out/${name}`)))
      return (await world.until(Promise.all(texts))).flatMap((text) => text.trim().split('\n')).toSorted()
    }
    const count = drain ? (world.handles[0]?.metrics().recordsIn ?? 0) : 20
    expect(await lines()).toEqual(sumsOf(count))
    if (drain) return
    await world.until((await run({ resume: 'latest' })).getJobExecutionResult())
    expect(await lines()).toEqual(sumsOf(60))
  })

  it('commits with the savepoint also where checkpointing is off', async () => {
    for (const drain of [true, false]) {
      const world = newWorld()
      const sink = new Ledger<string>()
      const env = world.env()
      sums(env, world, sink)
      const client = await world.until(env.executeAsync('x'))
      await world.advance(255)
      const path = await world.until(client.stopWithSavepoint({ drain, targetDirectory: '/savepoints' }))
      const count = drain ? (world.handles[0]?.metrics().recordsIn ?? 0) : 20
      expect(sink.committed.toSorted()).toEqual(sumsOf(count))
      if (drain) continue
      await finished(world, sink, { fromSavepoint: path })
      expect(sink.committed.toSorted()).toEqual(sumsOf(60))
    }
  })

  it('whose commit fails has FAILED without a restart and names the savepoint; resumed, it commits that', async () => {
    const world = newWorld()
    let down = false
    const { sink, client } = await running(world, {
      commit: () => {
        if (down) throw new Error('the store is down')
      },
    })
    down = true
    const committed = [...sink.committed]
    const failure = await world.failure(client.stopWithSavepoint({ drain: false, targetDirectory: '/savepoints' }))
    const path = completed(world).at(-1)?.path as string
    expect(failure).toMatchObject({ code: 'JOB_FAILED', details: { savepoint: path } })
    expect(failure.message).toContain(path)
    expect(failure.message).toContain('the store is down')
    expect(await world.failure(client.getJobExecutionResult())).toMatchObject({
      code: 'JOB_FAILED',
      message: expect.stringContaining('the store is down'),
      hint: expect.stringContaining(path),
      details: { savepoint: path },
    })
    expect(await client.getJobStatus()).toBe('FAILED')
    expect(world.ofType('restart.scheduled')).toEqual([])
    expect(sink.committed).toEqual(committed)
    down = false
    await finished(world, sink, { resume: 'latest' })
    expect(sink.committed.toSorted()).toEqual(sumsOf(60))
  })

  it('that was drained and whose commit fails commits when it is resumed, and reads no more', async () => {
    const world = newWorld()
    let down = false
    const { sink, client } = await running(world, {
      commit: () => {
        if (down) throw new Error('the store is down')
      },
    })
    down = true
    const stopping = client.stopWithSavepoint({ drain: true, targetDirectory: '/savepoints' })
    expect(await world.failure(stopping)).toMatchObject({ code: 'JOB_FAILED' })
    const count = world.handles[0]?.metrics().recordsIn ?? 0
    // Still down: the next process has as little luck, and leaves as much behind.
    const again = await started(world, sink, { resume: 'latest' })
    expect(await world.failure(again.getJobExecutionResult())).toMatchObject({ code: 'JOB_FAILED' })
    down = false
    for (let times = 0; times < 2; times++) {
      await finished(world, sink, { resume: 'latest' })
      expect(sink.committed.toSorted()).toEqual(sumsOf(count))
    }
  })

  it('commits nothing before its record names the savepoint, and fails for good where the record cannot be written', async () => {
    const world = newWorld()
    const { sink, client } = await running(world)
    const committed = [...sink.committed]
    let asked = false
    world.files.interfere = ({ path, to }) => {
      const isRecord = `${path} ${to ?? ''}`.includes('job.json')
      // The one of the seal alone: the end can be recorded again.
      const isSeal = isRecord && completed(world).every(({ kind }) => kind !== 'synchronousSavepoint') && sealing(world)
      if (isSeal) asked = true
      return isSeal ? { type: 'fail', code: 'EIO' } : undefined
    }
    const failure = await world.failure(client.stopWithSavepoint({ drain: false, targetDirectory: '/savepoints' }))
    expect(asked).toBe(true)
    expect(failure).toMatchObject({ code: 'JOB_FAILED', message: expect.stringContaining('/savepoints/savepoint-') })
    expect(world.ofType('restart.scheduled')).toEqual([])
    expect(sink.committed).toEqual(committed)
    world.files.interfere = undefined
    await finished(world, sink, { resume: 'latest' })
    expect(sink.committed.toSorted()).toEqual(sumsOf(60))
  })

  it('runs on as before where the savepoint is refused before anything has stopped', async () => {
    const world = newWorld()
    const sink = new Ledger<string>()
    const client = await started(world, sink)
    // Not RUNNING yet.
    const early = client.stopWithSavepoint({ drain: true, targetDirectory: '/savepoints' })
    expect(await world.failure(early)).toMatchObject({ code: 'CHECKPOINT_FAILED' })
    await world.until(client.getJobExecutionResult())
    expect(world.ofType('restart.scheduled')).toEqual([])
    expect(kinds(world).length).toBeGreaterThan(4)
    expect(sink.committed.toSorted()).toEqual(sumsOf(60))
  })

  it.each(['full disk', 'expiry', 'refusal'] as const)(
    'goes back to its last checkpoint where the savepoint fails when its sources have stopped: %s',
    async (how) => {
      const world = newWorld()
      let failing = false
      const sink = new Ledger<string>({
        makeDurable: () => (failing && how === 'expiry' ? world.sleep(10_000) : undefined),
        prepare: () => {
          if (failing && how === 'refusal') throw new Error('not now')
        },
      })
      const env = environment(world, {})
      env.getCheckpointConfig().setCheckpointTimeout(300).setTolerableCheckpointFailureNumber(10)
      sums(env, world, sink)
      const client = await world.until(env.executeAsync('sums'))
      await world.advance(255)
      failing = true
      if (how === 'full disk')
        // When it is published: its folder was made and tried before.
        world.files.interfere = ({ to }) =>
          to?.startsWith('/savepoints/savepoint-') ? { type: 'fail', code: 'ENOSPC' } : undefined
      const failure = await world.failure(client.stopWithSavepoint({ drain: true, targetDirectory: '/savepoints' }))
      expect(failure).toMatchObject({ code: 'CHECKPOINT_FAILED' })
      failing = false
      world.files.interfere = undefined
      await world.until(client.getJobExecutionResult())
      expect(world.ofType('restart.scheduled')).toHaveLength(1)
      // Though it was drained in between: of that nothing was committed.
      expect(sink.committed.toSorted()).toEqual(sumsOf(60))
    },
  )

  it('fails over as usual where a task fails while the savepoint is pending, and the request with it', async () => {
    const world = newWorld()
    let broken = false
    const { sink, client } = await running(world, {
      prepare: async () => {
        if (!broken) return
        await world.sleep(50)
        broken = false
        throw new Error('down')
      },
    })
    broken = true
    const failure = await world.failure(client.stopWithSavepoint({ drain: false, targetDirectory: '/savepoints' }))
    expect(failure.code).toBe('CHECKPOINT_FAILED')
    await world.until(client.getJobExecutionResult())
    expect(world.ofType('restart.scheduled')).toHaveLength(1)
    expect(sink.committed.toSorted()).toEqual(sumsOf(60))
  })

  it('is not stopped while it restarts, a second time, or when it is over', async () => {
    const world = newWorld()
    const sink = new Ledger<string>()
    const client = await started(world, sink, {
      at: (value, attempt) => {
        if (value === 10 && attempt === 0) throw new Error('down')
      },
    })
    const stop = () => client.stopWithSavepoint({ drain: false, targetDirectory: '/savepoints' })
    await world.when(() => world.statuses().at(-1) === 'RESTARTING')
    expect(await world.failure(stop())).toMatchObject({
      code: 'CHECKPOINT_FAILED',
      message: expect.stringContaining('does not run'),
    })
    await world.when(() => world.statuses().at(-1) === 'RUNNING')
    await world.advance(100)
    const first = stop()
    const [second, checkpoint, savepoint] = await Promise.all([
      world.failure(stop()),
      world.failure(client.triggerCheckpoint()),
      world.failure(client.triggerSavepoint('/savepoints')),
    ])
    expect(second.message).toContain('already')
    expect([checkpoint.code, savepoint.code]).toEqual(['CHECKPOINT_FAILED', 'CHECKPOINT_FAILED'])
    await world.until(first)
    expect(await world.failure(stop())).toMatchObject({ code: 'CHECKPOINT_FAILED' })
    await finished(world, sink, { resume: 'latest' })
    expect(sink.committed.toSorted()).toEqual(sumsOf(60))
  })

  it('can be suspended and cancelled all the same while it stops', async () => {
    for (const end of ['suspend', 'cancel'] as const) {
      const world = newWorld()
      let slow = false
      const { sink, client } = await running(world, { makeDurable: () => (slow ? world.sleep(500) : undefined) })
      slow = true
      const stopping = client.stopWithSavepoint({ drain: true, targetDirectory: '/savepoints' })
      stopping.catch(() => {})
      await world.advance(100)
      await world.until(client[end]())
      expect((await world.failure(stopping)).code).toBe(end === 'suspend' ? 'JOB_SUSPENDED' : 'JOB_CANCELED')
      if (end === 'cancel') continue
      slow = false
      await finished(world, sink, { resume: 'latest' })
      expect(sink.committed.toSorted()).toEqual(sumsOf(60))
    }
  })

  it.each([
    ['waits for its final checkpoint', 10_000],
    ['is FINISHED', 50],
  ])('goes on exactly where one of two sources had ended before and %s', async (_, intervalMs) => {
    const world = newWorld()
    const sink = new Ledger<string>()
    const run = async (options: Options) => {
      const env = environment(world, { intervalMs })
      const from = (count: number, name: string) =>
        env
          .fromSource(ticks(world, count, 10), WatermarkStrategy.noWatermarks(), name)
          .map((value) => `${name}${value}`)
      from(10, 'short').union(from(60, 'long')).rebalance().sinkTo(sink)
      return world.until(env.executeAsync('two', options))
    }
    const client = await run({})
    await world.advance(255)
    const short = world.ofType('task.status').filter(({ vertex }) => vertex.includes('short'))
    expect(short.at(-1)?.status).toBe(intervalMs === 50 ? 'FINISHED' : 'RUNNING')
    await world.until(client.stopWithSavepoint({ drain: false, targetDirectory: '/savepoints' }))
    expect(sink.committed.length).toBeLessThan(40)
    await world.until((await run({ resume: 'latest' })).getJobExecutionResult())
    const expected = [...range(0, 9).map((value) => `short${value}`), ...range(0, 59).map((value) => `long${value}`)]
    expect(sink.committed.toSorted()).toEqual(expected.toSorted())
  })
})

describeJobs('A job that is cancelled with a savepoint', (newWorld) => {
  it('completes nothing in between, and goes on from there exactly', async () => {
    const world = newWorld()
    // Checkpoints are quick, and might overtake the savepoint, which is slow.
    const savepoints = () => world.ofType('checkpoint.triggered').filter(({ kind }) => kind === 'savepoint')
    const isSlow = (checkpointId: number) => savepoints().some((event) => event.checkpointId === checkpointId)
    const sink = new Ledger<string>({ makeDurable: (id) => (isSlow(id) ? world.sleep(250) : undefined) })
    const env = environment(world, {})
    env.getCheckpointConfig().setMaxConcurrentCheckpoints(2)
    sums(env, world, sink)
    const client = await world.until(env.executeAsync('sums'))
    await world.advance(255)
    const before = completed(world).length
    const path = await world.until(client.cancelWithSavepoint('/savepoints'))
    expect(await client.getJobStatus()).toBe('CANCELED')
    expect(completed(world).slice(before)).toMatchObject([{ kind: 'savepoint', path }])
    const committed = sink.committed.length
    const again = await started(world, sink, { resume: 'latest' })
    expect(again.jobId).toBe(client.jobId)
    await world.until(again.getJobExecutionResult())
    expect(sink.committed.length).toBeGreaterThan(committed)
    expect(sink.committed.toSorted()).toEqual(sumsOf(60))
  })

  it('runs on, checkpoints and all, where the savepoint fails', async () => {
    const world = newWorld()
    const { sink, client } = await running(world)
    world.files.interfere = ({ to }) =>
      to?.startsWith('/savepoints/savepoint-') ? { type: 'fail', code: 'ENOSPC' } : undefined
    expect(await world.failure(client.cancelWithSavepoint('/savepoints'))).toMatchObject({
      code: 'CHECKPOINT_FAILED',
      message: expect.stringContaining('ENOSPC'),
    })
    const before = completed(world).length
    await world.until(client.getJobExecutionResult())
    expect(completed(world).length).toBeGreaterThan(before + 2)
    expect(world.ofType('restart.scheduled')).toEqual([])
    expect(sink.committed.toSorted()).toEqual(sumsOf(60))
  })

  it('says so where its record cannot name the savepoint', async () => {
    const world = newWorld()
    const { sink, client } = await running(world)
    world.files.interfere = ({ path, to }) =>
      `${path} ${to ?? ''}`.includes('job.json') && world.statuses().at(-1) === 'CANCELED'
        ? { type: 'fail', code: 'EIO' }
        : undefined
    const failure = await world.failure(client.cancelWithSavepoint('/savepoints'))
    expect(failure).toMatchObject({ code: 'JOB_CANCELED', message: expect.stringContaining('could not be written') })
    world.files.interfere = undefined
    const { savepoint } = failure.details as { readonly savepoint: string }
    await finished(world, sink, { fromSavepoint: savepoint })
    expect(sink.committed.toSorted()).toEqual(sumsOf(60))
  })
})

const sealing = (world: World) =>
  JSON.stringify(world.steps.findLast(({ machine }) => machine === 'job')?.value).includes('sealing')
