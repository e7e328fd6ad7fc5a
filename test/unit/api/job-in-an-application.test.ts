import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import {
  CollectSink,
  DataGeneratorSource,
  DiscardingSink,
  FileSink,
  FileSource,
  OutputTag,
  RestartStrategies,
  StreamExecutionEnvironment,
  ValueStateDescriptor,
  WatermarkStrategy,
} from '../../../src/index.ts'

const folder = mkdtempSync(join(tmpdir(), 'millrace-application-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe('a job in an application', () => {
  it('counts words: the shortest job', async () => {
    writeFileSync(join(folder, 'book.txt'), 'To be, or not\nto be\n')
    const env = StreamExecutionEnvironment.getExecutionEnvironment()
    env
      .enableCheckpointing(1000)
      .getCheckpointConfig()
      .setCheckpointStorage(`file://${join(folder, 'checkpoints')}`)
    env
      .fromSource(FileSource.forLines(join(folder, '*.txt')), WatermarkStrategy.noWatermarks(), 'lines')
      .flatMap((line) => line.toLowerCase().match(/\p{L}+/gu) ?? [])
      .map((word) => ({ word, count: 1 }))
      .keyBy(({ word }) => word)
      .reduce((a, b) => ({ word: a.word, count: a.count + b.count }))
      .sinkTo(FileSink.forJsonLines(join(folder, 'counts')))
    const { jobId } = await env.execute('word count')
    expect(jobId).toMatch(/^[0-9a-f]{32}$/)
    const files = readdirSync(join(folder, 'counts'))
    expect(files).toEqual(['part-0-0.jsonl'])
    const rows = readFileSync(join(folder, 'counts', 'part-0-0.jsonl'), 'utf8')
      .trim()
      .split('\n')
    expect(rows).toEqual([
      '{"word":"to","count":1}',
      '{"word":"be","count":1}',
      '{"word":"or","count":1}',
      '{"word":"not","count":1}',
      '{"word":"to","count":2}',
      '{"word":"be","count":2}',
    ])
  })

  it('runs through every kind of exchange and loses nothing', async () => {
    for (const type of ['rebalance', 'rescale', 'shuffle', 'global'] as const) {
      const env = StreamExecutionEnvironment.getExecutionEnvironment().setParallelism(3)
      const sink = new CollectSink<number>()
      env
        .fromSequence(1, 100)
        [type]()
        .map((value) => value * 2)
        .union(env.fromData([1, 3]))
        .partitionCustom((value, partitions) => value % partitions)
        .sinkTo(sink)
      await env.execute(type)
      expect(sink.results().reduce((a, b) => a + b, 0)).toBe(2 * 5050 + 4)
    }
  })

  it('goes on after a failure, and hands out each record once', async () => {
    const env = StreamExecutionEnvironment.getExecutionEnvironment()
    env.enableCheckpointing(10).setRestartStrategy(RestartStrategies.fixedDelayRestart(1, 0))
    const hundreds = new OutputTag<number>('hundreds')
    const [counts, side] = [new CollectSink<number>(), new CollectSink<number>()]
    const counted = env
      .fromSequence(1, 300)
      .keyBy((value) => value % 3)
      .process<number>((ctx) => {
        const count = ctx.getState(new ValueStateDescriptor('count', { default: () => 0 }))
        return {
          processElement(value, context, out) {
            if (value === 150 && ctx.attemptNumber === 0) throw new RangeError('once')
            count.update(count.value() + 1)
            if (value % 100 === 0) context.output(hundreds, value)
            out.collect(count.value())
          },
        }
      })
    counted.sinkTo(counts)
    counted.getSideOutput(hundreds).sinkTo(side)
    const client = await env.executeAsync('counts')
    const statuses: string[] = []
    for await (const event of client.events()) if (event.type === 'job.status') statuses.push(event.status)
    await client.getJobExecutionResult()
    expect(statuses).toContain('RESTARTING')
    expect(statuses.at(-1)).toBe('FINISHED')
    expect(counts.results().toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 100 }, (_, i) => [i + 1, i + 1, i + 1]).flat(),
    )
    expect(side.results()).toEqual([100, 200, 300])
  })

  it('rejects with the very object that the code of the job threw', async () => {
    const env = StreamExecutionEnvironment.getExecutionEnvironment()
    const thrown = { not: 'even an error' }
    env
      .fromData([1])
      .filter(() => {
        throw thrown
      })
      .sinkTo(new DiscardingSink())
    const failure = await env.execute('fails').catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'JOB_FAILED' })
    expect(failure instanceof Error && failure.cause).toBe(thrown)
  })

  it('ends when its signal is aborted, with the reason as the cause', async () => {
    const env = StreamExecutionEnvironment.getExecutionEnvironment()
    const controller = new AbortController()
    env
      .fromSource(new DataGeneratorSource((index) => index), WatermarkStrategy.noWatermarks(), 'without end')
      .map((index) => {
        if (index === 1000) controller.abort('enough')
        return index
      })
      .sinkTo(new DiscardingSink())
    await expect(env.execute('endless', { signal: controller.signal })).rejects.toMatchObject({
      code: 'JOB_CANCELED',
      cause: 'enough',
    })
  })

  it('is over when its scope is left', async () => {
    const env = StreamExecutionEnvironment.getExecutionEnvironment()
    env
      .fromSource(new DataGeneratorSource((index) => index), WatermarkStrategy.noWatermarks(), 'without end')
      .sinkTo(new DiscardingSink())
    const client = await env.executeAsync('endless')
    {
      await using _scope = client
    }
    expect(await client.getJobStatus()).toBe('CANCELED')
  })
})
