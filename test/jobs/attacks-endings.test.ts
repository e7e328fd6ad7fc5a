/** Attacks on whole jobs: ended, failed or refused by the disk at every moment. Nothing is lost or doubled, and nothing hangs. */
import { expect, test } from 'vitest'
import {
  FileSink,
  FileSource,
  MapStateDescriptor,
  RestartStrategies,
  type StreamError,
  ValueStateDescriptor,
  WatermarkStrategy,
} from '../../src/index.ts'
import { endless, fromTicks } from './collect-parts.ts'
import { Disk } from './followed-files.ts'
import { describeJobs, type World } from './harness.ts'
import { byNumber, Ledger, range, ticks } from './parts.ts'

const RULES = new MapStateDescriptor<string, number>('rules')

/** Counts by key, with a rule that every subtask knows: what comes out tells what was counted. */
function connected(world: World, sink: Ledger<number>, parallelism = 2) {
  const env = world.env().setParallelism(parallelism)
  env.enableCheckpointing(50).getCheckpointConfig().setCheckpointStorage('/checkpoints')
  const numbers = env.fromSource(ticks(world, 60, 10), WatermarkStrategy.noWatermarks(), 'numbers')
  const rules = env.fromSource(ticks(world, 5, 70), WatermarkStrategy.noWatermarks(), 'rules')
  numbers
    .keyBy((value) => value % 7)
    .connect(rules.broadcast(RULES))
    .process<number>((at) => {
      const seen = at.getState(new ValueStateDescriptor<number>('seen', { default: () => 0, ttl: { ttl: '1 h' } }))
      return {
        processElement(value, _, out) {
          seen.update(seen.value() + 1)
          // The how-manieth of its key it is, from which alone follows which number it must be.
          out.collect((value % 7) + 7 * (seen.value() - 1))
        },
        processBroadcastElement: (rule, here) => void here.getBroadcastState(RULES).put('rule', rule),
      }
    })
    .sinkTo(sink)
  return env
}

describeJobs('A job with broadcast state and a time-to-live', (newWorld) => {
  test('that is suspended at any moment and goes on at another parallelism loses and doubles nothing', async () => {
    for (let atMs = 5; atMs < 600; atMs += 131) {
      const world = newWorld()
      const sink = new Ledger<number>()
      const client = await world.until(connected(world, sink, 1 + (atMs % 3)).executeAsync('x'))
      await world.advance(atMs)
      await world.until(client.suspend())
      await world.until(connected(world, sink, 1 + ((atMs + 1) % 4)).execute('x', { resume: 'latest' }))
      expect({ atMs, out: [...sink.committed].sort(byNumber) }).toEqual({ atMs, out: range(0, 59) })
    }
  })

  test('that is cancelled or aborted at any moment ends, and leaves no timer', async () => {
    for (let atMs = 0; atMs < 300; atMs += 61)
      for (const how of ['cancel', 'abort'] as const) {
        const world = newWorld()
        const controller = new AbortController()
        const client = await world.until(
          connected(world, new Ledger()).executeAsync('x', { signal: controller.signal }),
        )
        await world.advance(atMs)
        if (how === 'abort') controller.abort('enough')
        else client.cancel().catch(() => {})
        const failure = await world.failure(client.getJobExecutionResult())
        expect(failure.code).toMatch(/JOB_CANCELED|JOB_SUSPENDED/)
        // The sources of the test sleep on the clock; those of the job are gone.
        await world.advance(1_000)
        expect(world.timersLeft()).toBe(0)
      }
  })
})

