/** Records in flight that cannot be stored, are too many, are not wanted, or have no place in the program any more. */
import { expect, it } from 'vitest'
import { type Configuration, type ExecuteOptions, RestartStrategies, WatermarkStrategy } from '../../src/index.ts'
import { describeJobs, type World } from './harness.ts'
import { byNumber, Ledger, range, ticks } from './parts.ts'

const COUNT = 120
const SLOW_MS = 10

class Price {
  readonly value: number
  constructor(value: number) {
    this.value = value
  }
}

interface Options {
  readonly configuration?: Configuration
  readonly record?: (value: number) => unknown
  readonly parallelism?: number
  /** How records come to the slow sink. */
  readonly edge?: 'rebalance' | 'custom'
}

/** Records wait before a slow sink whenever a checkpoint is taken. */
function slow(world: World, sink: Ledger<unknown>, { configuration = {}, parallelism = 1, ...options }: Options = {}) {
  const env = world.env()
  env
    .enableCheckpointing(200)
    .setRestartStrategy(RestartStrategies.fixedDelayRestart(1, 5))
    .configure({
      'execution.checkpointing.unaligned.enabled': true,
      'execution.checkpointing.dir': '/checkpoints',
      'execution.checkpointing.externalized-checkpoint-retention': 'RETAIN_ON_CANCELLATION',
      'execution.channel-credit': 64,
      ...configuration,
    })
  const { record = (value: number) => value, edge = 'rebalance' } = options
  const records = env
    .fromSource(ticks(world, COUNT, 1), WatermarkStrategy.noWatermarks(), 'ticks')
    .uid('ticks')
    .map(record)
    .uid('records')
  const dealt =
    edge === 'rebalance'
      ? records.rebalance()
      : records.partitionCustom(
          (value, partitions) => (value as number) % partitions,
          (value) => value as number,
        )
  const plain = dealt
    .map((value) => (value instanceof Price ? value.value : value))
    .uid('slow')
    .name('slow')
  plain.setParallelism(parallelism).sinkTo(sink).uid('sink').setParallelism(parallelism)
  return env
}

const waiting = (world: World) =>
  new Ledger<unknown>({
    write: () => world.sleep(SLOW_MS),
  })

/** Runs until a checkpoint has records in flight, and is gone. */
async function crashed(world: World, options: Options = {}): Promise<{ readonly path: string; readonly id: number }> {
  const client = await world.until(slow(world, waiting(world), options).executeAsync('slow'))
  const holding = () => world.ofType('checkpoint.completed').find(({ persistedBytes }) => persistedBytes > 0)
  await world.when(() => holding() !== undefined)
  await world.until(client.cancel())
  const { path, checkpointId } = world.ofType('checkpoint.completed').at(-1) as { path: string; checkpointId: number }
  return { path, id: checkpointId }
}

const from = (path: string): ExecuteOptions => ({ fromSavepoint: path })

describeJobs('Records in flight', (newWorld) => {
  it('that are more than the limit decline the checkpoint, which does not count, and the job goes on', async () => {
    const world = newWorld()
    const sink = waiting(world)
    const env = slow(world, sink, {
      record: (value) => ({ value, text: 'x'.repeat(100) }),
      configuration: { 'execution.checkpointing.unaligned.max-in-flight-size': '1 kb' },
    })
    await world.until(env.execute('slow'))
    expect(sink.committed).toHaveLength(COUNT)
    const closing = 'CHECKPOINT_DECLINED_TASK_CLOSING'
    const declined = world.ofType('checkpoint.aborted').filter(({ reason }) => reason !== closing)
    expect(declined.length).toBeGreaterThan(1)
    for (const { reason, message } of declined) {
      expect(reason).toBe('CHECKPOINT_DECLINED_ALIGNMENT_LIMIT_EXCEEDED')
      expect(message).toContain('would hold more than 1024 bytes of records in flight to slow')
    }
    expect(world.statuses()).not.toContain('RESTARTING')
  })

  it('that the serializer of their stream refuses end the job, with the names of both ends', async () => {
    const world = newWorld()
    const sink = waiting(world)
    const env = slow(world, sink, { record: (value) => new Price(value) })
    const error = await world.failure(env.execute('slow'))
    expect(error.cause).toMatchObject({
      code: 'NOT_SERIALIZABLE',
      message: expect.stringContaining('A record in flight from "Map" to "slow"'),
      hint: expect.stringContaining('withSerializer'),
    })
  })

  it('come back exactly once, at any parallelism', async () => {
    for (const parallelism of [1, 2, 3]) {
      const world = newWorld()
      const { path } = await crashed(world, { parallelism: 2 })
      const sink = new Ledger<unknown>()
      await world.until(slow(world, sink, { parallelism }).execute('again', from(path)))
      // The first run had written the others.
      const written = (sink.written as number[]).toSorted(byNumber)
      expect(written).toEqual(range(COUNT - written.length, COUNT - 1))
      expect(written.length).toBeGreaterThan(64)
    }
  })

  it('are dropped where that is asked for by the id of their checkpoint, and only there', async () => {
    for (const drops of [true, false]) {
      const world = newWorld()
      const { path, id } = await crashed(world)
      const sink = new Ledger<unknown>()
      const configuration = {
        'execution.checkpointing.recover-without-channel-state.checkpoint-id': drops ? id : id + 1,
      }
      await world.until(slow(world, sink, { configuration }).execute('again', from(path)))
      if (drops) expect(sink.written.length).toBeLessThan(COUNT - 64)
      else expect(sink.written.length).toBeGreaterThan(64)
    }
  })

  it('to a custom partitioner are restored at the same parallelism, and refused at another before anything runs', async () => {
    const world = newWorld()
    const { path } = await crashed(world, { edge: 'custom', parallelism: 2 })
    const sink = new Ledger<unknown>()
    const error = await world.failure(slow(world, sink, { edge: 'custom', parallelism: 3 }).execute('more', from(path)))
    expect([error.code, error.message]).toEqual(['UNSUPPORTED', expect.stringContaining('slow')])
    expect(sink.written).toEqual([])
    await world.until(slow(world, sink, { edge: 'custom', parallelism: 2 }).execute('same', from(path)))
    expect(sink.written).toContain(COUNT - 1)
  })

  it('are processed before the task is RUNNING, and no checkpoint is taken meanwhile', async () => {
    const world = newWorld()
    const { path } = await crashed(world)
    const seen = world.events.length
    const sink = waiting(world)
    await world.until(slow(world, sink).execute('again', from(path)))
    const events = world.events.slice(seen)
    const running = events.findIndex(
      (event) => event.type === 'task.status' && event.vertex.includes('slow') && event.status === 'RUNNING',
    )
    expect(events.slice(0, running).filter(({ type }) => type === 'checkpoint.triggered')).toEqual([])
    expect(events.slice(running).filter(({ type }) => type === 'checkpoint.completed').length).toBeGreaterThan(0)
  })
})
