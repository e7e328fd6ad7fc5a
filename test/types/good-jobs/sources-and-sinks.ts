/** Sources and sinks of a program's own, and those that are built in. */

import {
  defineSink,
  defineSource,
  type ElementOf,
  FileSink,
  type FileSinkOptions,
  FileSource,
  type SingleOutputStreamOperator,
  StreamExecutionEnvironment,
  Time,
  TimeUnit,
  WatermarkStrategy,
} from '../../../src/index.ts'
import { same } from './same.ts'

const env = StreamExecutionEnvironment.getExecutionEnvironment()

interface Row {
  readonly id: string
}
interface Database {
  stage(row: Row): void
  prepareTransaction(): Promise<string>
  commit(ids: readonly string[]): Promise<void>
}
declare const connect: () => Promise<Database>
declare const rows: SingleOutputStreamOperator<Row>
declare const subscribe: (
  id: string,
  options: { readonly from: number; readonly signal: AbortSignal },
) => AsyncIterable<{ readonly seq: number; readonly at: number }>

export function ownEnds(): void {
  const ticks = defineSource({
    boundedness: 'continuous-unbounded',
    splits: () => ['EURUSD', 'USDJPY'],
    start: () => 0,
    async *read(split, position, signal) {
      for await (const t of subscribe(split, { from: position, signal }))
        yield { value: t, position: t.seq + 1, timestamp: t.at }
    },
  })
  const stream = env.fromSource(
    ticks,
    WatermarkStrategy.forMonotonousTimestamps({ timestampAssigner: (tick) => tick.at }),
    'ticks',
  )
  same<ElementOf<typeof stream>, { readonly seq: number; readonly at: number }>(true)
  rows.sinkTo(
    defineSink({
      open: () => connect(),
      write: (db, row: Row) => db.stage(row),
      prepare: (db) => db.prepareTransaction(),
      commit: (db, ids) => db.commit(ids),
    }),
  )
}

interface Flight {
  readonly origin: string
  readonly delay: number
  readonly note?: string | undefined
}
declare const flights: SingleOutputStreamOperator<Flight>

export function filesOfRecords(): void {
  flights.sinkTo(FileSink.forCsv('out'))
  flights.sinkTo(
    FileSink.forCsv('out', {
      columns: ['origin', 'delay'],
      header: false,
      delimiter: ';',
      bucketAssigner: (flight) => `origin=${flight.origin}`,
      rolling: { maxPartSize: '16 mb', rolloverInterval: '5 min', inactivityInterval: Time.of(1, TimeUnit.MINUTES) },
      maxOpenFiles: 32,
    }),
  )
  flights.sinkTo(FileSink.forJsonLines('out', { bucketAssigner: ({ origin }) => origin.toLowerCase() }))
  flights.map(({ origin }) => origin).sinkTo(FileSink.forLines('out', { bucketAssigner: (line) => line.slice(0, 2) }))
  const made = FileSink.forCsv<Flight>('out', { columns: ['delay', 'origin'] })
  flights.sinkTo(made)
  const read = env.fromSource(FileSource.forCsv('in', { columns: ['origin', 'delay'] }), noWatermarks, 'in')
  same<ElementOf<typeof read>, { origin: string; delay: string }>(true)
  const numbers = env.fromSource(
    FileSource.forJsonLines('in', { schema: (value) => Number(value) }),
    noWatermarks,
    'in',
  )
  same<ElementOf<typeof numbers>, number>(true)
  const raw = env.fromSource(FileSource.forJsonLines('in'), noWatermarks, 'in')
  same<ElementOf<typeof raw>, unknown>(true)
}

const noWatermarks = WatermarkStrategy.noWatermarks()

/** Options from elsewhere, forwarded as they are. */
export function forwarded(
  rolling: FileSinkOptions<Flight>['rolling'],
  bucket: ((of: Flight) => string) | undefined,
): void {
  flights.sinkTo(FileSink.forJsonLines('out', { rolling, bucketAssigner: bucket }))
}

export function withoutStart(): void {
  const source = defineSource({
    boundedness: 'bounded',
    splits: async () => [{ id: 'a', position: 5 }, 'b'],
    async *read(split, position) {
      yield { value: split, position: (position ?? 0) + 1 }
    },
  })
  same<ElementOf<ReturnType<typeof read>>, string>(true)
  function read() {
    return env.fromSource(source, noWatermarks, 'in')
  }
}
