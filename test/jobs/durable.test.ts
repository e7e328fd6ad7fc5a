/** Jobs whose checkpoints lie in a folder, on a simulated disk: suspended, resumed, restarted, and a disk that is slow or refuses. */
import { expect, it } from 'vitest'
import { silentLogger } from '../../src/base/logger.ts'
import {
  DiscardingSink,
  defineSource,
  RestartStrategies,
  type Source,
  type StreamExecutionEnvironment,
  ValueStateDescriptor,
  WatermarkStrategy,
} from '../../src/index.ts'
import { describeJobs, type World } from './harness.ts'
import { Ledger, range, ticks } from './parts.ts'

const START = 1_000_000

function declare(
  env: StreamExecutionEnvironment,
  world: World,
  sink: Ledger<string>,
  failAt?: number,
  parallelism = 2,
) {
  env.enableCheckpointing(100).getCheckpointConfig().setCheckpointStorage('/checkpoints')
  env
    .fromSource(ticks(world, 60, 10), WatermarkStrategy.noWatermarks(), 'ticks')
    .keyBy((value) => value % 3)
    .process<string>((context) => {
      const count = context.getState(new ValueStateDescriptor('count', { default: () => 0 }))
      return {
        processElement(value, at, out) {
          if (value === failAt && context.attemptNumber === 0) throw new Error('down')
          count.update(count.value() + 1)
          out.collect(`${at.getCurrentKey()}:${count.value()}`)
        },
      }
    })
    .setParallelism(parallelism)
    .sinkTo(sink)
}

const expected = range(0, 59)
  .map((value) => `${value % 3}:${Math.floor(value / 3) + 1}`)
  .toSorted()

