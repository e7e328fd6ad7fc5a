/** The job of docs/guides/restart-strategies.md that gives up: what the program learns, and what was thrown. */
import { DiscardingSink, RestartStrategies, StreamError, StreamExecutionEnvironment } from 'millrace'

const env = StreamExecutionEnvironment.getExecutionEnvironment()
env.setRestartStrategy(RestartStrategies.failureRateRestart(2, '1 min', '10 ms'))
env
  .fromData(['7', 'eight'])
  .map((text) => {
    const number = Number(text)
    if (Number.isNaN(number)) throw new RangeError(`${text} is no number`)
    return number
  })
  .sinkTo(new DiscardingSink())

try {
  await env.execute('failure')
} catch (error) {
  if (!StreamError.is(error)) throw error
  console.log(error.code) // JOB_FAILED
  console.log(error.cause instanceof RangeError) // true: the very object that was thrown
}
