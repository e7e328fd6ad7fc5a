import { describe, expect, test } from 'vitest'
import { CollectSink, defineSource, type JobClient, WatermarkStrategy } from '../../../src/index.ts'
import {
  type FaultOptions,
  failingFunction,
  failingSink,
  failingSource,
  MiniCluster,
  type SinkFaultOptions,
} from '../../../src/testing/index.ts'

const COUNT = 100
const NUMBERS = Array.from({ length: COUNT }, (_, number) => number)

const numbers = (cluster: MiniCluster) =>
  defineSource<number, number>({
    boundedness: 'bounded',
    splits: () => ['even', 'odd'],
    start: (split) => (split === 'even' ? 0 : 1),
    async *read(_, position) {
      for (let number = position; number < COUNT; number += 2) {
        await cluster.sleep(5)
        yield { value: number, position: number + 2 }
      }
    },
  })

interface Faults {
  readonly source?: readonly [number, FaultOptions?]
  readonly fn?: readonly [number, FaultOptions?]
  readonly sink?: SinkFaultOptions
}

/** Runs a job with these faults. Its results, in order, and how often it restarted. */
async function run({ source, fn, sink }: Faults) {
  await using cluster = new MiniCluster()
  const results = new CollectSink<number>()
  const env = cluster.environment({
    configuration: {
      'restart-strategy.fixed-delay.delay': '10 ms',
      'restart-strategy.type': 'fixed-delay',
      'restart-strategy.fixed-delay.attempts': 5,
    },
  })
  env.enableCheckpointing(20)
  const identity = (value: number) => value
  env
    .fromSource(
      source === undefined ? numbers(cluster) : failingSource(numbers(cluster), ...source),
      WatermarkStrategy.noWatermarks(),
      'numbers',
    )
    .map(fn === undefined ? identity : failingFunction(identity, ...fn))
    .sinkTo(sink === undefined ? results : failingSink(results, sink))
  const job: JobClient = await cluster.until(env.executeAsync('faulty'))
  const error = await cluster.until(job.getJobExecutionResult()).then(
    () => undefined,
    (failure: Error) => failure,
  )
  const restarts = cluster.eventsOf(job).flatMap((event) => (event.type === 'restart.scheduled' ? [event.error] : []))
  return { results: [...results.results()].sort((a, b) => a - b), restarts, error }
}

describe('A fault', () => {
  test('of a source comes behind so many records, once, and costs no record', async () => {
    const { results, restarts } = await run({ source: [30] })
    expect(results).toEqual(NUMBERS)
    expect(restarts).toMatchObject([
      { code: 'FAULT_INJECTED', message: 'A fault was injected into the source, behind 30 records.' },
    ])
  })

  test('comes as often as it is told to, with the error that it was given', async () => {
    const error = new Error('mine')
    const { results, restarts } = await run({ source: [10, { times: 3, error }] })
    expect(restarts).toEqual([error, error, error])
    expect(results).toEqual(NUMBERS)
  })

  test('fails the job when the restarts are used up', async () => {
    const { error } = await run({ fn: [0, { times: 1000 }] })
    expect(error).toMatchObject({ code: 'JOB_FAILED', cause: { code: 'FAULT_INJECTED' } })
  })

  test('of a function comes in place of a call', async () => {
    const { results, restarts } = await run({ fn: [42] })
    expect(restarts).toHaveLength(1)
    expect(results).toEqual(NUMBERS)
  })

  test.each(['write', 'prepareCommit', 'commit', 'committed'] as const)(
    'of a sink at %s costs no record and repeats none',
    async (at) => {
      const { results, restarts } = await run({ sink: { at, after: 2 } })
      expect(restarts.length).toBe(1)
      expect(results).toEqual(NUMBERS)
    },
  )
})
