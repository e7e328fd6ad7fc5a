/** What the contract says of functions and their keys, of whole jobs: how often a function is made, what it waits for, what it is refused. */
import { expect, test } from 'vitest'
import {
  CollectSink,
  DiscardingSink,
  MapStateDescriptor,
  RestartStrategies,
  type StreamError,
  ValueStateDescriptor,
  WatermarkStrategy,
} from '../../src/index.ts'
import { describeJobs } from './harness.ts'
import { ticks } from './parts.ts'

const noWatermarks = WatermarkStrategy.noWatermarks()

describeJobs('A function that keeps something', (newWorld) => {
  test('is made once for each subtask and attempt, and no field of it outlives a failure', async () => {
    const world = newWorld()
    const env = world.env()
    env.enableCheckpointing(50).setRestartStrategy(RestartStrategies.fixedDelayRestart(2, 10))
    const made: string[] = []
    let fieldsBehindFailure: number | undefined
    env
      .fromSource(ticks(world, 40, 10), noWatermarks, 'ticks')
      .rebalance()
      .process<number>(({ attemptNumber, indexOfThisSubtask }) => {
        made.push(`${attemptNumber}.${indexOfThisSubtask}`)
        let field = 0
        return {
          processElement(value) {
            if (attemptNumber === 1) fieldsBehindFailure ??= field
            field++
            if (value === 30 && attemptNumber === 0) throw new Error('down')
          },
        }
      })
      .setParallelism(2)
      .sinkTo(new DiscardingSink())
    await world.until(env.execute('x'))
    expect(made.toSorted()).toEqual(['0.0', '0.1', '1.0', '1.1'])
    expect(fieldsBehindFailure).toBe(0)
  })

  test('finds its state in `create` and in `open`, and sees no record before its state is there', async () => {
    const world = newWorld()
    const env = world.env()
    env.enableCheckpointing(50).setRestartStrategy(RestartStrategies.fixedDelayRestart(2, 10))
    const firstCounts: (number | undefined)[] = []
    env
      .fromSource(ticks(world, 40, 10), noWatermarks, 'ticks')
      .keyBy(() => 'all')
      .process<number>((context) => {
        const inCreate = context.getState(new ValueStateDescriptor<number>('count'))
        let isFirst = true
        return {
          open: (again) => void again.getState(new ValueStateDescriptor<number>('count')),
          processElement(value) {
            if (isFirst) firstCounts.push(inCreate.value())
            isFirst = false
            inCreate.update((inCreate.value() ?? 0) + 1)
            if (value === 30 && context.attemptNumber === 0) throw new Error('down')
          },
        }
      })
      .sinkTo(new DiscardingSink())
    await world.until(env.execute('x'))
    expect(firstCounts).toHaveLength(2)
    expect(firstCounts[0]).toBeUndefined()
    expect(firstCounts[1]).toBeGreaterThan(0)
  })

  test('keeps its task INITIALIZING until `open` has resolved', async () => {
    const world = newWorld()
    const env = world.env()
    let seen = 0
    env
      .fromData([1])
      .process<number>(() => ({
        open: () => world.sleep(5_000),
        processElement: () => void seen++,
      }))
      .sinkTo(new DiscardingSink())
    const client = await world.until(env.executeAsync('x'))
    await world.advance(4_900)
    const statuses = () => world.ofType('task.status').map(({ status }) => status)
    expect([statuses().at(-1), seen]).toEqual(['INITIALIZING', 0])
    await world.until(client.getJobExecutionResult())
    expect(statuses()).toContain('RUNNING')
    expect(seen).toBe(1)
  })

  test.each(['notifyCheckpointComplete', 'notifyCheckpointAborted'] as const)(
    'whose %s rejects fails its task',
    async (notification) => {
      const world = newWorld()
      const env = world.env()
      env.enableCheckpointing(50).setRestartStrategy(RestartStrategies.noRestart())
      env.getCheckpointConfig().setFailTasksOnCheckpointingErrors(false)
      const thrown = new RangeError('the notification')
      env
        .fromSource(ticks(world, 40, 10), noWatermarks, 'ticks')
        .process<number>(() => ({
          processElement() {},
          [notification]: async () => {
            throw thrown
          },
        }))
        .process<number>(() => ({
          processElement() {},
          snapshotState() {
            if (notification === 'notifyCheckpointAborted') throw new Error('declined')
          },
        }))
        .sinkTo(new DiscardingSink())
      const failure = await world.failure(env.execute('x'))
      expect(failure).toMatchObject({ code: 'JOB_FAILED', cause: thrown })
    },
  )

  test.each(['open', 'snapshotState', 'notifyCheckpointComplete', 'close'] as const)(
    'that uses keyed state in %s, where no key is current, is told so',
    async (member) => {
      const world = newWorld()
      const env = world.env()
      env.enableCheckpointing(50).setRestartStrategy(RestartStrategies.noRestart())
      env
        .fromSource(ticks(world, 40, 10), noWatermarks, 'ticks')
        .keyBy((value) => value)
        .process<number>((context) => {
          const state = context.getState(new ValueStateDescriptor<number>('count'))
          return { processElement: (value) => state.update(value), [member]: () => state.update(-1) }
        })
        .sinkTo(new DiscardingSink())
      const { cause } = await world.failure(env.execute('x'))
      expect(cause).toMatchObject({ code: 'NO_CURRENT_KEY', hint: expect.stringContaining('processElement') })
    },
  )
})

