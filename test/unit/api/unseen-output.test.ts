/** A job that would write for ever and never show it, or has nothing that writes, says so before it starts. */
import { expect, test } from 'vitest'
import type { StreamExecutionEnvironment } from '../../../src/api/stream-execution-environment.ts'
import { CollectSink } from '../../../src/connectors/collect/collect-sink.ts'
import { DataGeneratorSource } from '../../../src/connectors/data-generator/data-generator-source.ts'
import { FileSink } from '../../../src/connectors/file-sink/file-sink.ts'
import { WatermarkStrategy } from '../../../src/operators/watermark-strategy.ts'
import { Launchpad } from './started-job.ts'

const SAYS =
  /"endless" takes no checkpoints .* "Sink: numbers" writes ever becomes visible\. Call env\.enableCheckpointing/

function numbers(env: StreamExecutionEnvironment, count?: number) {
  const source = new DataGeneratorSource((index) => `${index}`, { count, ratePerSecond: 10 })
  return env.fromSource(source, WatermarkStrategy.noWatermarks(), 'numbers')
}

test('files of an input without end, without checkpoints, are warned of', async () => {
  const { env, lines } = new Launchpad()
  numbers(env).sinkTo(FileSink.forLines('out')).name('numbers')
  await env.execute('endless')
  expect(lines).toEqual([expect.stringMatching(SAYS)])
})

test.each<[string, (env: StreamExecutionEnvironment) => unknown]>([
  ['with checkpoints', (env) => numbers(env.enableCheckpointing('1 s')).sinkTo(FileSink.forLines('out'))],
  ['where the input ends', (env) => numbers(env, 3).sinkTo(FileSink.forLines('out'))],
  ['of a sink that shows at once', (env) => numbers(env).print()],
  ['of one that gives to the program at once', (env) => numbers(env).sinkTo(new CollectSink<string>())],
])('nothing is said %s', async (_, declare) => {
  const { env, lines } = new Launchpad()
  declare(env)
  await env.execute('endless')
  expect(lines).toEqual([])
})

test.each<[string, (env: StreamExecutionEnvironment) => unknown, string]>([
  ['an operator', (env) => numbers(env, 3).map((value) => value), '"Map" gives'],
  ['the source alone', (env) => numbers(env, 3), '"numbers" gives'],
  [
    'two operators, one of them behind a union',
    (env) => {
      const all = numbers(env, 3).union(numbers(env, 3))
      all.keyBy((value) => value).reduce((one) => one)
      all
        .rebalance()
        .filter(() => true)
        .name('some')
    },
    '"Keyed Reduce", "some" gives',
  ],
])('a job without a sink says that nothing comes of it: %s', async (_, declare, ends) => {
  const { env, lines } = new Launchpad()
  declare(env)
  await env.execute('idle')
  expect(lines).toEqual([expect.stringContaining(`Job "idle" has no sink: what ${ends}`)])
})

test('a stream that ends in an operator is nothing to speak of where another has a sink', async () => {
  const { env, lines } = new Launchpad()
  numbers(env, 3).map((value) => value)
  numbers(env, 3).print()
  await env.execute('half')
  expect(lines).toEqual([])
})
