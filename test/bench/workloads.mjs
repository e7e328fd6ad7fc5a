/** The frozen workloads as Millrace jobs, through the public API alone. */
import { END_OF_INPUT, MORE_AVAILABLE, ValueStateDescriptor, WatermarkStrategy } from 'millrace'
import { countHash, recordHash, recordMaker } from './generator.mjs'

/** How many records a reader emits in one poll: what the Flink programs of the same workloads use. */
const BATCH = 64

/** `i = subtask, subtask + parallelism, ...` below `records`; the position is the next index. */
function generated(records, make) {
  return {
    boundedness: 'bounded',
    createEnumerator: (context, restored) => {
      let unassigned =
        restored ??
        Array.from({ length: context.parallelism }, (_, index) => ({
          id: `${index}`,
          next: index,
          step: context.parallelism,
        }))
      return {
        start() {},
        addReader(subtask) {
          const mine = unassigned.filter((split) => Number(split.id) % context.parallelism === subtask)
          unassigned = unassigned.filter((split) => !mine.includes(split))
          context.assignSplits(subtask, mine)
          context.signalNoMoreSplits(subtask)
        },
        handleSplitRequest() {},
        addSplitsBack(splits) {
          unassigned.push(...splits)
        },
        snapshotState: () => unassigned,
        close() {},
      }
    },
    createReader: () => new GeneratedReader(records, make),
  }
}

class GeneratedReader {
  #records
  #make
  #split
  #next = 0
  #step = 1
  #ended = false
  #wake = () => {}

  constructor(records, make) {
    this.#records = records
    this.#make = make
  }

  start() {}

  pollNext(output) {
    if (this.#split === undefined) return this.#ended ? END_OF_INPUT : 1
    const make = this.#make
    const step = this.#step
    const stop = Math.min(this.#records, this.#next + BATCH * step)
    let index = this.#next
    for (; index < stop; index += step) output.collect(make(index))
    this.#next = index
    return index < this.#records ? MORE_AVAILABLE : END_OF_INPUT
  }

  isAvailable() {
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }

  snapshotState() {
    return this.#split === undefined ? [] : [{ ...this.#split, next: this.#next }]
  }

  addSplits([split]) {
    if (split === undefined) return
    this.#split = split
    this.#next = split.next
    this.#step = split.step
    this.#wake()
  }

  notifyNoMoreSplits() {
    this.#ended = true
    this.#wake()
  }

  close() {}
}

/** Number, wrapped sum and xor of one hash an output; the clock is read at every 64th. */
export class ChecksumSink {
  outputs = 0
  sum = 0
  xor = 0
  firstMs = 0
  lastMs = 0
  maxGapMs = 0
  gaps = []
  #hash

  constructor(hash) {
    this.#hash = hash
  }

  createWriter() {
    const hash = this.#hash
    return {
      write: (value) => {
        const h = hash(value)
        if ((this.outputs & 63) === 0) this.#look()
        this.outputs++
        this.sum = (this.sum + h) | 0
        this.xor ^= h
      },
      flush() {},
      close() {},
    }
  }

  checksum() {
    const hex = (number) => (number >>> 0).toString(16).padStart(8, '0')
    return `${this.outputs}:${hex(this.sum)}:${hex(this.xor)}`
  }

  #look() {
    const now = performance.now()
    if (this.outputs > 0) this.maxGapMs = Math.max(this.maxGapMs, now - this.lastMs)
    this.lastMs = now
  }
}

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

const none = () => WatermarkStrategy.noWatermarks()

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
  S2(env, options) {
    const sink = new ChecksumSink(countHash)
    env
      .fromSource(generated(options.records, recordMaker(options)), none(), 'records')
      .keyBy((record) => record.key)
      .process(counting)
      .uid('count')
      .sinkTo(sink)
    return sink
  },
  S7: (env, options) => workloads.S2(env, { ...options, preload: true }),
}

export const defaults = {
  S0: { records: 5_000_000, keys: 100_000 },
  S1: { records: 50_000_000, keys: 0 },
  S2: { records: 5_000_000, keys: 100_000 },
  S7: { records: 5_000_000, keys: 1_000_000 },
}
