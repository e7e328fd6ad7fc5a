/**
 * The job that follows files while it is killed: lines that are appended and files that come, numbered by union state, and
 * rules that are broadcast; chains and event-time windows for each key, answers by timers of both clocks; rows in buckets
 * of CSV, late records and invalid lines in sinks of their own. It ends when it is suspended.
 *
 * millrace run [options] followed-job.mjs --input DIR --output DIR
 *
 * --fault breaks it on purpose: commit-early, drop-timers or forget-union.
 */
import { parseArgs } from 'node:util'
import { FileSink, FileSource, OutputTag, StreamExecutionEnvironment, WatermarkStrategy } from 'millrace'
import { answering, COLUMNS, late, newest, numbering } from './followed-functions.mjs'
import { END_MS, LAG_MS } from './followed-input.mjs'
import { slowSink } from './slow-sink.mjs'
import { trace } from './trace.mjs'
import { traceEvents } from './trace-events.mjs'
import { tracedSink } from './traced-sink.mjs'

const { values } = parseArgs({
  options: {
    input: { type: 'string' },
    output: { type: 'string' },
    /** Of each writer of rows, records a second; 0: as fast as it goes. */
    'sink-rate': { type: 'string', default: '0' },
    fault: { type: 'string', default: 'none' },
  },
})
const { input, output, fault } = values
const rate = Number(values['sink-rate'])
const follow = { monitorContinuously: '15 ms' }
const invalid = new OutputTag('invalid')
const traced = (sink) => tracedSink(sink, { commitEarly: fault === 'commit-early' })
const byTheirTime = WatermarkStrategy.forBoundedOutOfOrderness(LAG_MS, { timestampAssigner: ({ at }) => at })
/** Rules hold nothing up. */
const always = WatermarkStrategy.forGenerator(() => ({
  onEvent() {},
  onPeriodicEmit: (out) => out.emitWatermark(2 * END_MS),
}))

const env = StreamExecutionEnvironment.getExecutionEnvironment()
const rules = env
  .fromSource(FileSource.forJsonLines(`${input}/rules`, follow), WatermarkStrategy.noWatermarks(), 'rules')
  .uid('rules')
  .setParallelism(1)
  .assignTimestampsAndWatermarks(always)
  .uid('rules-watermarks')
  .setParallelism(1)
const records = env
  .fromSource(FileSource.forJsonLines(`${input}/records`, { ...follow, onInvalid: invalid }), byTheirTime, 'records')
  .uid('records')
const rows = records
  .process(numbering(fault))
  .name('number')
  .uid('number')
  .keyBy(({ key }) => key)
  .connect(rules.broadcast(newest))
  .process(answering(fault))
  .name('answer')
  .uid('answer')
rows
  .sinkTo(
    slowSink(
      traced(
        FileSink.forCsv(`${output}/rows`, { columns: COLUMNS, bucketAssigner: ({ kind }) => kind, maxOpenFiles: 3 }),
      ),
      rate,
    ),
  )
  .name('rows')
  .uid('rows')
rows
  .getSideOutput(late)
  .sinkTo(traced(FileSink.forJsonLines(`${output}/late`)))
  .name('late')
  .uid('late')
records
  .getSideOutput(invalid)
  .sinkTo(traced(FileSink.forJsonLines(`${output}/invalid`)))
  .name('invalid')
  .uid('invalid')

trace('execute')
process.on('exit', () => trace('exit'))
await traceEvents(await env.executeAsync('followed'))
