/** The job of the server: hits become visits. A visit ends when its visitor has been quiet for a second. */
import { FileSink, StreamExecutionEnvironment, ValueStateDescriptor, WatermarkStrategy } from 'millrace'
import { journalSource } from './journal.ts'

const QUIET_MS = 1_000

export interface Hit {
  readonly visitor: string
  readonly page: string
}
export interface Visit {
  readonly visitor: string
  readonly pages: readonly string[]
  readonly from: number
  readonly to: number
}

/** Declares the job; `folder` holds its journal, its checkpoints and the finished visits. */
export function declareVisits(folder: string): StreamExecutionEnvironment {
  const env = StreamExecutionEnvironment.getExecutionEnvironment({ logger: console })
  env.enableCheckpointing('500 ms').getCheckpointConfig().setCheckpointStorage(`${folder}/checkpoints`)
  env
    .fromSource(journalSource<Hit>(`${folder}/journal`), WatermarkStrategy.noWatermarks(), 'journal')
    .uid('journal')
    .keyBy(({ visitor }) => visitor)
    .process<Visit>((ctx) => {
      const open = ctx.getState(new ValueStateDescriptor<Visit>('open'))
      return {
        processElement({ visitor, page }, context) {
          const now = context.timerService().currentProcessingTime()
          const visit = open.value() ?? { visitor, pages: [], from: now }
          open.update({ ...visit, pages: [...visit.pages, page], to: now })
          context.timerService().registerProcessingTimeTimer(now + QUIET_MS)
        },
        onTimer(time, _, out) {
          const visit = open.value()
          if (visit === undefined || visit.to + QUIET_MS > time) return // another page since
          open.clear()
          out.collect(visit)
        },
      }
    })
    .name('visits')
    .uid('visits')
    .sinkTo(FileSink.forJsonLines(`${folder}/visits`))
    .uid('files')
  return env
}
