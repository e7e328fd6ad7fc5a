/**
 * The job of docs/guides/savepoints.md: a program that is replaced by a newer one while it has state. The newer one keeps
 * more in its state, runs at another parallelism and keeps its state on disk.
 */
import { rmSync } from 'node:fs'
import {
  CollectSink,
  type Configuration,
  DataGeneratorSource,
  disposeSavepoint,
  type Serializer,
  StreamExecutionEnvironment,
  ValueStateDescriptor,
  WatermarkStrategy,
} from 'millrace'

rmSync('savepoints', { recursive: true, force: true })

interface Total {
  readonly euros: number
  readonly largest: number
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** What the first program wrote: the euros as a text. */
const eurosOnly: Serializer<Total> = {
  id: 'total',
  version: 1,
  serialize: ({ euros }) => encoder.encode(String(euros)),
  deserialize: (bytes) => ({ euros: Number(decoder.decode(bytes)), largest: 0 }),
}

/** What the second one writes, and what it makes of the bytes of the first. */
const total: Serializer<Total> = {
  id: 'total',
  version: 2,
  serialize: (value) => encoder.encode(JSON.stringify(value)),
  deserialize(bytes, version) {
    if (version === 1) return eurosOnly.deserialize(bytes, 1)
    return JSON.parse(decoder.decode(bytes))
  },
}

/** The euros of each of three customers, from 600 orders. */
function declare(sink: CollectSink<string>, serializer: Serializer<Total>, configuration: Configuration) {
  const env = StreamExecutionEnvironment.getExecutionEnvironment({ configuration })
  const orders = new DataGeneratorSource((index) => ({ customer: index % 3, euros: index % 10 }), {
    count: 600,
    ratePerSecond: 300,
  })
  env
    .fromSource(orders, WatermarkStrategy.noWatermarks(), 'orders')
    .uid('orders')
    .keyBy(({ customer }) => customer)
    .process<string>((ctx) => {
      const totals = ctx.getState(
        new ValueStateDescriptor('total', { serializer, default: (): Total => ({ euros: 0, largest: 0 }) }),
      )
      return {
        processElement({ customer, euros }, _, out) {
          const before = totals.value()
          totals.update({ euros: before.euros + euros, largest: Math.max(before.largest, euros) })
          out.collect(`customer ${customer}: ${totals.value().euros} euros`)
        },
      }
    })
    .uid('totals')
    .sinkTo(sink)
    .uid('sink')
  return env
}

const lines = new CollectSink<string>()
const old = await declare(lines, eurosOnly, {}).executeAsync('totals')
// One in the middle, for safety: the job runs on.
while (lines.results().length < 60) await new Promise((resolve) => setTimeout(resolve, 5))
const backup = await old.triggerSavepoint('savepoints')

// The last one of the old program.
const savepoint = await old.stopWithSavepoint({ drain: false, targetDirectory: 'savepoints' })

const onDisk: Configuration = { 'state.backend.type': 'leveldb', 'parallelism.default': 3 }
await declare(lines, total, onDisk).execute('totals', { fromSavepoint: savepoint, claimMode: 'NO_CLAIM' })

// The new program has done well: the savepoints are not needed any more.
for (const path of [backup, savepoint]) await disposeSavepoint(path)

const last = [0, 1, 2].map((customer) => lines.results().findLast((line) => line.startsWith(`customer ${customer}`)))
console.log(lines.results().length, last.join('; '))
