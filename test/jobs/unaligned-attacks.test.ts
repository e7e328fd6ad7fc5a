/** What is done to a job while records overtaken by a checkpoint are captured, stored or restored: never does one get lost or doubled. */
import { expect, it } from 'vitest'
import { type Configuration, type ExecuteOptions, type JobClient, WatermarkStrategy } from '../../src/index.ts'
import type { ChartStep } from '../../src/runtime/control/host-chart.ts'
import { gate, strays } from './checkpoint-parts.ts'
import { describeJobs, type World } from './harness.ts'
import { byNumber, Ledger, punctuated, range, ticks, timedSource } from './parts.ts'
import { holding, numberedOf, overtaking, pressed } from './unaligned-parts.ts'

const COUNT = 60
const SLOW_MS = 4
const slowly = (world: World) => world.sleep(SLOW_MS)

const isCapturing = ({ id, value }: ChartStep) => id.endsWith('/alignment') && value === 'capturing'
const isRecovering = ({ id, value }: ChartStep) =>
  id.endsWith('/task') && (value as { readonly initializing?: string }).initializing === 'recovering'

describeJobs('Records in flight', (newWorld, link) => {
  /** At once over one link, and over the other when aligning has taken too long. */
  const alignedTimeoutMs = link === 'direct' ? 0 : 6
  const overtakes = (world: World, more: Configuration = {}) =>
    overtaking(world, { 'execution.checkpointing.aligned-checkpoint-timeout': alignedTimeoutMs, ...more })

  it.each(['failure', 'cancel', 'suspend'] as const)('are exact whatever captures them at a %s', async (what) => {
    for (const nth of [1, 2]) {
      let seen = 0
      let down = false
      let client: JobClient | undefined
      const world: World = newWorld({
        tap: {
          stepped(step) {
            // One is there to go back to.
            if (!isCapturing(step) || holding(world).length === 0 || ++seen !== nth) return
            queueMicrotask(() => {
              if (what === 'failure') down = true
              else void client?.[what]()
            })
          },
        },
      })
      const sink = new Ledger<string>({
        write: () => {
          if (down) {
            down = false
            throw new Error('down')
          }
          return slowly(world)
        },
      })
      const run = async (resume?: 'latest') => {
        const env = overtakes(world)
        pressed(env, world, sink, { count: COUNT })
        client = await world.until(env.executeAsync('x', { resume }))
        await world.until(client.getJobExecutionResult().catch(() => {}))
      }
      await run()
      expect(seen).toBeGreaterThanOrEqual(nth)
      if (what !== 'failure') {
        expect(world.statuses().at(-1)).toBe(what === 'cancel' ? 'CANCELED' : 'SUSPENDED')
        await world.advance(20)
        expect(strays(world)).toEqual([])
        await run('latest')
      } else expect(world.statuses()).toContain('RESTARTING')
      expect(holding(world).length).toBeGreaterThan(0)
      expect(sink.committed.toSorted()).toEqual(numberedOf(COUNT))
      expect(strays(world)).toEqual([])
    }
  })

  it('come back the same when the task fails while it processes them, again and again', async () => {
    const world = newWorld()
    const attempts: string[][] = []
    /** After so many records of the attempt. */
    const ends = [9, 3, 6, Number.POSITIVE_INFINITY]
    const sink = new Ledger<string>({
      open: () => void attempts.push([]),
      write: async (value) => {
        const attempt = attempts.at(-1) as string[]
        attempt.push(value)
        await slowly(world)
        if (holding(world).length > 0 && attempt.length >= (ends[attempts.length - 1] as number))
          throw new Error('down')
      },
    })
    const env = overtakes(world)
    pressed(env, world, sink, { count: COUNT, parallelism: 1 })
    await world.until(env.execute('x'))
    expect(world.steps.filter(isRecovering).length).toBeGreaterThan(4)
    expect(attempts).toHaveLength(4)
    const [, first, second, third] = attempts as [string[], string[], string[], string[]]
    expect([first.length, second.slice(0, 3)]).toEqual([3, first])
    expect(third.slice(0, 6)).toEqual(second)
    expect(sink.committed.toSorted()).toEqual(numberedOf(COUNT))
  })

  it.each(['cancel', 'suspend'] as const)(
    'that are being processed again are still in the checkpoint after a %s',
    async (what) => {
      const world = newWorld()
      const sink = new Ledger<string>({ write: () => slowly(world) })
      const start = (resume?: 'latest') => {
        const env = overtakes(world)
        pressed(env, world, sink, { count: COUNT })
        return world.until(env.executeAsync('x', { resume }))
      }
      let client = await start()
      await world.when(() => holding(world).length > 1)
      await world.until(client[what]())
      for (let times = 0; times < 2; times++) {
        client = await start('latest')
        const written = sink.written.length
        await world.when(() => sink.written.length > written)
        expect(world.ofType('task.status').findLast(({ vertex }) => vertex.includes('slow'))?.status).toBe(
          'INITIALIZING',
        )
        await world.until(client[what]())
      }
      await world.until((await start('latest')).getJobExecutionResult())
      expect(sink.committed.toSorted()).toEqual(numberedOf(COUNT))
      expect(strays(world)).toEqual([])
    },
  )

  it('are processed again although more comes of them than the channels take, and the receiver processes its own first', async () => {
    const world = newWorld()
    let fails = true
    const sink = new Ledger<number>({
      write: async () => {
        await slowly(world)
        if (!fails || holding(world).length === 0) return
        fails = false
        throw new Error('down')
      },
    })
    const env = overtakes(world, { 'execution.channel-credit': 4 })
    env
      .fromSource(ticks(world, 40, 1), WatermarkStrategy.noWatermarks(), 'ticks')
      .rebalance()
      .flatMap((value) => range(5 * value, 5 * value + 4))
      .name('more')
      .rebalance()
      .sinkTo(sink)
      .name('slow')
    await world.until(env.execute('x'))
    expect(fails).toBe(false)
    // The receiver first, however it came to that.
    const order = world.ofType('task.status').filter(({ attempt, status }) => attempt > 1 && status === 'RUNNING')
    const places = ['slow', 'more'].map((name) => order.findIndex(({ vertex }) => vertex.includes(name)))
    expect(places).toEqual(places.toSorted(byNumber))
    // In their order: none was overtaken by what came after them.
    expect(sink.committed).toEqual(range(0, 199))
  })

  it('set timers of both clocks, which fire once, however due they are while records are processed again', async () => {
    const records = range(0, 39).map((value) => ({ afterMs: 2 * value, value, timestamp: value }))
    for (const parallelism of [1, 2]) {
      const world = newWorld()
      let failures = 3
      const sink = new Ledger<string>({
        write: async () => {
          await slowly(world)
          if (failures === 0 || holding(world).length < 4 - failures) return
          failures--
          throw new Error('down')
        },
      })
      const env = overtakes(world)
      env
        .fromSource(timedSource(world, { all: records }, 2_000), punctuated<number>(), 'ticks')
        .setParallelism(1)
        .keyBy((value) => value)
        .process<string>(() => ({
          processElement(value, at, out) {
            const timers = at.timerService()
            timers.registerProcessingTimeTimer(world.clock.now() + 6)
            timers.registerEventTimeTimer(value + 3)
            out.collect(`${value}`)
          },
          onTimer: (_, at, out) => out.collect(`${at.getCurrentKey()} ${at.timeDomain()}`),
        }))
        .setParallelism(parallelism)
        .rebalance()
        .sinkTo(sink)
        .setParallelism(parallelism)
      await world.until(env.execute('x'))
      expect(failures).toBe(0)
      const lines = range(0, 39).flatMap((value) => [`${value}`, `${value} event-time`, `${value} processing-time`])
      expect(sink.committed.toSorted()).toEqual(lines.toSorted())
    }
  })

  it.each([true, false])(
    'are nowhere in the savepoint that stops the job right behind them, drained: %s',
    async (drain) => {
      const world = newWorld()
      const sink = new Ledger<string>({ write: () => slowly(world) })
      const start = (fromSavepoint?: string) => {
        const env = overtakes(world)
        pressed(env, world, sink, { count: 2 * COUNT })
        return world.until(env.executeAsync('x', fromSavepoint === undefined ? {} : { fromSavepoint }))
      }
      const client = await start()
      await world.when(() => holding(world).length > 1)
      const path = await world.until(client.stopWithSavepoint({ drain, targetDirectory: '/savepoints' }))
      await world.until(client.getJobExecutionResult())
      expect(world.ofType('checkpoint.completed').at(-1)).toMatchObject({ unaligned: false, persistedBytes: 0 })
      expect(strays(world)).toEqual([])
      const stopped = sink.committed.length
      expect(stopped).toBeLessThan(2 * COUNT)
      if (drain) return
      await world.until((await start(path)).getJobExecutionResult())
      expect(sink.committed.toSorted()).toEqual(numberedOf(2 * COUNT))
    },
  )

  it('are not in a savepoint either that is asked for while a checkpoint still stores them', async () => {
    const world = newWorld()
    const sink = new Ledger<string>({ write: () => slowly(world) })
    const env = overtakes(world)
    pressed(env, world, sink, { count: COUNT })
    const client = await world.until(env.executeAsync('x'))
    await world.when(() => holding(world).length > 0)
    const hung = gate()
    let holds = 0
    world.files.interfere = ({ type, path }) =>
      type === 'sync' && path.includes('-channels-') && holds++ >= 0 ? { type: 'hold', until: hung.opened } : undefined
    await world.when(() => holds > 0)
    const pending = world.ofType('checkpoint.triggered').at(-1)?.checkpointId as number
    const savepoint = client.triggerSavepoint('/savepoints')
    await world.advance(10)
    hung.open()
    const path = await world.until(savepoint)
    const ids = world.ofType('checkpoint.completed').map(({ checkpointId }) => checkpointId)
    expect(ids).toContain(pending)
    const own = world.ofType('checkpoint.completed').find((event) => event.path === path)
    // Behind it: its barriers would have the other one given up.
    const place = (type: string, id = -1) =>
      world.events.findIndex((event) => event.type === type && 'checkpointId' in event && event.checkpointId === id)
    expect(place('checkpoint.triggered', own?.checkpointId)).toBeGreaterThan(place('checkpoint.completed', pending))
    expect(own).toMatchObject({ unaligned: false, persistedBytes: 0 })
    await world.until(client.getJobExecutionResult())
    expect(sink.committed.toSorted()).toEqual(numberedOf(COUNT))
    expect(strays(world)).toEqual([])
  })

  it('are restored by a program that takes aligned checkpoints, or none', async () => {
    const later: readonly Configuration[] = [
      { 'execution.checkpointing.unaligned.enabled': false },
      { 'execution.checkpointing.unaligned.enabled': false, 'execution.checkpointing.interval': '10 min' },
    ]
    for (const more of later) {
      const world = newWorld()
      const sink = new Ledger<string>({ write: () => slowly(world) })
      const first = overtakes(world)
      pressed(first, world, sink, { count: COUNT })
      const client = await world.until(first.executeAsync('x'))
      await world.when(() => holding(world).length > 1)
      await world.until(client.suspend())
      const second = overtakes(world, more)
      pressed(second, world, sink, { count: COUNT })
      await world.until(second.execute('x', { resume: 'latest' }))
      expect(sink.committed.toSorted()).toEqual(numberedOf(COUNT))
      expect(strays(world)).toEqual([])
    }
  })

  it('that are being processed again put off a stop with savepoint, which says so, and is possible behind them', async () => {
    const world = newWorld()
    const sink = new Ledger<string>({ write: () => slowly(world) })
    const start = (options: ExecuteOptions) => {
      const env = overtakes(world)
      pressed(env, world, sink, { count: 2 * COUNT })
      return world.until(env.executeAsync('x', options))
    }
    const first = await start({})
    await world.when(() => holding(world).length > 0)
    await world.until(first.suspend())
    const second = await start({ resume: 'latest' })
    const written = sink.written.length
    await world.when(() => sink.written.length > written)
    const stopping = { drain: false, targetDirectory: '/savepoints' }
    expect(await world.failure(second.stopWithSavepoint(stopping))).toMatchObject({
      code: 'CHECKPOINT_FAILED',
    })
    const held = holding(world).length
    await world.when(() => holding(world).length > held)
    const fromSavepoint = await world.until(second.stopWithSavepoint(stopping))
    await world.until(second.getJobExecutionResult())
    await world.until((await start({ fromSavepoint })).getJobExecutionResult())
    expect(sink.committed.toSorted()).toEqual(numberedOf(2 * COUNT))
  })
})
