/** The shortest job, as the documentation has it. */
import { FileSink, FileSource, StreamExecutionEnvironment, WatermarkStrategy } from '../../../src/index.ts'

const env = StreamExecutionEnvironment.getExecutionEnvironment()

export async function shortestJob(): Promise<void> {
  env.enableCheckpointing(1000).getCheckpointConfig().setCheckpointStorage('file:///var/lib/wordcount')
  env
    .fromSource(FileSource.forLines('books/*.txt'), WatermarkStrategy.noWatermarks(), 'lines')
    .flatMap((line) => line.toLowerCase().match(/\p{L}+/gu) ?? [])
    .map((word) => ({ word, count: 1 }))
    .keyBy(({ word }) => word)
    .reduce((a, b) => ({ word: a.word, count: a.count + b.count }))
    .sinkTo(FileSink.forJsonLines('counts/'))
  await env.execute('word count')
}
