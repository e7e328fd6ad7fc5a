/** The job of docs/guides/configuration.md: the program says what it must, the configuration file the rest. */
import { DiscardingSink, StreamExecutionEnvironment } from 'millrace'

const env = StreamExecutionEnvironment.getExecutionEnvironment({
  configuration: { 'execution.checkpointing.mode': 'EXACTLY_ONCE' },
})
env.configure({ 'pipeline.max-parallelism': 256 }).enableCheckpointing('1 s')
env.getCheckpointConfig().setMinPauseBetweenCheckpoints('500 ms')

console.log(`parallelism ${env.getParallelism()}`)
env.fromSequence(1, 1_000).sinkTo(new DiscardingSink())
await env.execute('configured')
