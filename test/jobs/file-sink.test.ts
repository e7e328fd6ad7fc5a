/** Whole jobs into files with buckets: failed, suspended, and resumed at another parallelism. */
import { expect, it } from 'vitest'
import type { FileSystem } from '../../src/base/file-system.ts'
import {
  defineSource,
  FileSink,
  RestartStrategies,
  type StreamExecutionEnvironment,
  WatermarkStrategy,
} from '../../src/index.ts'
import { describeJobs, type World } from './harness.ts'
import { range, ticks } from './parts.ts'

const OUT = '/out'
const COUNT = 120

interface Reading {
  readonly value: number
  readonly sensor: string
}

const readingOf = (value: number): Reading => ({ value, sensor: `s${value % 7}` })
const bucketOf = ({ value, sensor }: Reading) => (value % 5 === 0 ? '' : `${sensor}/half=${value < COUNT / 2 ? 1 : 2}`)

function declare(env: StreamExecutionEnvironment, world: World, parallelism: number, failAt: Set<number> = new Set()) {
  env.enableCheckpointing(100).getCheckpointConfig().setCheckpointStorage('/checkpoints')
  env
    .fromSource(ticks(world, COUNT, 10), WatermarkStrategy.noWatermarks(), 'ticks')
    .uid('ticks')
    .map((value) => {
      if (failAt.delete(value)) throw new Error(`down at ${value}`)
      return readingOf(value)
    })
    .keyBy(({ sensor }) => sensor)
    .process<Reading>(() => ({ processElement: (reading, _context, out) => out.collect(reading) }))
    .uid('keyed')
    .setParallelism(parallelism)
    .sinkTo(
      FileSink.forCsv(OUT, {
        columns: ['value', 'sensor'],
        bucketAssigner: (reading) => bucketOf(reading),
        rolling: { maxPartSize: 30, inactivityInterval: '40 ms' },
        maxOpenFiles: 2,
      }),
    )
    .uid('out')
    .setParallelism(parallelism)
}

interface Found {
  readonly bucket: string
  readonly number: number
  readonly value: number
  readonly sensor: string
}

/** What a reader of the finished files sees, by the numbers of the files. */
async function found(files: FileSystem, folder = OUT): Promise<Found[]> {
  const all: Found[] = []
  for (const { name, kind } of await files.list(folder)) {
    if (kind === 'folder') all.push(...(await found(files, `${folder}/${name}`)))
    const number = /^part-\d+-(\d+)\.csv$/.exec(name)?.[1]
    if (number === undefined) continue
    const [header, ...lines] = Buffer.from(await files.read(`${folder}/${name}`))
      .toString()
      .split('\r\n')
      .slice(0, -1)
    expect(header).toBe('value,sensor')
    const bucket = folder.slice(OUT.length + 1)
    for (const [value, sensor = ''] of lines.map((line) => line.split(',')))
      all.push({ bucket, number: Number(number), value: Number(value), sensor })
  }
  return all.sort((one, other) => one.number - other.number)
}

async function expectExact(world: World) {
  const entries = await world.until(found(world.files))
  for (const { value, sensor, bucket } of entries)
    expect({ sensor, bucket }).toEqual({ sensor: readingOf(value).sensor, bucket: bucketOf(readingOf(value)) })
  expect(entries.map(({ value }) => value).toSorted((one, other) => one - other)).toEqual(range(0, COUNT - 1))
  for (const key of new Set(entries.map(({ bucket, sensor }) => `${bucket} ${sensor}`))) {
    const values = entries.filter(({ bucket, sensor }) => `${bucket} ${sensor}` === key).map(({ value }) => value)
    expect(values).toEqual(values.toSorted((one, other) => one - other))
  }
}

describeJobs('A job that writes files into buckets', (newWorld) => {
  it('has every record in its bucket exactly once, in order, whatever fails on the way', async () => {
    for (let seed = 1; seed <= 2; seed++) {
      const world = newWorld({ seed })
      const env = world.env()
      declare(env, world, 2, new Set([23, 57, 91, 92]))
      env.setRestartStrategy(RestartStrategies.fixedDelayRestart(10, 10))
      await world.until(env.execute('x'))
      expect(world.ofType('restart.scheduled')).toHaveLength(4)
      await expectExact(world)
      expect(world.timersLeft()).toBe(0)
    }
  })

  it('goes on after a suspension at another parallelism', async () => {
    for (const [before, after] of [
      [2, 3],
      [3, 1],
    ] as const) {
      const world = newWorld()
      const first = world.env()
      declare(first, world, before)
      const client = await world.until(first.executeAsync('x'))
      await world.advance(555)
      await world.until(client.suspend())
      const halfway = await world.until(found(world.files))
      expect(halfway.length).toBeGreaterThan(20)
      expect(halfway.length).toBeLessThan(COUNT)
      const second = world.env()
      declare(second, world, after)
      await world.until(second.execute('x', { resume: 'latest' }))
      await expectExact(world)
    }
  })

  it('has ended old files without a record, and commits them with the next checkpoint', async () => {
    const world = newWorld()
    const env = world.env()
    env.enableCheckpointing(10_000).getCheckpointConfig().setCheckpointStorage('/checkpoints')
    const source = defineSource<string, number>({
      boundedness: 'bounded',
      splits: () => ['lines'],
      start: () => 0,
      async *read(_, position) {
        if (position === 0) yield { value: 'a', position: 1 }
        if (position <= 1) await world.sleep(5_000)
        if (position <= 1) yield { value: 'b', position: 2 }
        await world.sleep(30_000)
      },
    })
    env
      .fromSource(source, WatermarkStrategy.noWatermarks(), 'lines')
      .sinkTo(FileSink.forLines(OUT, { rolling: { rolloverInterval: '2 s' } }))
    const client = await world.until(env.executeAsync('x'))
    await world.advance(12_000)
    expect((await world.until(world.files.list(OUT))).map(({ name }) => name)).toEqual(['part-0-0.txt', 'part-0-1.txt'])
    await world.until(client.cancel())
  })
})
