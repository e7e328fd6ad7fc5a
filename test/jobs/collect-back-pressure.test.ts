/** `executeAndCollect` and a reader that is slow, or does not read: the job stands still, memory does not grow. */
import { expect, test } from 'vitest'
import { DiscardingSink, RestartStrategies } from '../../src/index.ts'
import { endless, failingAt, first } from './collect-parts.ts'
import { describeJobs } from './harness.ts'
import { range } from './parts.ts'

describeJobs('executeAndCollect', (newWorld) => {
  test('a reader that does not read makes the job stand still, and goes on where it was', async () => {
    const world = newWorld()
    let emitted = 0
    const stream = world
      .env()
      .fromSequence(0, 49_999)
      .map((value) => {
        emitted++
        return value
      })
    const results = await world.until(stream.executeAndCollect())
    await world.advance(60_000)
    expect(emitted).toBeLessThan(3_000)
    expect(await world.until(results.toArray())).toEqual(range(0, 49_999))
  })

  test('a slow reader is never given more than the queue holds, and gets everything', async () => {
    const world = newWorld()
    let emitted = 0
    let read = 0
    let most = 0
    const stream = world
      .env()
      .fromSequence(0, 9_999)
      .map((value) => {
        emitted++
        return value
      })
    const results = await world.until(stream.executeAndCollect())
    const reading = (async () => {
      for await (const value of results) {
        expect(value).toBe(read++)
        most = Math.max(most, emitted - read)
        if (read % 100 === 0) await world.sleep(1)
      }
    })()
    await world.until(reading)
    expect(read).toBe(10_000)
    expect(most).toBeLessThan(3_000)
  })

  test('with checkpointing a reader that does not read makes the job stand still as well', async () => {
    const world = newWorld()
    const env = world.env()
    env.enableCheckpointing(100)
    let emitted = 0
    const stream = endless(env, 10_000).map((value) => {
      emitted++
      return value
    })
    const results = await world.until(stream.executeAndCollect())
    await world.advance(60_000)
    // The queue, and what came in one or two intervals before it was found full.
    expect(emitted).toBeLessThan(6_000)
    expect(await world.until(first(results, 10_000))).toEqual(range(0, 9_999))
  })

  test('a job that stands still for its reader is cancelled at once', async () => {
    const world = newWorld()
    const results = await world.until(endless(world.env()).executeAndCollect())
    await world.advance(1_000)
    const before = world.clock.now()
    await world.until(results[Symbol.asyncDispose]())
    expect(world.clock.now()).toBe(before)
    expect(await results.client.getJobStatus()).toBe('CANCELED')
  })

  test('an attempt that fails while it waits for the reader is followed by the next', async () => {
    const world = newWorld()
    const env = world.env()
    env.enableCheckpointing(100).setRestartStrategy(RestartStrategies.fixedDelayRestart(5, 10))
    endless(env, 1).map(failingAt(3)).sinkTo(new DiscardingSink())
    const results = await world.until(endless(env, 10_000).executeAndCollect())
    await world.advance(5_000)
    expect(world.statuses()).toEqual(['RUNNING', 'RESTARTING', 'RUNNING'])
    const seen = await world.until(first(results, 5_000))
    expect(seen).toEqual(range(0, 4_999))
  })
})
