/**
 * The job of docs/guides/restart-strategies.md: a function fails twice, and the job goes on each time. Every number is
 * summed once all the same.
 */
import { RestartStrategies, StreamExecutionEnvironment, ValueStateDescriptor } from 'millrace'

const env = StreamExecutionEnvironment.getExecutionEnvironment()
env.enableCheckpointing('10 ms').setRestartStrategy(
  RestartStrategies.exponentialDelayRestart({
    initialBackoff: '20 ms',
    maxBackoff: '10 s',
    backoffMultiplier: 2,
    resetBackoffThreshold: '10 min',
    jitterFactor: 0.1,
  }),
)

env
  .fromSequence(1, 100)
  .uid('numbers')
  .keyBy(() => 'all')
  .process<number>((ctx) => {
    const sum = ctx.getState(new ValueStateDescriptor('sum', { default: () => 0 }))
    return {
      processElement(number, _, out) {
        if (number === 50 && ctx.attemptNumber < 2) throw new Error(`attempt ${ctx.attemptNumber} stumbles`)
        sum.update(sum.value() + number)
        if (number === 100) out.collect(sum.value())
      },
    }
  })
  .uid('sum')
  .print('sum')

await env.execute('restarts')