describeJobs('A job with a checkpoint directory', (newWorld) => {
  it('restarts from the disk exactly', async () => {
    const world = newWorld()
    const env = world.env()
    const sink = new Ledger<string>()
    declare(env, world, sink, 33)
    env.setRestartStrategy(RestartStrategies.fixedDelayRestart(1, 10))
    await world.until(env.execute('x'))
    expect(world.ofType('restart.scheduled')).toHaveLength(1)
    expect(sink.committed.toSorted()).toEqual(expected)
  })

  it('that begins anew beside an unfinished one of its name says so in the log, and one that resumes does not', async () => {
    const world = newWorld()
    const warnings: string[] = []
    Object.assign(world.ports, { logger: { ...silentLogger, warn: (line: string) => void warnings.push(line) } })
    const [first, anew, resumed] = [world.env(), world.env(), world.env()]
    for (const env of [first, anew, resumed]) declare(env, world, new Ledger<string>())
    const client = await world.until(first.executeAsync('x'))
    await world.advance(255)
    await world.until(client.suspend())
    const { jobId } = client
    await world.until((await world.until(resumed.executeAsync('x', { resume: 'latest' }))).suspend())
    expect(warnings).toEqual([])
    await world.until(anew.execute('x'))
    expect(warnings).toEqual([
      expect.stringMatching(new RegExp(`beside an unfinished job .*: ${jobId} \\(SUSPENDED, newest`)),
    ])
  })

  it('takes a last checkpoint when it is suspended, and goes on from there, at another parallelism too', async () => {
    const world = newWorld()
    const sink = new Ledger<string>()
    const first = world.env()
    declare(first, world, sink)
    const client = await world.until(first.executeAsync('x'))
    await world.advance(255)
    await world.until(client.suspend())
    expect(await client.getJobStatus()).toBe('SUSPENDED')
    const committed = sink.committed.length
    expect(world.ofType('checkpoint.completed').at(-1)?.atMs).toBeGreaterThanOrEqual(START + 255)
    const second = world.env()
    declare(second, world, sink, undefined, 3)
    const again = await world.until(second.executeAsync('x', { resume: 'latest' }))
    expect(again.jobId).toBe(client.jobId)
    await world.until(again.getJobExecutionResult())
    expect(sink.committed.length).toBeGreaterThan(committed)
    expect(sink.committed.toSorted()).toEqual(expected)
    const third = world.env()
    declare(third, world, sink, undefined, 3)
    const ended = await world.until(third.executeAsync('x', { resume: 'latest' }))
    expect(await ended.getJobStatus()).toBe('FINISHED')
  })

  it('is suspended by its signal, and by leaving its scope', async () => {
    for (const how of ['signal', 'scope'] as const) {
      const world = newWorld()
      const env = world.env()
      declare(env, world, new Ledger())
      const controller = new AbortController()
      const client = await world.until(env.executeAsync('x', { signal: controller.signal }))
      await world.advance(150)
      if (how === 'signal') controller.abort('enough')
      else await world.until(client[Symbol.asyncDispose]())
      const failure = await world.failure(client.getJobExecutionResult())
      expect({ how, code: failure.code }).toEqual({ how, code: 'JOB_SUSPENDED' })
      if (how === 'signal') expect(failure.cause).toBe('enough')
    }
  })

  it('waits for the last checkpoint no longer than it was told to', async () => {
    const world = newWorld()
    const env = world.env()
    let suspending = false
    const sink = new Ledger<string>({ makeDurable: () => (suspending ? new Promise(() => {}) : undefined) })
    declare(env, world, sink)
    const client = await world.until(env.executeAsync('x'))
    await world.advance(155)
    suspending = true
    const atMs = world.clock.now()
    await world.until(client.suspend({ timeoutMs: 2_000 }))
    expect(await client.getJobStatus()).toBe('SUSPENDED')
    expect(world.clock.now() - atMs).toBe(2_000)
  })

  it('survives a disk that refuses now and then, as long as that is tolerated', async () => {
    const world = newWorld()
    const env = world.env()
    const sink = new Ledger<string>()
    declare(env, world, sink, 33)
    env.getCheckpointConfig().setTolerableCheckpointFailureNumber(1_000)
    let operations = 0
    const client = await world.until(env.executeAsync('x'))
    world.files.interfere = ({ path, type }) =>
      path.includes('chk-') && ['create', 'rename', 'sync'].includes(type) && ++operations % 7 === 0
        ? { type: 'fail', code: 'ENOSPC' }
        : undefined
    await world.until(client.getJobExecutionResult())
    expect(operations).toBeGreaterThan(7)
    expect(sink.committed.toSorted()).toEqual(expected)
  })

  it('reads no split twice that is dealt out while the snapshot of the enumerator is being written', async () => {
    const world = newWorld()
    const env = world.env().setParallelism(2)
    env.enableCheckpointing(50).getCheckpointConfig().setCheckpointStorage('/checkpoints')
    env.configure({ 'execution.checkpointing.data-inline-threshold': 0 })
    env.setRestartStrategy(RestartStrategies.fixedDelayRestart(10, 10))
    const sink = new Ledger<number>()
    const failAt = new Set([13, 31, 47])
    const source = defineSource<number, number>({
      boundedness: 'bounded',
      splits: () => range(0, 29).map(String),
      start: () => 0,
      async *read(split, position) {
        for (let index = position; index < 2; index++) {
          await world.sleep(7)
          yield { value: 2 * Number(split) + index, position: index + 1 }
        }
      },
    })
    env
      .fromSource(source, WatermarkStrategy.noWatermarks(), 'splits')
      .map((value) => {
        if (failAt.delete(value)) throw new Error(`down at ${value}`)
        return value
      })
      .sinkTo(sink)
    world.files.interfere = ({ type }) => (type === 'write' ? { type: 'delay', delayMs: 10 } : undefined)
    await world.until(env.execute('x'))
    expect(world.ofType('restart.scheduled')).toHaveLength(3)
    expect(world.ofType('checkpoint.completed').length).toBeGreaterThan(3)
    expect(sink.committed.toSorted((one, other) => one - other)).toEqual(range(0, 59))
  })

  it('that is cancelled while its tasks read their state makes no function any more', async () => {
    const world = newWorld()
    const env = world.env()
    env
      .enableCheckpointing(50)
      .getCheckpointConfig()
      .setCheckpointStorage('/checkpoints')
      .setExternalizedCheckpointRetention('RETAIN_ON_CANCELLATION')
    env.configure({ 'execution.checkpointing.data-inline-threshold': 0 })
    let made = 0
    env
      .fromSource(ticks(world, 1_000, 10), WatermarkStrategy.noWatermarks(), 'ticks')
      .keyBy((value) => value % 3)
      .process<number>((context) => {
        made++
        const last = context.getState(new ValueStateDescriptor<number>('last'))
        return {
          processElement(value) {
            if (value === 20) throw new Error('down')
            last.update(value)
          },
        }
      })
      .sinkTo(new Ledger())
    const client = await world.until(env.executeAsync('x'))
    await world.when(() => world.statuses().at(-1) === 'RESTARTING')
    await world.when(() => world.statuses().at(-1) === 'RUNNING')
    world.files.interfere = ({ type }) => (type === 'read' ? { type: 'delay', delayMs: 5_000 } : undefined)
    await world.advance(1_000)
    expect(made).toBe(1)
    await world.until(client.cancel())
    await world.advance(60_000)
    expect(made).toBe(1)
    expect(world.timersLeft()).toBe(0)
  })

  it('that is cancelled while it restores from a slow disk leaves no enumerator behind', async () => {
    const world = newWorld()
    const env = world.env()
    env
      .enableCheckpointing(50)
      .getCheckpointConfig()
      .setCheckpointStorage('/checkpoints')
      .setExternalizedCheckpointRetention('RETAIN_ON_CANCELLATION')
    const open = new Set<number>()
    let made = 0
    const numbers = ticks(world, 1_000, 10)
    const source: Source<number> = {
      ...numbers,
      createEnumerator(context, restored) {
        const name = made++
        open.add(name)
        const enumerator = numbers.createEnumerator(context as never, restored as never)
        return {
          start: () => enumerator.start(),
          handleSplitRequest: (subtask) => enumerator.handleSplitRequest(subtask),
          addSplitsBack: (splits, subtask) => enumerator.addSplitsBack(splits as never, subtask),
          addReader: (subtask) => enumerator.addReader(subtask),
          snapshotState: (id) => enumerator.snapshotState(id),
          close() {
            open.delete(name)
            return enumerator.close()
          },
        }
      },
    }
    env
      .fromSource(source, WatermarkStrategy.noWatermarks(), 'ticks')
      .map((value): number => {
        if (value === 20) throw new Error('down')
        return value
      })
      .sinkTo(new Ledger())
    const client = await world.until(env.executeAsync('x'))
    await world.when(() => world.statuses().at(-1) === 'RESTARTING')
    world.files.interfere = ({ type }) => (type === 'read' ? { type: 'delay', delayMs: 5_000 } : undefined)
    await world.advance(2_000)
    await world.until(client.cancel())
    expect(await client.getJobStatus()).toBe('CANCELED')
    await world.advance(60_000)
    expect([...open]).toEqual([])
  })

  it('has its result also where the lock of its directory cannot be given back', async () => {
    const world = newWorld()
    const locks = world.ports.locks
    Object.assign(world.ports, {
      locks: {
        tryAcquire: async (name: string) => ({
          ...(await locks.tryAcquire(name)),
          release: async () => {
            throw new Error('not released')
          },
        }),
      },
    })
    const env = world.env()
    env.enableCheckpointing(50).getCheckpointConfig().setCheckpointStorage('/checkpoints')
    env.fromData([1]).sinkTo(new DiscardingSink())
    await world.until(env.execute('x'))
  })

  it('keeps what a suspended job was told to keep, and deletes what a finished one leaves', async () => {
    const world = newWorld()
    const env = world.env()
    declare(env, world, new Ledger())
    const client = await world.until(env.executeAsync('x'))
    await world.until(client.getJobExecutionResult())
    const left = await world.until(world.files.list(`/checkpoints/${client.jobId}`))
    expect(left.filter(({ name }) => name.startsWith('chk-'))).toEqual([])
  })
})