describeJobs('executeAndCollect', (newWorld) => {
  test('that nobody reads stands still, and ends when its iterator is given back unread', async () => {
    const world = newWorld({ roundMs: 1 })
    const results = await world.until(endless(world.env()).executeAndCollect('x'))
    const iterator = results[Symbol.asyncIterator]()
    await world.advance(200)
    const { recordsOut } = world.handles[0]?.metrics() ?? { recordsOut: Number.NaN }
    await world.advance(200)
    expect(world.handles[0]?.metrics().recordsOut).toBe(recordsOut)
    await world.until(Promise.resolve(iterator.return?.()))
    expect(await world.until(iterator.next())).toEqual({ done: true, value: undefined })
    expect(world.handles[0]?.status()).toBe('CANCELED')
  })

  test('hands out each record once, however slow the reader is and wherever the job fails', async () => {
    for (const fatal of [0, 1, 17, 48, 49]) {
      const world = newWorld()
      const env = world.env().setRestartStrategy(RestartStrategies.fixedDelayRestart(3, 10))
      env.enableCheckpointing(30)
      let failures = 0
      const stream = fromTicks(env, world, 50, 5).map((value) => {
        if (value === fatal && failures++ < 2) throw new Error('down')
        return value
      })
      const results = await world.until(stream.executeAndCollect('x'))
      const seen: number[] = []
      const reading = (async () => {
        for await (const value of results) {
          seen.push(value)
          await world.sleep(value % 5 === 0 ? 100 : 1)
        }
      })()
      await world.until(reading)
      expect({ fatal, seen }).toEqual({ fatal, seen: range(0, 49) })
    }
  })
})

describeJobs('A file sink', (newWorld) => {
  test.each([true, false])(
    'whose disk is full for a while loses nothing where it may fail, and hangs never (failTasks: %s)',
    async (failTasks) => {
      for (let refused = 1; refused <= 12; refused += 3) {
        const world = newWorld()
        const env = world.env().setRestartStrategy(RestartStrategies.fixedDelayRestart(20, 10))
        env.enableCheckpointing(40).getCheckpointConfig().setFailTasksOnCheckpointingErrors(failTasks)
        fromTicks(env, world, 40, 10)
          .map((value) => `${value}`)
          .sinkTo(
            FileSink.forLines('/out', {
              bucketAssigner: (line) => `b${Number(line) % 3}`,
              rolling: { maxPartSize: 4 },
            }),
          )
        let count = 0
        world.files.interfere = ({ type, path }) => {
          const isOurs =
            path.startsWith('/out') && (type === 'write' || type === 'sync' || type === 'create' || type === 'rename')
          return isOurs && ++count >= refused && count < refused + 6
            ? { type: 'fail', code: 'ENOSPC', bytes: 1 }
            : undefined
        }
        await world.until(env.execute('x'))
        const lines: string[] = []
        for (const bucket of ['b0', 'b1', 'b2'])
          for (const { name } of await world.until(world.files.list(`/out/${bucket}`)))
            if (!name.startsWith('.'))
              lines.push(
                ...Buffer.from(await world.until(world.files.read(`/out/${bucket}/${name}`)))
                  .toString()
                  .trim()
                  .split('\n'),
              )
        expect({ refused, lines: lines.map(Number).sort(byNumber) }).toEqual({ refused, lines: range(0, 39) })
      }
    },
  )

  test('whose bucketAssigner throws fails with the very object, and its records are made again', async () => {
    const world = newWorld()
    const thrown = new RangeError('mine')
    const env = world.env()
    env.fromData(['a']).sinkTo(
      FileSink.forLines('/out', {
        bucketAssigner: () => {
          throw thrown
        },
      }),
    )
    const failure: StreamError = await world.failure(env.execute('x'))
    expect(failure.cause).toBe(thrown)
  })
})

describeJobs('A file source', (newWorld) => {
  test.each([undefined, 100])(
    'with fewer splits than subtasks, empty files among them, reads each record once (monitorContinuously: %s)',
    async (monitorContinuously) => {
      const world = newWorld()
      const disk = new Disk(world)
      for (const name of ['a', 'b', 'c']) disk.append(`/in/${name}.txt`, '')
      disk.append('/in/b.txt', 'one\n')
      disk.append('/in/c.txt', 'ä\u2028ö\r\n\n\uFEFF\nlast\n')
      const sink = new Ledger<string>()
      const env = world.env().setParallelism(8)
      env.enableCheckpointing(50)
      env
        .fromSource(
          FileSource.forLines('/in', { monitorContinuously, splitSize: '4 b' }),
          WatermarkStrategy.noWatermarks(),
          'files',
        )
        .sinkTo(sink)
      const client = await world.until(env.executeAsync('x'))
      if (monitorContinuously === undefined) await world.until(client.getJobExecutionResult())
      else await world.advance(1_000)
      expect([...sink.committed].sort()).toEqual(['', 'last', 'one', 'ä\u2028ö', '\uFEFF'].sort())
      await world.until(client.cancel())
    },
  )
})
