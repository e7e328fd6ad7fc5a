/** Jobs that cannot keep up, whose checkpoints overtake what waits: whatever is done to them, their output is known. */
import { decodeMetadata, METADATA_NAME } from '../../src/checkpoint/metadata-format.ts'
import {
  type Configuration,
  type DataStream,
  RestartStrategies,
  type StreamExecutionEnvironment,
  ValueStateDescriptor,
  WatermarkStrategy,
} from '../../src/index.ts'
import type { World } from './harness.ts'
import { type Ledger, range, ticks } from './parts.ts'

/** Unaligned checkpoints that outlive the job, small channels, and as many restarts as a test wants. */
export function overtaking(world: World, configuration: Configuration = {}): StreamExecutionEnvironment {
  return world
    .env()
    .enableCheckpointing(40)
    .setRestartStrategy(RestartStrategies.fixedDelayRestart(20, 5))
    .configure({
      'execution.checkpointing.unaligned.enabled': true,
      'execution.checkpointing.dir': '/checkpoints',
      'execution.checkpointing.data-inline-threshold': 0,
      'execution.checkpointing.externalized-checkpoint-retention': 'RETAIN_ON_CANCELLATION',
      'execution.channel-credit': 8,
      ...configuration,
    })
}

const KEYS = 5

/** Numbers each record of its key. */
export function numbered(stream: DataStream<number>, parallelism: number, uid = 'counts'): DataStream<string> {
  return stream
    .keyBy((value) => value % KEYS)
    .process<string>((context) => {
      const count = context.getState(new ValueStateDescriptor('count', { default: () => 0 }))
      return {
        processElement(value, at, out) {
          count.update(count.value() + 1)
          out.collect(`${at.getCurrentKey()}:${count.value()} is ${value}`)
        },
      }
    })
    .setParallelism(parallelism)
    .name(uid)
    .uid(uid)
}

/** In the order of the input, which every key keeps. */
export const numberedOf = (count: number): readonly string[] =>
  range(0, count - 1)
    .map((value) => `${value % KEYS}:${Math.floor(value / KEYS) + 1} is ${value}`)
    .toSorted()

export interface PressedOptions {
  readonly count: number
  readonly parallelism?: number | undefined
}

/** A record comes every millisecond, over two exchanges, to a sink that takes longer: records wait before both. */
export function pressed(
  env: StreamExecutionEnvironment,
  world: World,
  sink: Ledger<string>,
  { count, parallelism = 2 }: PressedOptions,
): void {
  const source = env.fromSource(ticks(world, count, 1), WatermarkStrategy.noWatermarks(), 'ticks').uid('ticks')
  numbered(source.setParallelism(1), parallelism)
    .rebalance()
    .sinkTo(sink)
    .setParallelism(parallelism)
    .name('slow')
    .uid('slow')
}

/** Checkpoints that hold records in flight. */
export const holding = (world: World) =>
  world.ofType('checkpoint.completed').filter(({ persistedBytes }) => persistedBytes > 0)

/** Partitioners of the edges that the newest checkpoint holds records of, and side outputs by their names. */
export function edgesHeld(world: World): readonly string[] {
  const path = `${world.ofType('checkpoint.completed').at(-1)?.path}/${METADATA_NAME}`
  // It may be subsumed already where the event comes late.
  const found = world.files.disk.find(path)
  if (found?.kind !== 'file') return []
  const { bytes, length } = found
  const edges = decodeMetadata(bytes.subarray(0, length), path).operators.flatMap(({ subtasks }) =>
    subtasks.flatMap(({ channels }) => channels?.edges ?? []),
  )
  return [...new Set(edges.map(({ edge, partitioner }) => edge.sideOutput ?? partitioner))].toSorted()
}
