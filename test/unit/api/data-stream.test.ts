import { describe, expect, it } from 'vitest'
import type { StreamExecutionEnvironment } from '../../../src/api/stream-execution-environment.ts'
import { DiscardingSink } from '../../../src/connectors/discarding/discarding-sink.ts'
import type { JobGraph } from '../../../src/graph/job-graph.ts'
import { OutputTag } from '../../../src/operators/functions.ts'
import { WatermarkStrategy } from '../../../src/operators/watermark-strategy.ts'
import { Launchpad } from './started-job.ts'

async function graphOf(declare: (env: StreamExecutionEnvironment) => unknown): Promise<JobGraph> {
  const pad = new Launchpad()
  declare(pad.env)
  await pad.env.execute('job')
  return pad.last().graph
}

const names = (graph: JobGraph) => graph.vertices.map(({ name }) => name)

describe('what a program declares', () => {
  it('is named as Flink names it', async () => {
    const graph = await graphOf((env) => {
      const stream = env
        .fromSequence(1, 9)
        .map((value) => value)
        .flatMap((value) => [value])
        .filter((value) => value > 0)
        .process<number>(() => ({ processElement: (value, _context, out) => out.collect(value) }))
        .assignTimestampsAndWatermarks(WatermarkStrategy.noWatermarks())
      const keyed = stream.keyBy((value) => value)
      keyed.reduce((a, b) => a + b).print()
      keyed.process<number>(() => ({ processElement() {} })).sinkTo(new DiscardingSink())
    })
    expect(names(graph)).toEqual([
      'Source: Sequence Source -> Map -> Flat Map -> Filter -> Process -> Timestamps/Watermarks',
      'Keyed Reduce -> Sink: Print to Std. Out',
      'Keyed Process -> Sink: Unnamed',
    ])
  })

  it('keeps the names and uids that the program gives', async () => {
    const graph = await graphOf((env) => {
      env
        .fromData([1])
        .name('ones')
        .uid('ones')
        .map((value) => value)
        .name('same')
        .print()
        .name('screen')
        .uid('screen')
    })
    expect(names(graph)).toEqual(['Source: ones -> same -> Sink: screen'])
    expect(graph.vertices[0]?.operators.map(({ uid }) => uid)).toEqual(['ones', undefined, 'screen'])
  })

  it('has the parallelism of the environment at that moment, a collection 1', async () => {
    const graph = await graphOf((env) => {
      env.setParallelism(2)
      const sequence = env.fromSequence(1, 9)
      env.setParallelism(3)
      sequence
        .map((value) => value)
        .union(env.fromData([1]))
        .print()
        .setParallelism(4)
    })
    expect(graph.vertices.map(({ name, parallelism }) => [name, parallelism])).toEqual([
      ['Source: Sequence Source', 2],
      ['Map', 3],
      ['Source: Collection Source', 1],
      ['Sink: Print to Std. Out', 4],
    ])
  })

  it.each(['rebalance', 'rescale', 'shuffle', 'global', 'forward', 'broadcast'] as const)(
    'goes out by %s',
    async (type) => {
      const graph = await graphOf((env) =>
        env
          .fromData([1])
          [type]()
          .map((value) => value)
          .startNewChain(),
      )
      expect(graph.edges.map(({ partitioner }) => partitioner.type)).toEqual([type])
    },
  )

  it('goes out by key, with the selector', async () => {
    const selector = (value: number) => value % 2
    const graph = await graphOf((env) =>
      env
        .fromData([1])
        .keyBy(selector)
        .map((value) => value),
    )
    expect(graph.edges[0]?.partitioner).toEqual({ type: 'hash', keySelector: selector })
    expect(graph.vertices[1]?.operators[0]?.keyed).toBe(false)
  })

  it('has keyed state in reduce and process behind a keyBy, and there only', async () => {
    const graph = await graphOf((env) => {
      const keyed = env.fromData([1]).keyBy((value) => value)
      keyed.reduce((a, b) => a + b).map((value) => value)
      keyed.process<number>(() => ({ processElement() {} }))
    })
    const keyed = graph.vertices.flatMap(({ operators }) => operators.filter((o) => o.keyed).map(({ name }) => name))
    expect(keyed).toEqual(['Keyed Reduce', 'Keyed Process'])
  })

  it('goes out as a partitioner of the program says, by record or by a selected key', async () => {
    const graph = await graphOf((env) => {
      const words = env.fromData(['a', 'bbb'])
      words.partitionCustom((word, partitions) => word.length % partitions).print()
      words
        .partitionCustom(
          (length: number, partitions) => length % partitions,
          (word) => word.length,
        )
        .print()
    })
    const targets = graph.edges.map(({ partitioner }) =>
      partitioner.type === 'custom' ? Reflect.apply(partitioner.partition, undefined, ['bbb', 2]) : undefined,
    )
    expect(targets).toEqual([1, 1])
  })

  it('has side outputs beside the main one', async () => {
    const late = new OutputTag<string>('late')
    const graph = await graphOf((env) => {
      const main = env.fromData([1]).process<number>(() => ({ processElement() {} }))
      main.getSideOutput(late).map((text) => text.length)
      main.print()
    })
    expect(graph.vertices[0]?.operators[1]?.outputs).toEqual([
      { to: { type: 'operator', index: 2, input: 0 }, sideOutput: 'late' },
      { to: { type: 'operator', index: 3, input: 0 }, sideOutput: undefined },
    ])
  })

  it('breaks chains where the program says so', async () => {
    const graph = await graphOf((env) => {
      env
        .fromData([1])
        .map((value) => value)
        .name('head')
        .startNewChain()
        .map((value) => value)
        .name('alone')
        .disableChaining()
        .print()
        .disableChaining()
    })
    expect(names(graph)).toEqual(['Source: Collection Source', 'head', 'alone', 'Sink: Print to Std. Out'])
  })
})
