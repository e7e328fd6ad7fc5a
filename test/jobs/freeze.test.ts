/** `execution.debug-freeze` and records: who changes one that is no longer his alone fails where he does it. */
import { expect, test } from 'vitest'
import { CollectSink, DiscardingSink, defineSink, OutputTag, RestartStrategies } from '../../src/index.ts'
import { type Count, checked, counts, expectChangeFound } from './freeze-parts.ts'
import { describeJobs } from './harness.ts'

const FILE = 'freeze.test.ts'

describeJobs('With execution.debug-freeze', (newWorld) => {
  test('a chained function that changes the record that it got is found', async () => {
    const world = newWorld()
    const env = checked(world)
    env
      .fromData(counts())
      .map((count) => {
        count.n++
        return count
      })
      .sinkTo(new DiscardingSink())
    await expectChangeFound(world, env, FILE)
  })

  test('without it the same job runs', async () => {
    const world = newWorld()
    const env = world.env()
    const sink = new CollectSink<Count>()
    env
      .fromData(counts())
      .map((count) => {
        count.n++
        return count
      })
      .sinkTo(sink)
    await world.until(env.execute('x'))
    expect(sink.results().map(({ n }) => n)).toEqual([2, 3])
  })

  test.each([
    ['a part of it', (count: Count) => count.tags.push('z')],
    ['a new property', (count: Count) => Object.assign(count, { more: 1 })],
    ['a property that goes', (count: Partial<Count>) => delete count.n],
    ['the order of an array', (count: Count) => count.tags.reverse()],
  ])('%s is found behind an exchange too, and behind a union and a broadcast', async (_, change) => {
    const world = newWorld()
    const env = checked(world).setParallelism(2)
    const stream = env.fromData(counts())
    stream
      .union(stream.rebalance())
      .broadcast()
      .filter((count) => {
        change(count)
        return true
      })
      .sinkTo(new DiscardingSink())
    await expectChangeFound(world, env, FILE)
  })

  test('a function that goes on changing what it has emitted is found', async () => {
    const world = newWorld()
    const env = checked(world)
    env
      .fromData([1, 2])
      .process<{ last: number }>(() => {
        const out = { last: 0 }
        return {
          processElement(value, _, collector) {
            out.last = value
            collector.collect(out)
          },
        }
      })
      .sinkTo(new DiscardingSink())
    await expectChangeFound(world, env, FILE)
  })

  test('what went to a side output is found as well', async () => {
    const world = newWorld()
    const env = checked(world)
    const tag = new OutputTag<Count>('side')
    const main = env.fromData(counts()).process<Count>(() => ({
      processElement(value, context) {
        const copy = { ...value }
        context.output(tag, copy)
        copy.n = 0
      },
    }))
    main.getSideOutput(tag).sinkTo(new DiscardingSink())
    await expectChangeFound(world, env, FILE)
  })

  test('a sink that changes what it writes is found', async () => {
    const world = newWorld()
    const env = checked(world)
    const sink = defineSink({
      open: () => undefined,
      write: (_: undefined, count: Count) => {
        count.n = 0
      },
      prepare: () => [],
      commit: () => {},
    })
    env.fromData(counts()).sinkTo(sink)
    await expectChangeFound(world, env, FILE)
  })

  test('a reducer that changes its first argument is found', async () => {
    const world = newWorld()
    const env = checked(world)
    env
      .fromData(counts())
      .keyBy(({ key }) => key)
      .reduce((a, b) => {
        a.n += b.n
        return a
      })
      .sinkTo(new DiscardingSink())
    await expectChangeFound(world, env, FILE)
  })

  test('another TypeError is a failure like any other: no hint, and restarts', async () => {
    const world = newWorld()
    const env = checked(world)
    env.enableCheckpointing(20).setRestartStrategy(RestartStrategies.fixedDelayRestart(2, 10))
    env
      .fromData([1])
      .map((): number => {
        throw new TypeError('x is not a function')
      })
      .sinkTo(new DiscardingSink())
    expect(await world.failure(env.execute('x'))).toMatchObject({ code: 'JOB_FAILED', hint: undefined })
    expect(world.ofType('restart.scheduled')).toHaveLength(2)
  })

  test('a job that changes nothing runs as it does without', async () => {
    const world = newWorld()
    const results: unknown[] = []
    for (const freeze of [false, true]) {
      const env = world.env().configure({ 'execution.debug-freeze': freeze }).setParallelism(2)
      env.enableCheckpointing(10)
      const stream = env
        .fromSequence(1, 200)
        .map((n) => ({ key: n % 7, at: new Date(n), bytes: Buffer.from([n]), of: new Map([['n', { n }]]) }))
        .keyBy(({ key }) => key)
        .reduce((a, b) => ({ ...b, bytes: Buffer.concat([a.bytes, b.bytes]) }))
      const all = await world.until((await world.until(stream.executeAndCollect())).toArray())
      results.push(all.map((each) => JSON.stringify([...each.of, each.at, each.bytes])).toSorted())
    }
    expect(results[1]).toEqual(results[0])
  })

  test('and only with it: records are left as they are otherwise', async () => {
    for (const freeze of [false, true]) {
      const world = newWorld()
      const env = world.env().configure({ 'execution.debug-freeze': freeze })
      const results = await world.until(env.fromData(counts()).executeAndCollect())
      const all = await world.until(results.toArray())
      expect(all.map((each) => Object.isFrozen(each) && Object.isFrozen(each.tags))).toEqual([freeze, freeze])
    }
  })
})
