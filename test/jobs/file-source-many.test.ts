/** Many files: they are found, dealt out, restored and written into checkpoints in portions, and each line comes exactly once. */
import { expect, it } from 'vitest'
import { FileSource, RestartStrategies, WatermarkStrategy } from '../../src/index.ts'
import { Disk, follow } from './followed-files.ts'
import { describeJobs, type World } from './harness.ts'
import { Ledger } from './parts.ts'

/** More than go in one portion, anywhere. */
const FILES = 450
const names = Array.from({ length: FILES }, (_, index) => `/in/${String(index).padStart(4, '0')}`)
const lines = (which: string) => names.map((name) => `${name} ${which}`)

function write(disk: Disk, which: string): void {
  for (const name of names) disk.append(name, `${name} ${which}\n`)
}

async function until(world: World, reached: () => boolean): Promise<void> {
  for (let round = 0; round < 200 && !reached(); round++) await world.advance(20)
  // What should not come would come now.
  await world.advance(200)
}

describeJobs('A file source with many files', (newWorld) => {
  it('that are followed gives each line once, over failures at any time and another parallelism', async () => {
    const world = newWorld()
    const sink = new Ledger<string>()
    const disk = new Disk(world)
    write(disk, 'first')
    const failAt = new Set(['/in/0003 first', '/in/0400 first', '/in/0005 second', '/in/0009 third'])
    const onLine = (line: string) => {
      if (failAt.delete(line)) throw new Error(`down at ${line}`)
    }
    const run = async (parallelism: number) => {
      const env = follow(world, sink, { parallelism, onLine })
      env.setRestartStrategy(RestartStrategies.fixedDelayRestart(10, 10))
      // In the middle of dealing out, too.
      env.enableCheckpointing(20)
      return world.until(env.executeAsync('many', { resume: 'latest' }))
    }
    const before = await run(1)
    await until(world, () => sink.committed.length >= FILES)
    write(disk, 'second')
    await until(world, () => sink.committed.length >= 2 * FILES)
    expect(sink.committed.toSorted()).toEqual([...lines('first'), ...lines('second')].toSorted())
    await world.until(before.suspend())
    write(disk, 'third')
    const after = await run(3)
    await until(world, () => sink.committed.length >= 3 * FILES)
    expect(sink.committed.toSorted()).toEqual([...lines('first'), ...lines('second'), ...lines('third')].toSorted())
    expect(failAt.size).toBe(0)
    await world.until(after.cancel())
  }, 60_000)

  it('that are read once gives each line once, over a failure and a suspension', async () => {
    const world = newWorld()
    const sink = new Ledger<string>()
    write(new Disk(world), 'only')
    const failAt = new Set(['/in/0100 only', '/in/0300 only'])
    const run = () => {
      const env = declare(world, sink, failAt)
      return world.until(env.executeAsync('many', { resume: 'latest' }))
    }
    const before = await run()
    await world.advance(60)
    await world.until(before.suspend())
    const read = sink.committed.length
    expect(read).toBeLessThan(FILES)
    await world.until((await run()).getJobExecutionResult())
    expect(sink.committed.toSorted()).toEqual(lines('only'))
    expect(failAt.size).toBe(0)
  }, 60_000)
})

function declare(world: World, sink: Ledger<string>, failAt: Set<string>) {
  const env = world.env().setRestartStrategy(RestartStrategies.fixedDelayRestart(10, 10))
  env.enableCheckpointing(20).getCheckpointConfig().setCheckpointStorage('/checkpoints')
  env
    .fromSource(FileSource.forLines('/in'), WatermarkStrategy.noWatermarks(), 'files')
    .map((line) => {
      if (failAt.delete(line)) throw new Error(`down at ${line}`)
      return line
    })
    .sinkTo(sink)
  return env
}
