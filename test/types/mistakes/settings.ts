/** Settings that do not exist. Each sentence says what is wrong; the line below it must not compile. */
import {
  RestartStrategies,
  type SingleOutputStreamOperator,
  StreamExecutionEnvironment,
  Time,
} from '../../../src/index.ts'

const env = StreamExecutionEnvironment.getExecutionEnvironment()
declare const numbers: SingleOutputStreamOperator<number>
declare const fromElsewhere: string

export function checkpoints(): void {
  // @ts-expect-error setCheckpointTimeout: a misspelt unit
  env.getCheckpointConfig().setCheckpointTimeout('10 sconds')
  // @ts-expect-error setCheckpointTimeout: text from elsewhere goes through Time.parse
  env.getCheckpointConfig().setCheckpointTimeout(fromElsewhere)
  env.getCheckpointConfig().setCheckpointTimeout(Time.parse(fromElsewhere))
  // @ts-expect-error enableCheckpointing: a misspelt unit
  env.enableCheckpointing('1 secnd')
  // @ts-expect-error setCheckpointingMode: there is no such mode
  env.getCheckpointConfig().setCheckpointingMode('EXACTLY_TWICE')
  // @ts-expect-error setExternalizedCheckpointRetention: there is no such retention
  env.getCheckpointConfig().setExternalizedCheckpointRetention('RETAIN')
  // @ts-expect-error setFailTasksOnCheckpointingErrors: a boolean, not a text
  env.getCheckpointConfig().setFailTasksOnCheckpointingErrors('false')
}

export function restarts(): void {
  // @ts-expect-error fixedDelayRestart: a misspelt unit
  env.setRestartStrategy(RestartStrategies.fixedDelayRestart(3, '10 sconds'))
  // @ts-expect-error fixedDelayRestart: the delay was forgotten
  env.setRestartStrategy(RestartStrategies.fixedDelayRestart(3))
  // @ts-expect-error setRestartStrategy: the strategy was not called
  env.setRestartStrategy(RestartStrategies.noRestart)
  // @ts-expect-error setRestartStrategy: takes a strategy, not its name
  env.setRestartStrategy('fixed-delay')
  // @ts-expect-error Time.of: there is no such unit
  Time.of(10, 'SECOND')
}

export function theEnvironment(): void {
  // @ts-expect-error setStateBackend: there is no such backend
  env.setStateBackend('rocksdb')
  // @ts-expect-error setParallelism: a number
  env.setParallelism('2')
  // @ts-expect-error configure: an interval is a duration
  env.configure({ 'execution.checkpointing.interval': true })
  // @ts-expect-error configure: a misspelt unit
  env.configure({ 'execution.checkpointing.interval': '10 sconds' })
}

export function operators(): void {
  // @ts-expect-error name: only what is an operator has one
  numbers.rebalance().name('rebalanced')
  // @ts-expect-error uid: a union is no operator
  numbers.union(numbers).uid('both')
  // @ts-expect-error setParallelism: keyBy is no operator
  numbers.keyBy((value) => value).setParallelism(2)
  // @ts-expect-error uid: a text
  numbers.map((value) => value).uid(5)
  numbers
    .map((value) => String(value))
    // @ts-expect-error withSerializer: a serializer for another type
    .withSerializer({ id: 'n', version: 1, serialize: (n: number) => new Uint8Array(n), deserialize: (b) => b.length })
}
