/** Attacks by plain JavaScript: asynchronous functions that reject, where a value is due. The host must never hear of the rejection. */
import { expect, test } from 'vitest'
import {
  AggregatingStateDescriptor,
  CollectSink,
  DiscardingSink,
  FileSink,
  FileSource,
  MapStateDescriptor,
  ReducingStateDescriptor,
  ValueStateDescriptor,
  WatermarkStrategy,
} from '../../src/index.ts'
import { Disk } from './followed-files.ts'
import { describeJobs, type World } from './harness.ts'
import { timedSource } from './parts.ts'

const untyped = (value: unknown) => value as never
const rejecting = untyped(async () => {
  throw new Error('nobody waits for this')
})
const RULES = new MapStateDescriptor<string, number>('rules')

function streams(world: World) {
  const env = world.env()
  const later = timedSource(world, { only: [{ afterMs: 1000, value: 'late' }] })
  const late = env.fromSource(later, WatermarkStrategy.noWatermarks(), 'late')
  return { env, numbers: env.fromSequence(1, 3), words: env.fromData(['a', 'b']), late }
}

type Streams = ReturnType<typeof streams>

const places: Readonly<Record<string, (all: Streams) => unknown>> = {
  map: ({ numbers }) => numbers.map<number>(rejecting).sinkTo(new DiscardingSink()),
  filter: ({ numbers }) => numbers.filter(rejecting).sinkTo(new DiscardingSink()),
  flatMap: ({ numbers }) => numbers.flatMap(rejecting).sinkTo(new DiscardingSink()),
  reduce: ({ numbers }) => numbers.keyBy(() => 1).reduce(rejecting),
  keyBy: ({ numbers }) => numbers.keyBy(rejecting).reduce((a) => a),
  partitionCustom: ({ numbers }) => numbers.partitionCustom(rejecting).sinkTo(new DiscardingSink()),
  'map of the second': ({ numbers, words }) =>
    numbers.connect(words).map(String, rejecting).sinkTo(new DiscardingSink()),
  'flatMap of the second': ({ numbers, words }) =>
    numbers
      .connect(words)
      .flatMap((value) => [String(value)], rejecting)
      .sinkTo(new DiscardingSink()),
  processElement2: ({ numbers, words }) =>
    numbers.connect(words).process(() => ({ processElement1() {}, processElement2: rejecting })),
  processBroadcastElement: ({ numbers, words }) =>
    numbers
      .connect(words.broadcast(RULES))
      .process(() => ({ processElement() {}, processBroadcastElement: rejecting })),
  applyToKeyedState: ({ numbers, late }) => {
    const count = new ValueStateDescriptor<number>('count')
    return numbers
      .keyBy(() => 1)
      .connect(late.broadcast(RULES))
      .process((at) => {
        const state = at.getState(count)
        return {
          processElement: () => state.update(1),
          processBroadcastElement: (_, here) => here.applyToKeyedState(count, rejecting),
        }
      })
  },
  onTimer: ({ numbers }) =>
    numbers
      .keyBy(() => 1)
      .process(() => ({
        processElement: (_, at) => at.timerService().registerEventTimeTimer(1),
        onTimer: rejecting,
      })),
  timestampAssigner: ({ numbers }) =>
    numbers
      .assignTimestampsAndWatermarks(
        WatermarkStrategy.forMonotonousTimestamps<number>().withTimestampAssigner(rejecting),
      )
      .sinkTo(new DiscardingSink()),
  'schema of a file source': ({ env }) => {
    env
      .fromSource(
        FileSource.forJsonLines('/in/a.jsonl', { schema: rejecting }),
        WatermarkStrategy.noWatermarks(),
        'files',
      )
      .sinkTo(new DiscardingSink())
  },
  'reduce of a state': ({ numbers }) =>
    numbers
      .keyBy(() => 1)
      .process((at) => {
        const sum = at.getReducingState(new ReducingStateDescriptor<number>('sum', rejecting))
        return { processElement: (value) => sum.add(value) }
      }),
  'add of an aggregate': ({ numbers }) =>
    numbers
      .keyBy(() => 1)
      .process((at) => {
        const aggregate = {
          createAccumulator: () => 0,
          add: rejecting,
          getResult: (sum: number) => sum,
          merge: (a: number, b: number) => a + b,
        }
        const sum = at.getAggregatingState(new AggregatingStateDescriptor<number, number, number>('sum', aggregate))
        return { processElement: (value) => sum.add(value) }
      }),
  'reduce of a state that expires': ({ numbers }) =>
    numbers
      .keyBy(() => 1)
      .process((at) => {
        const descriptor = new ReducingStateDescriptor<number>('sum', rejecting, { ttl: { ttl: '1 h' } })
        const sum = at.getReducingState(descriptor)
        return { processElement: (value) => sum.add(value) }
      }),
  bucketAssigner: ({ words }) => words.sinkTo(FileSink.forLines('/out', { bucketAssigner: rejecting })),
}

describeJobs('An asynchronous function that rejects fails the job and nothing else', (newWorld) => {
  test.each(Object.keys(places))('%s', async (place) => {
    const world = newWorld()
    new Disk(world).append('/in/a.jsonl', '1\n')
    const all = streams(world)
    places[place]?.(all)
    all.numbers.sinkTo(new CollectSink<number>())
    const failure = await world.failure(all.env.execute('x'))
    expect(failure).toMatchObject({
      code: 'JOB_FAILED',
      cause: { code: expect.stringMatching(/FUNCTION_RESULT_INVALID|KEY_INVALID|INVALID/) },
    })
  })
})
