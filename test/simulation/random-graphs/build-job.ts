/** A plan as a program: the whole graph declared in an environment, with what the process has of each sink. */
import type { Clock } from '../../../src/base/clock.ts'
import {
  type DataStream,
  RestartStrategies,
  type SingleOutputStreamOperator,
  type StreamExecutionEnvironment,
} from '../../../src/index.ts'
import { buildNode } from './build-nodes.ts'
import { buildSource } from './build-sources.ts'
import type { OutsideSink } from './outside.ts'
import { partitioned } from './partitioned.ts'
import type { Backend, Plan } from './plan.ts'
import type { Row } from './records.ts'
import type { Trouble } from './trouble.ts'

export const CHECKPOINTS = '/data/checkpoints'
/** Where state on disk works. */
export const SCRATCH = '/data/scratch'

export interface ProcessOfPlan {
  /** Counted from 0. */
  readonly lived: number
  readonly trouble: Trouble
  readonly clock: Clock
  readonly outside: readonly OutsideSink[]
}

/** The parallelism of process `lived`, where `drawn` has one for each, over and over. */
const parallelismIn = (drawn: readonly number[], lived: number): number => drawn[lived % drawn.length] ?? 1

/** Of the operator behind each stream, in one process; a union has none. */
export function parallelismOfStreams({ sources, nodes }: Plan, lived: number): readonly number[] {
  const all = sources.map(({ parallelism }) => parallelismIn(parallelism, lived))
  for (const { parallelism, inputs, outputs } of nodes) {
    const own = parallelism === 'as input' ? (all[inputs[0]?.stream ?? 0] ?? 1) : parallelismIn(parallelism, lived)
    all.push(...outputs.map(() => own))
  }
  return all
}

export function configure(env: StreamExecutionEnvironment, { settings }: Plan, backend: Backend): void {
  env
    .setMaxParallelism(settings.maxParallelism)
    .setRestartStrategy(RestartStrategies.fixedDelayRestart(1000, settings.restartDelayMs))
    .configure({
      'execution.checkpointing.interval': settings.intervalMs,
      'execution.checkpointing.min-pause': settings.minPauseMs,
      'execution.checkpointing.max-concurrent-checkpoints': settings.concurrent,
      'execution.checkpointing.unaligned.enabled': settings.mode !== 'aligned',
      'execution.checkpointing.aligned-checkpoint-timeout':
        settings.mode === 'alternating' ? settings.alignedTimeoutMs : 0,
      'execution.checkpointing.dir': CHECKPOINTS,
      'execution.checkpointing.externalized-checkpoint-retention': 'RETAIN_ON_CANCELLATION',
      'execution.checkpointing.tolerable-failed-checkpoints': 2 ** 31 - 1,
      'execution.checkpointing.data-inline-threshold': settings.inlineThreshold,
      'execution.channel-credit': settings.credit,
      'execution.debug-freeze': settings.freeze,
      'pipeline.operator-chaining.enabled': settings.chaining,
      'pipeline.auto-watermark-interval': settings.watermarkIntervalMs,
      'state.backend.type': backend,
      'state.backend.leveldb.cache-size': settings.cacheBytes,
      'state.backend.leveldb.localdir': SCRATCH,
      'execution.checkpointing.incremental': settings.incremental,
      'execution.checkpointing.num-retained': settings.retained,
    })
}

/** The streams, by number. */
export function buildJob(
  env: StreamExecutionEnvironment,
  plan: Plan,
  { lived, trouble, clock, outside }: ProcessOfPlan,
): readonly DataStream<Row>[] {
  const { settings, sources, nodes, sinks } = plan
  const parallelisms = parallelismOfStreams(plan, lived)
  const named = <T>(operator: SingleOutputStreamOperator<T>, name: string) =>
    settings.uids ? operator.uid(name).name(name) : operator.name(name)
  const streams: DataStream<Row>[] = []
  for (const [nth, source] of sources.entries()) {
    const parallelism = parallelisms[nth] as number
    streams.push(
      buildSource(env, source, {
        trouble,
        clock,
        settle: (operator, name) => named(operator, name).setParallelism(parallelism),
      }),
    )
  }
  for (const node of nodes) {
    const parallelism = parallelisms[node.outputs[0] as number] as number
    const settle = <T>(operator: SingleOutputStreamOperator<T>, name: string) => {
      const settled = named(operator, `node ${node.salt} ${name}`).setParallelism(parallelism)
      if (node.maxParallelism !== undefined) settled.setMaxParallelism(node.maxParallelism)
      if (node.chaining === 'head') settled.startNewChain()
      if (node.chaining === 'never') settled.disableChaining()
      return settled
    }
    streams.push(...buildNode(node, streams, { trouble, settle }))
  }
  for (const [nth, { input, parallelism, chained }] of sinks.entries()) {
    const { stream, partitioner } = input
    const rows = partitioned(streams[stream] as DataStream<Row>, partitioner, trouble)
    const sink = rows.sinkTo((outside[nth] as OutsideSink).sink(trouble, clock)).name(`sink ${nth}`)
    const forward = partitioner === 'forward' ? parallelisms[stream] : undefined
    sink.setParallelism(forward ?? parallelismIn(parallelism, lived))
    if (settings.uids) sink.uid(`sink ${nth}`)
    if (!chained) sink.disableChaining()
  }
  return streams
}
