/** The frozen workloads as Millrace jobs, through the public API alone. */
import { ValueStateDescriptor, WatermarkStrategy } from 'millrace'
import { ChecksumSink } from './checksum-sink.mjs'
import { generated } from './generated-source.mjs'
import { countHash, recordHash, recordMaker } from './generator.mjs'
import { processSeconds } from './measure.mjs'
import { block, sleepingSink } from './sleeping.mjs'

const counting = (ctx) => {
  const count = ctx.getState(new ValueStateDescriptor('count', { default: () => 0 }))
  return {
    processElement(record, _context, out) {
      const next = count.value() + 1
      count.update(next)
      out.collect({ key: record.key, count: next })
    },
  }
}

/** Fails once: after `failAfter` records of the attempt and `minCheckpoints` completed checkpoints. */
const failingOnce =
  ({ failAfter, minCheckpoints, probe, halt }) =>
  (ctx) => {
    const plain = counting(ctx)
    let seen = 0
    let completed = 0
    return {
      processElement(record, context, out) {
        seen++
        if (seen >= failAfter && completed >= minCheckpoints && probe.failedMs === undefined) {
          probe.failedMs = performance.now()
          probe.failedCpu = processSeconds()
          halt?.(seen)
          throw new Error('injected failure')
        }
        plain.processElement(record, context, out)
      },
      notifyCheckpointComplete() {
        completed++
      },
    }
  }

/** Records a poll: as the Flink program of S5. */
const ONE_AT_A_TIME = 1

const none = () => WatermarkStrategy.noWatermarks()

function countPerKey(env, options, create, sink) {
  env
    .fromSource(generated(options.records, recordMaker(options)), none(), 'records')
    .keyBy((record) => record.key)
    .process(create)
    .uid('count')
    .sinkTo(sink)
    .uid('sink')
  return sink
}

/** Builds the job into `env` and returns its sink. */
export const workloads = {
  S0(env, options) {
    const sink = new ChecksumSink(recordHash)
    env.fromSource(generated(options.records, recordMaker(options)), none(), 'records').sinkTo(sink)
    return sink
  },
  S1(env, { records }) {
    const sink = new ChecksumSink((y) => y)
    env
      .fromSource(
        generated(records, (i) => i),
        none(),
        'ints',
      )
      .map((i) => (2 * i + 1) | 0)
      .filter((y) => y % 3 === 0)
      .sinkTo(sink)
    return sink
  },
  S2: (env, options) => countPerKey(env, options, counting, new ChecksumSink(countHash)),
  /** `counted.emitted`: how many records the sources have emitted. */
  S5(env, { sleepMs, sleeps, counted, ...options }) {
    const sink = new ChecksumSink(countHash)
    const record = recordMaker(options)
    const make = (i) => {
      counted.emitted++
      // Plain, since an unaligned checkpoint stores it: no default serializer knows a class of the user's.
      return { ...record(i) }
    }
    const blocks = sleeps === 'block'
    const [first, ...others] = [0, 1, 2].map((n) =>
      env.fromSource(generated(options.records, make, ONE_AT_A_TIME), none(), `records ${n}`).uid(`records-${n}`),
    )
    first
      .union(...others)
      .keyBy(({ key }) => key)
      .map(({ key }) => {
        if (blocks) block(sleepMs)
        return { key, count: 1 }
      })
      .uid('slow')
      .sinkTo(blocks ? sink : sleepingSink(sink, sleepMs))
      .uid('sink')
    return sink
  },
  S6(env, { failure, ...options }) {
    const create = failure === undefined ? counting : failingOnce(failure)
    return countPerKey(
      env,
      { ...options, preload: true },
      create,
      new ChecksumSink(countHash, { probe: failure?.probe }),
    )
  },
  S7(env, options) {
    // Every key once, and then the state no longer grows.
    const steadyFrom = Math.ceil(options.keys / options.parallelism)
    return countPerKey(env, { ...options, preload: true }, counting, new ChecksumSink(countHash, { steadyFrom }))
  },
}

export const defaults = {
  S0: { records: 5_000_000, keys: 100_000 },
  S1: { records: 50_000_000, keys: 0 },
  S2: { records: 5_000_000, keys: 100_000 },
  /** It never comes to its end. */
  S5: { records: 2 ** 31 - 1, keys: 100_000 },
  S6: { records: 12_000_000, keys: 1_000_000 },
  S7: { records: 5_000_000, keys: 1_000_000 },
}
