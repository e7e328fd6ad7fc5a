/** Sinks for something else. Each sentence says what is wrong; the line below it must not compile. */
import {
  CollectSink,
  defineSink,
  FileSink,
  FileSource,
  type SingleOutputStreamOperator,
  type Sink,
  type SinkWriter,
} from '../../../src/index.ts'

interface Order {
  readonly id: string
  readonly amount: number
}

declare const orders: SingleOutputStreamOperator<Order>
declare const numbers: SingleOutputStreamOperator<number>
declare const ofNumbers: Sink<number>
declare const later: Promise<Sink<Order>>
declare const writer: SinkWriter<number>

export function ofAnotherType(): void {
  // @ts-expect-error sinkTo: a sink for another type
  orders.sinkTo(ofNumbers)
  // @ts-expect-error sinkTo: a sink of lines for records that are no texts
  orders.sinkTo(FileSink.forLines('out'))
  // @ts-expect-error sinkTo: a sink for orders, written as such
  numbers.sinkTo(FileSink.forJsonLines<Order>('out'))
  // @ts-expect-error sinkTo: a CSV file has records with fields
  numbers.sinkTo(FileSink.forCsv('out'))
  // @ts-expect-error sinkTo: collects something else
  orders.sinkTo(new CollectSink<string>())
  // @ts-expect-error Sink: one for numbers is none for numbers and texts
  const wider: Sink<number | string> = ofNumbers
  // @ts-expect-error SinkWriter: nor is a writer
  const widerWriter: SinkWriter<number | string> = writer
  numbers.sinkTo(wider).name(typeof widerWriter)
}

export function noSinks(): void {
  // @ts-expect-error sinkTo: a path is no sink: FileSink.forLines(path)
  orders.sinkTo('out')
  // @ts-expect-error sinkTo: a source is no sink
  orders.sinkTo(FileSource.forLines('in'))
  // @ts-expect-error sinkTo: a promise of a sink is no sink
  orders.sinkTo(later)
  // @ts-expect-error sinkTo: the sink was not called
  orders.sinkTo(FileSink.forJsonLines)
}

export function files(): void {
  // @ts-expect-error columns: a record has no such property
  orders.sinkTo(FileSink.forCsv('out', { columns: ['id', 'amuont'] }))
  // @ts-expect-error header: without one, the columns must be named
  orders.sinkTo(FileSink.forCsv('out', { header: false }))
  // @ts-expect-error bucketAssigner: a bucket is a text
  orders.sinkTo(FileSink.forJsonLines('out', { bucketAssigner: (order) => order.amount }))
  // @ts-expect-error bucketAssigner: nobody waits for a bucket
  orders.sinkTo(FileSink.forJsonLines('out', { bucketAssigner: async (order) => order.id }))
  // @ts-expect-error bucketAssigner: a record has no such property
  orders.sinkTo(FileSink.forJsonLines('out', { bucketAssigner: (order) => order.country }))
  // @ts-expect-error maxPartSize: a misspelt unit
  FileSink.forLines('out', { rolling: { maxPartSize: '10 mbb' } })
  // @ts-expect-error rolloverInterval: a misspelt unit
  FileSink.forLines('out', { rolling: { rolloverInterval: '10 sconds' } })
  // @ts-expect-error rolling: there is no such option
  FileSink.forLines('out', { rolling: { maxSize: '10 mb' } })
}

export function defined(): void {
  const parts = { open: () => ({ rows: [''] }), prepare: () => 5 }
  orders.sinkTo(
    // @ts-expect-error defineSink: writes records of another type
    defineSink({ ...parts, write: (to, row: string) => to.rows.push(row), commit: () => {} }),
  )
  // @ts-expect-error defineSink: commits ids of another type than it prepares
  defineSink({ ...parts, write: (to, row: string) => to.rows.push(row), commit: (_to, ids: string[]) => ids })
  // @ts-expect-error defineSink: without commit nothing becomes visible
  defineSink({ ...parts, write: (to, row: string) => to.rows.push(row) })
}
