/**
 * Flights per airport and hour with their mean delay: reads CSV files, keeps a sum per airport and open hour, and writes
 * an hour out when the watermark says that it is over. Exactly once: each row stands in one finished file.
 *
 * millrace run examples/flights/flights.ts INPUT OUTPUT
 */
import { FileSink, FileSource, MapStateDescriptor, StreamExecutionEnvironment, WatermarkStrategy } from 'millrace'

const [input = 'target/flights/input', output = 'target/flights/output'] = process.argv.slice(2)
const HOUR = 3_600_000

interface Flight {
  readonly origin: string
  readonly time: number
  readonly delay: number
}
interface Sum {
  readonly flights: number
  readonly delay: number
}
export interface Row {
  readonly airport: string
  readonly hour: number
  readonly flights: number
  readonly meanDelay: number
}

const env = StreamExecutionEnvironment.getExecutionEnvironment()
env
  .fromSource(
    FileSource.forCsv(`${input}/*.csv`, { columns: ['time', 'delay', 'distance', 'origin', 'destination'] }),
    WatermarkStrategy.noWatermarks(),
    'flights',
  )
  .uid('flights')
  .map(({ origin, time, delay }): Flight => ({ origin, time: Number(time), delay: Number(delay) }))
  .assignTimestampsAndWatermarks(
    WatermarkStrategy.forMonotonousTimestamps({ timestampAssigner: (flight) => flight.time }),
  )
  .keyBy((flight) => flight.origin)
  .process<Row>((ctx) => {
    const hours = ctx.getMapState(new MapStateDescriptor<number, Sum>('hours'))
    return {
      processElement({ time, delay }, context) {
        const hour = Math.floor(time / HOUR) * HOUR
        const sum = hours.get(hour)
        if (sum === undefined) context.timerService().registerEventTimeTimer(hour + HOUR - 1)
        hours.set(hour, { flights: (sum?.flights ?? 0) + 1, delay: (sum?.delay ?? 0) + delay })
      },
      onTimer(time, context, out) {
        const hour = time + 1 - HOUR
        const sum = hours.get(hour)
        if (sum === undefined) return
        hours.delete(hour)
        out.collect({
          airport: context.getCurrentKey(),
          hour,
          flights: sum.flights,
          meanDelay: sum.delay / sum.flights,
        })
      },
    }
  })
  .name('per airport and hour')
  .uid('hours')
  .sinkTo(FileSink.forJsonLines(output))
  .name('rows')
  .uid('rows')

await env.execute('flights')
