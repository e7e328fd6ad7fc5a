/**
 * The second job of docs/guides/state-and-timers.md: readings are compared with limits that come as a stream of their own,
 * as broadcast state. A sensor is reported once an hour at most: state with a time to live.
 */
import {
  type Collector,
  ListStateDescriptor,
  MapStateDescriptor,
  StreamExecutionEnvironment,
  ValueStateDescriptor,
} from 'millrace'

interface Reading {
  readonly sensor: string
  readonly kind: 'boiler' | 'freezer'
  readonly degrees: number
}
interface Limit {
  readonly kind: string
  readonly degrees: number
}

const env = StreamExecutionEnvironment.getExecutionEnvironment()
const readings = env.fromData<Reading>([
  { sensor: 'b1', kind: 'boiler', degrees: 88 },
  { sensor: 'f1', kind: 'freezer', degrees: -3 },
  { sensor: 'b1', kind: 'boiler', degrees: 93 },
  { sensor: 'b1', kind: 'boiler', degrees: 95 },
  { sensor: 'b2', kind: 'boiler', degrees: 91 },
])
const changes = env.fromData<Limit>([
  { kind: 'boiler', degrees: 90 },
  { kind: 'freezer', degrees: -10 },
])

const limits = new MapStateDescriptor<string, number>('limits')
const early = new ListStateDescriptor<Reading>('early')

readings
  .keyBy(({ sensor }) => sensor)
  .connect(changes.broadcast(limits))
  .process<string>((ctx) => {
    const reported = ctx.getState(new ValueStateDescriptor<number>('reported', { ttl: { ttl: '1 h' } }))
    const waiting = ctx.getListState(early)
    const compare = ({ sensor, degrees }: Reading, limit: number, out: Collector<string>) => {
      if (degrees <= limit || reported.value() !== undefined) return
      reported.update(degrees)
      out.collect(`${sensor}: ${degrees} degrees, above ${limit}`)
    }
    return {
      processElement(reading, context, out) {
        const limit = context.getBroadcastState(limits).get(reading.kind)
        if (limit === undefined) waiting.add(reading)
        else compare(reading, limit, out)
      },
      processBroadcastElement({ kind, degrees }, context, out) {
        context.getBroadcastState(limits).set(kind, degrees)
        context.applyToKeyedState(early, (_, list) => {
          const all = [...list.get()]
          list.update(all.filter((reading) => reading.kind !== kind))
          for (const reading of all) if (reading.kind === kind) compare(reading, degrees, out)
        })
      },
    }
  })
  .name('compare')
  .uid('compare')
  .print()

await env.execute('rules')
