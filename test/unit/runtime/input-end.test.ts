/** What still happens to a job behind the end of its input, and what does not. */
import { expect, it } from 'vitest'
import { CollectSink, RestartStrategies, WatermarkStrategy } from '../../../src/index.ts'
import { describeJobs } from '../../jobs/harness.ts'
import { Ledger, range, ticks, timedSource } from '../../jobs/parts.ts'

describeJobs('Behind the end of the input', (newWorld) => {
  it('no processing timer fires, however long the final checkpoint takes: the sink has prepared its last', async () => {
    const world = newWorld()
    const env = world.env()
    env.enableCheckpointing(500)
    const slow = new Ledger<string>({ makeDurable: () => world.sleep(100) })
    const behindAnExchange = new Ledger<string>()
    const timers = env
      .fromSource(timedSource(world, { a: [{ afterMs: 0, value: 1 }] }), WatermarkStrategy.noWatermarks(), 'one')
      .keyBy((value) => value)
      .process<string>(() => ({
        processElement(value, context, out) {
          const service = context.timerService()
          service.registerProcessingTimeTimer(service.currentProcessingTime() + 20)
          out.collect(`element ${value}`)
        },
        onTimer: (_timestamp, _context, out) => out.collect('too late') as undefined,
      }))
    timers.sinkTo(slow)
    timers.rebalance().sinkTo(behindAnExchange)
    await world.until(env.execute('x'))
    for (const sink of [slow, behindAnExchange]) {
      expect(sink.written).toEqual(['element 1'])
      expect(sink.committed).toEqual(['element 1'])
    }
  })

  it('all event timers fire, also of a source that was idle when it ended', async () => {
    const world = newWorld()
    const env = world.env()
    const sink = new CollectSink<string>()
    env
      .fromSource(
        timedSource(world, { a: [{ afterMs: 0, value: 1, timestamp: 1_000 }] }, 5_000),
        WatermarkStrategy.forMonotonousTimestamps<number>().withIdleness('1 s'),
        'falls silent',
      )
      .keyBy((value) => value)
      .process<string>(() => ({
        processElement: (_value, context) => context.timerService().registerEventTimeTimer(10_000) as undefined,
        onTimer: (timestamp, _context, out) => out.collect(`timer ${timestamp}`) as undefined,
      }))
      .sinkTo(sink)
    await world.until(env.execute('x'))
    expect(sink.results()).toEqual(['timer 10000'])
  })

  it('nothing is prepared or committed any more when the job was cancelled while its sink flushed', async () => {
    const world = newWorld()
    const env = world.env()
    const sink = new Ledger<number>({ flush: (endOfInput) => (endOfInput ? world.sleep(100) : undefined) })
    env.fromSource(ticks(world, 5, 10), WatermarkStrategy.noWatermarks(), 'ticks').sinkTo(sink)
    const client = await world.until(env.executeAsync('x'))
    await world.advance(70)
    await world.until(client.cancel())
    await world.advance(500)
    expect(sink.log).toEqual(['flush 0.0 at the end', 'close 0.0'])
    expect(sink.committed).toEqual([])
  })

  it('no checkpoint is taken where none is waited for: what lies between the tasks would be lost', async () => {
    const world = newWorld()
    const env = world.env().setRestartStrategy(RestartStrategies.fixedDelayRestart(1, 10))
    const sink = new Ledger<number>({ write: () => world.sleep(10) })
    let failed = false
    env
      .fromSequence(0, 19)
      .rebalance()
      .map((value) => {
        if (value !== 15 || failed) return value
        failed = true
        throw new Error('down')
      })
      .sinkTo(sink)
    const client = await world.until(env.executeAsync('x'))
    await world.when(() => world.ofType('task.status').some(({ status }) => status === 'FINISHED'))
    await world.advance(30)
    expect(await world.failure(client.triggerCheckpoint())).toMatchObject({ code: 'CHECKPOINT_FAILED' })
    await world.until(client.getJobExecutionResult())
    expect(sink.committed).toEqual(range(0, 19))
  })
})