describeJobs('A key that cannot be one', (newWorld) => {
  const wrong = (value: number): number => (value === 3 ? (['a', new Date(0)] as unknown as number) : value)

  test.each([1, 2])(
    'is refused with path and hint before the function sees its record, at parallelism %i',
    async (parallelism) => {
      const world = newWorld()
      const env = world.env()
      env.enableCheckpointing(50).setRestartStrategy(RestartStrategies.fixedDelayRestart(2, 10))
      const seen: number[] = []
      env
        .fromData([1, 2, 3, 4])
        .keyBy(wrong)
        .process<number>(() => ({ processElement: (value) => void seen.push(value) }))
        .setParallelism(parallelism)
        .name('by date')
        .sinkTo(new DiscardingSink())
      const { cause } = await world.failure(env.execute('x'))
      expect(cause).toMatchObject({ code: 'INVALID_KEY', hint: expect.stringContaining('getTime()') })
      expect((cause as StreamError).details).toMatchObject({ path: 'key[1]', operator: 'by date' })
      expect(seen).not.toContain(3)
      expect(world.ofType('restart.scheduled')).toEqual([])
    },
  )

  test('of a map state or a broadcast state changes nothing in it', async () => {
    const world = newWorld()
    const env = world.env()
    const rules = new MapStateDescriptor<unknown, number>('rules')
    const sink = new CollectSink<unknown>()
    const refusals: unknown[] = []
    const refusing = (set: () => unknown) => {
      try {
        set()
      } catch (thrown) {
        refusals.push((thrown as StreamError).details)
      }
    }
    env
      .fromData([1])
      .keyBy((value) => value)
      .connect(env.fromData([1]).broadcast(rules))
      .process<unknown>((context) => {
        const map = context.getMapState(new MapStateDescriptor<unknown, number>('map'))
        return {
          processElement(value, _, out) {
            map.set([value], 1)
            for (const write of [map.set, map.put]) refusing(() => write.call(map, { at: new Date(0) }, 2))
            out.collect([...map])
          },
          processBroadcastElement(value, at, out) {
            const state = at.getBroadcastState(rules)
            state.set([value], 1)
            refusing(() => state.put([undefined], 2))
            out.collect([...state])
          },
        }
      })
      .sinkTo(sink)
    await world.until(env.execute('x'))
    expect(sink.results()).toEqual([[[[1], 1]], [[[1], 1]]])
    expect(refusals.map((details) => JSON.stringify(details)).toSorted()).toEqual([
      '{"path":"key.at"}',
      '{"path":"key.at"}',
      '{"path":"key[0]"}',
    ])
  })
})
