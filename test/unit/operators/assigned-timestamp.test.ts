/** A timestamp that is none stops the job, wherever it is assigned. */
import { expect, it } from 'vitest'
import { DiscardingSink, WatermarkStrategy } from '../../../src/index.ts'
import { describeJobs } from '../../jobs/harness.ts'

const wrong = [Number.NaN, Number.POSITIVE_INFINITY, undefined as unknown as number, '1' as unknown as number]

describeJobs('A timestamp assigner', (newWorld) => {
  it.each(wrong)('that returns %s in the middle of a stream fails the job as in a source', async (timestamp) => {
    const world = newWorld()
    const env = world.env()
    env
      .fromSequence(1, 3)
      .assignTimestampsAndWatermarks(WatermarkStrategy.forMonotonousTimestamps({ timestampAssigner: () => timestamp }))
      .sinkTo(new DiscardingSink())
    const failure = await world.failure(env.execute('x'))
    expect(failure).toMatchObject({ code: 'JOB_FAILED', cause: { code: 'TIMESTAMP_INVALID' } })
  })
})
