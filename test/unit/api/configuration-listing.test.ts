import { expect, it } from 'vitest'
import {
  CheckpointingMode,
  CollectSink,
  RestartStrategies,
  StreamExecutionEnvironment,
  Time,
  TimeUnit,
} from '../../../src/index.ts'

it("the listing of Flink's documentation compiles line for line, and a job runs with it", async () => {
  const warnings: string[] = []
  const drop = () => {}
  const logger = { debug: drop, info: drop, warn: (line: string) => void warnings.push(line), error: drop }
  const env = StreamExecutionEnvironment.getExecutionEnvironment({ logger })
  env.enableCheckpointing(1000)
  env.getCheckpointConfig().setCheckpointingMode(CheckpointingMode.EXACTLY_ONCE)
  env.getCheckpointConfig().setMinPauseBetweenCheckpoints(500)
  env.getCheckpointConfig().setCheckpointTimeout(60000)
  env.getCheckpointConfig().setFailTasksOnCheckpointingErrors(false)
  env.getCheckpointConfig().setMaxConcurrentCheckpoints(1)
  env.getCheckpointConfig().enableUnalignedCheckpoints()
  env.setRestartStrategy(RestartStrategies.noRestart())
  env.setRestartStrategy(RestartStrategies.fixedDelayRestart(3, Time.of(10, TimeUnit.SECONDS)))
  env.setRestartStrategy(
    RestartStrategies.failureRateRestart(3, Time.of(5, TimeUnit.MINUTES), Time.of(10, TimeUnit.SECONDS)),
  )
  const sink = new CollectSink<number>()
  env.fromSequence(1, 3).sinkTo(sink)
  await env.execute('listing')
  expect(sink.results()).toEqual([1, 2, 3])
  expect(warnings.filter((line) => line.includes('unaligned'))).toEqual([])
})

it('unaligned checkpoints are refused where they would not be exact', async () => {
  const env = StreamExecutionEnvironment.getExecutionEnvironment()
  env.enableCheckpointing(1000).getCheckpointConfig().enableUnalignedCheckpoints().setMaxConcurrentCheckpoints(2)
  env.fromSequence(1, 3).sinkTo(new CollectSink<number>())
  await expect(env.execute('two at a time')).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
})

it('unaligned checkpoints are turned off again with false', async () => {
  const env = StreamExecutionEnvironment.getExecutionEnvironment()
  env
    .enableCheckpointing(1000)
    .getCheckpointConfig()
    .enableUnalignedCheckpoints()
    .enableUnalignedCheckpoints(false)
    .setMaxConcurrentCheckpoints(2)
  env.fromSequence(1, 3).sinkTo(new CollectSink<number>())
  await env.execute('aligned')
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
