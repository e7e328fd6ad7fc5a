import { expect, it } from 'vitest'
import { DiscardingSink, RestartStrategies, StreamExecutionEnvironment, WatermarkStrategy } from '../../../src/index.ts'

it.each(['source', 'stream'])('A watermark of NaN is an error of the generator (%s)', async (where) => {
  const env = StreamExecutionEnvironment.getExecutionEnvironment().setRestartStrategy(RestartStrategies.noRestart())
  const bad = WatermarkStrategy.forGenerator<number>(() => ({
    onEvent: (_value, _timestamp, output) => output.emitWatermark(Number.NaN),
    onPeriodicEmit() {},
  }))
  const numbers = env.fromData([1, 2, 3])
  if (where === 'stream') numbers.assignTimestampsAndWatermarks(bad).sinkTo(new DiscardingSink())
  else {
    const { sequenceSource } = await import('../../../src/connectors/sequence/sequence-source.ts')
    env.fromSource(sequenceSource(1, 3), bad, 'numbers').sinkTo(new DiscardingSink())
  }
  await expect(env.execute('x')).rejects.toMatchObject({ cause: { code: 'TIMESTAMP_INVALID' } })
})
