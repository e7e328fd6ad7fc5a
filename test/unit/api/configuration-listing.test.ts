import { expect, it } from 'vitest'
import { CheckpointingMode, RestartStrategies, StreamExecutionEnvironment, Time, TimeUnit } from '../../../src/index.ts'

it("the listing of Flink's documentation runs line for line", () => {
  const env = StreamExecutionEnvironment.getExecutionEnvironment()
  env.enableCheckpointing(1000)
  env.getCheckpointConfig().setCheckpointingMode(CheckpointingMode.EXACTLY_ONCE)
  env.getCheckpointConfig().setMinPauseBetweenCheckpoints(500)
  env.getCheckpointConfig().setCheckpointTimeout(60000)
  env.getCheckpointConfig().setFailTasksOnCheckpointingErrors(false)
  env.getCheckpointConfig().setMaxConcurrentCheckpoints(1)
  env.getCheckpointConfig().enableUnalignedCheckpoints()
  env.getCheckpointConfig().enableUnalignedCheckpoints(false)
  env.setRestartStrategy(RestartStrategies.noRestart())
  env.setRestartStrategy(RestartStrategies.fixedDelayRestart(3, Time.of(10, TimeUnit.SECONDS)))
  env.setRestartStrategy(
    RestartStrategies.failureRateRestart(3, Time.of(5, TimeUnit.MINUTES), Time.of(10, TimeUnit.SECONDS)),
  )
  expect(env.getParallelism()).toBe(1)
})

it('and so do the settings beside it', () => {
  const env = StreamExecutionEnvironment.getExecutionEnvironment({ configuration: { 'parallelism.default': 2 } })
  env.setRestartStrategy(RestartStrategies.exponentialDelayRestart({ initialBackoff: '1 s' }))
  env.setRestartStrategy(RestartStrategies.fallBackRestart())
  const config = env
    .enableCheckpointing('1 s')
    .setStateBackend('hashmap')
    .setParallelism(4)
    .setMaxParallelism(256)
    .configure({ 'pipeline.name': 'listing', 'execution.checkpointing.num-retained': 3 })
    .getCheckpointConfig()
  config
    .setTolerableCheckpointFailureNumber(3)
    .setAlignedCheckpointTimeout('30 s')
    .setExternalizedCheckpointRetention('RETAIN_ON_CANCELLATION')
    .setCheckpointStorage('file:///var/lib/checkpoints')
    .setCheckpointTimeout(Time.parse('10 min'))
  expect(env.getParallelism()).toBe(4)
  expect(env.getCheckpointConfig()).toBe(config)
})
