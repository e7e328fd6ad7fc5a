/**
 * The job that gets killed: a replayable source, a hash chain per key in keyed state, an exactly-once sink. Each record
 * that comes out says how many values its key has seen and what chain they form.
 *
 * millrace run [options] chain-job.mjs --seed 1 --records 20000 --rate 20000 --output DIR --sink file|ledger
 */
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { defineSource, FileSink, StreamExecutionEnvironment, ValueStateDescriptor, WatermarkStrategy } from 'millrace'
import { link, PARTITIONS, recordAt, recordsIn } from './input.mjs'
import { ledgerSink } from './ledger-sink.mjs'
import { breakSharedFiles } from './shared-faults.mjs'
import { slowSink } from './slow-sink.mjs'
import { trace } from './trace.mjs'
import { traceEvents } from './trace-events.mjs'
import { tracedSink } from './traced-sink.mjs'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    records: { type: 'string', default: '20000' },
    /** Records a second of all partitions together; 0: as fast as it goes. */
    rate: { type: 'string', default: '0' },
    output: { type: 'string' },
    sink: { type: 'string', default: 'file' },
    /** Of each writer, records a second; 0: as fast as it goes. */
    'sink-rate': { type: 'string', default: '0' },
    'commit-early': { type: 'boolean', default: false },
    /** Of shared-faults.mjs. */
    fault: { type: 'string' },
  },
})
const seed = Number(values.seed)
const records = Number(values.records)
const rate = Number(values.rate)
const BATCH = 64
const batchMs = rate === 0 ? 0 : (BATCH * PARTITIONS * 1000) / rate

const numbers = defineSource({
  boundedness: 'bounded',
  splits: () => Array.from({ length: PARTITIONS }, (_, partition) => String(partition)),
  start: () => 0,
  async *read(split, from, signal) {
    const partition = Number(split)
    const end = recordsIn(partition, records)
    for (let seq = from; seq < end && !signal.aborted; seq++) {
      if (batchMs > 0 && seq % BATCH === BATCH - 1) await pause(batchMs)
      yield { value: recordAt(seed, partition, seq), position: seq + 1 }
    }
  },
})

const sink = values.sink === 'file' ? FileSink.forJsonLines(values.output) : ledgerSink(values.output)
const env = StreamExecutionEnvironment.getExecutionEnvironment()
env
  .fromSource(numbers, WatermarkStrategy.noWatermarks(), 'numbers')
  .uid('numbers')
  .keyBy(({ key }) => key)
  .process((context) => {
    const state = context.getState(new ValueStateDescriptor('chain'))
    return {
      processElement({ key, value }, _, out) {
        const { count, chain } = state.value() ?? { count: 0, chain: 0 }
        const next = { count: count + 1, chain: link(chain, value) }
        state.update(next)
        out.collect({ key, ...next })
      },
    }
  })
  .name('chain')
  .uid('chain')
  .sinkTo(slowSink(tracedSink(sink, { commitEarly: values['commit-early'] }), Number(values['sink-rate'])))
  .name('rows')
  .uid('rows')

if (values.fault !== undefined) await breakSharedFiles(values.fault)
trace('execute')
process.on('exit', () => trace('exit'))
await traceEvents(await env.executeAsync('chain'))
