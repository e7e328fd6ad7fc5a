/** Savepoints of a job whose checkpoints are unaligned: they wait for what is in flight, whoever has ended meanwhile. */
import { expect, it } from 'vitest'
import { describeJobs } from './harness.ts'
import { byNumber, Ledger, range } from './parts.ts'

describeJobs('A job that is stopped with a savepoint', (newWorld) => {
  it.each([false, true])(
    'ends although its source has ended and its records still wait, unaligned: %s',
    async (unaligned) => {
      const world = newWorld()
      const sink = new Ledger<number>({ write: () => world.sleep(10) })
      const env = world.env().enableCheckpointing(10_000)
      env.configure({
        'execution.checkpointing.unaligned.enabled': unaligned,
        'execution.channel-credit': 64,
      })
      env.fromSequence(0, 29).rebalance().sinkTo(sink).setParallelism(1)
      const client = await world.until(env.executeAsync('stopped'))
      await world.advance(100)
      await world.until(client.stopWithSavepoint({ drain: false, targetDirectory: '/savepoints' }))
      await world.until(client.getJobExecutionResult())
      expect(sink.committed.toSorted(byNumber)).toEqual(range(0, 29))
    },
  )
})
