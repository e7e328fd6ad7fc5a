/** The job of docs/guides/sources-and-sinks.md: a source and a sink by hand. Each of three topics has 2,000 rows. */
import { setTimeout as wait } from 'node:timers/promises'
import { StreamExecutionEnvironment, WatermarkStrategy } from 'millrace'
import { folderSink } from './folder-sink.ts'
import { pageSource, type Row } from './page-source.ts'

const ROWS = 2_000
const PAGE = 100

const env = StreamExecutionEnvironment.getExecutionEnvironment().setParallelism(2)
env.enableCheckpointing('100 ms').getCheckpointConfig().setCheckpointStorage('checkpoints')
const topics = {
  list: async () => ['apples', 'pears', 'plums'],
  async page(topic: string, from: number): Promise<readonly Row[]> {
    await wait(40)
    const numbers = Array.from({ length: Math.min(PAGE, ROWS - from) }, (_, index) => from + index)
    return numbers.map((number) => ({ topic, number }))
  },
}
env
  .fromSource(pageSource(topics), WatermarkStrategy.noWatermarks(), 'topics')
  .uid('topics')
  .sinkTo(folderSink<Row>('rows'))
  .uid('rows')

await env.execute('by hand')
