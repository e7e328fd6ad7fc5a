import { expect, it } from 'vitest'
import { CollectSink, RestartStrategies, StreamExecutionEnvironment } from '../../../src/index.ts'

it('A loop over a CollectSink ends with the job', async () => {
  const env = StreamExecutionEnvironment.getExecutionEnvironment()
  const sink = new CollectSink<number>()
  env.fromSequence(1, 3).sinkTo(sink)
  await env.executeAsync()
  const seen: number[] = []
  for await (const value of sink) seen.push(value)
  expect(seen).toEqual([1, 2, 3])
})

it('A loop over a CollectSink throws what failed the job', async () => {
  const env = StreamExecutionEnvironment.getExecutionEnvironment()
  const sink = new CollectSink<number>()
  env.setRestartStrategy(RestartStrategies.noRestart())
  env
    .fromSequence(1, 3)
    .map((value): number => {
      if (value === 2) throw new Error('two')
      return value
    })
    .sinkTo(sink)
  await env.executeAsync()
  const reading = (async () => {
    for await (const _ of sink);
  })()
  await expect(reading).rejects.toMatchObject({ code: 'JOB_FAILED', cause: { message: 'two' } })
})
