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
import {
  FileSink,
  FileSource,
  ListStateDescriptor,
  MapStateDescriptor,
  OutputTag,
  StreamExecutionEnvironment,
  ValueStateDescriptor,
  WatermarkStrategy,
} from 'millrace'
import { END_MS, FAREWELL_MS, LAG_MS, noteOf, TICKET_EVERY, ticketDelayMs, windowEnd } from './followed-input.mjs'
import { link } from './input.mjs'
import { trace } from './trace.mjs'
import { traceEvents } from './trace-events.mjs'
import { tracedSink } from './traced-sink.mjs'

const { values } = parseArgs({
  options: { input: { type: 'string' }, output: { type: 'string' }, fault: { type: 'string', default: 'none' } },
})
const { input, output, fault } = values
const follow = { monitorContinuously: '15 ms' }
const COLUMNS = ['kind', 'key', 'n', 'chain', 'at', 'rule', 'rules', 'nth', 'subtask', 'parallelism', 'note']
const invalid = new OutputTag('invalid')
const late = new OutputTag('late')
const newest = new MapStateDescriptor('newest rule')
const NO_RULE = { version: 0, chain: 0 }

/** Which record of its file each one is. Any subtask may get any file: all of them know the counts of all. */
function number() {
  const counts = new Map()
  let stored
  return {
    initializeState(context) {
      stored = context.getOperatorStateStore().getUnionListState(new ListStateDescriptor('counts'))
      if (fault === 'forget-union') return
      for (const [file, count] of stored.get()) counts.set(file, Math.max(count, counts.get(file) ?? 0))
    },
    snapshotState() {
      stored.update([...counts])
    },
    processElement(record, _, out) {
      if (record.mark === true) return
      const nth = (counts.get(record.file) ?? 0) + 1
      counts.set(record.file, nth)
      out.collect({ ...record, nth })
    },
  }
}

function answer(context) {
  const total = context.getState(new ValueStateDescriptor('total', { default: () => ({ count: 0, chain: 0 }) }))
  const windows = context.getMapState(new MapStateDescriptor('windows'))
  /** Behind a restart watermarks begin anew: what was answered before must not be answered again. */
  const answered = context.getState(new ValueStateDescriptor('answered', { default: () => 0 }))
  const tickets = context.getMapState(new MapStateDescriptor('tickets'))
  const place = { subtask: context.indexOfThisSubtask, parallelism: context.numberOfParallelSubtasks }
  const row = (kind, key, fields) => ({ kind, key, rule: 0, rules: 0, nth: 0, note: '', ...place, ...fields })
  /** Of this life: a job that drops timers has only these. */
  const registered = new Set()
  const dropped = (key, ms) => fault === 'drop-timers' && !registered.has(`${key}/${ms}`)
  return {
    processElement({ key, value, at, nth }, context, out) {
      const before = total.value()
      const n = before.count + 1
      const chain = link(before.chain, value)
      total.update({ count: n, chain })
      const rule = context.getBroadcastState(newest).get('newest') ?? NO_RULE
      out.collect(row('event', key, { n, chain, at, rule: rule.version, rules: rule.chain, nth, note: noteOf(value) }))

      const timers = context.timerService()
      const end = windowEnd(at)
      const watermark = Math.max(0, timers.currentWatermark())
      if (end <= Math.max(watermark, answered.value()))
        context.output(late, { key, n, at, watermark, answered: answered.value() })
      else {
        const window = windows.get(end) ?? { count: 0, chain: 0 }
        windows.set(end, { count: window.count + 1, chain: link(window.chain, value) })
        timers.registerEventTimeTimer(end)
        registered.add(`${key}/${end}`)
      }
      timers.deleteEventTimeTimer(FAREWELL_MS + before.count)
      timers.registerEventTimeTimer(FAREWELL_MS + n)
      registered.add(`${key}/${FAREWELL_MS + n}`)
      if (n % TICKET_EVERY === 0) {
        const due = timers.currentProcessingTime() + ticketDelayMs(value)
        tickets.set(due, [...(tickets.get(due) ?? []), { n, chain }])
        timers.registerProcessingTimeTimer(due)
        registered.add(`${key}/${due}`)
      }
    },
    processBroadcastElement({ version, value }, context, out) {
      const state = context.getBroadcastState(newest)
      const chain = link((state.get('newest') ?? NO_RULE).chain, value)
      state.set('newest', { version, chain })
      out.collect(row('rule', 'rule', { n: version, chain, at: 0 }))
    },
    onTimer(at, context, out) {
      const key = context.getCurrentKey()
      if (dropped(key, at)) return
      if (context.timeDomain() === 'processing-time') {
        for (const { n, chain } of tickets.get(at) ?? []) out.collect(row('ticket', key, { n, chain, at }))
        tickets.delete(at)
      } else if (at >= FAREWELL_MS) {
        const { count, chain } = total.value()
        out.collect(row('farewell', key, { n: count, chain, at }))
      } else {
        const { count, chain } = windows.get(at)
        windows.delete(at)
        answered.update(at)
        out.collect(row('window', key, { n: count, chain, at }))
      }
    },
  }
}

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
  .process(number)
  .name('number')
  .uid('number')
  .keyBy(({ key }) => key)
  .connect(rules.broadcast(newest))
  .process(answer)
  .name('answer')
  .uid('answer')
rows
  .sinkTo(
    traced(
      FileSink.forCsv(`${output}/rows`, { columns: COLUMNS, bucketAssigner: ({ kind }) => kind, maxOpenFiles: 3 }),
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
