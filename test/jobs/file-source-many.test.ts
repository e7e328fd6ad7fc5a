/** A thousand files: they are found, dealt out, restored and written into checkpoints in portions, and each line comes exactly once. */
import { expect, it } from 'vitest'
import { FileSource, RestartStrategies, WatermarkStrategy } from '../../src/index.ts'
import { Disk, follow } from './followed-files.ts'
import { describeJobs, type World } from './harness.ts'
import { Ledger } from './parts.ts'

const FILES = 1000
const LONG = 20_000
const names = Array.from({ length: FILES }, (_, index) => `/in/${String(index).padStart(4, '0')}`)
const lines = (which: string) => names.map((name) => `${name} ${which}`)

function write(disk: Disk, which: string): void {
  for (const name of names) disk.append(name, `${name} ${which}\n`)
}

describeJobs('A file source with a thousand files', (newWorld) => {
  it('that are followed gives each line once, over failures at any time and another parallelism', async () => {
    const world = newWorld()
    const sink = new Ledger<string>()
    const disk = new Disk(world)
    write(disk, 'first')
    const failAt = new Set(['/in/0003 first', '/in/0700 first', '/in/0005 second', '/in/0009 third'])
    const onLine = (line: string) => {
      if (failAt.delete(line)) throw new Error(`down at ${line}`)
    }
    const run = async (parallelism: number) => {
      const env = follow(world, sink, { parallelism, onLine })
      env.setRestartStrategy(RestartStrategies.fixedDelayRestart(10, 10))
      // In the middle of dealing out, too.
      env.enableCheckpointing(10)
      return world.until(env.executeAsync('many', { resume: 'latest' }))
    }
    const before = await run(1)
    await world.advance(LONG)
    write(disk, 'second')
    await world.advance(LONG)
    expect(sink.committed.toSorted()).toEqual([...lines('first'), ...lines('second')].toSorted())
    await world.until(before.suspend())
    write(disk, 'third')
    const after = await run(3)
    await world.advance(LONG)
    expect(sink.committed.toSorted()).toEqual([...lines('first'), ...lines('second'), ...lines('third')].toSorted())
    expect(failAt.size).toBe(0)
    await world.until(after.cancel())
  }, 60_000)

  it('that are read once gives each line once, over a failure and a suspension', async () => {
    const world = newWorld()
    const sink = new Ledger<string>()
    write(new Disk(world), 'only')
    const failAt = new Set(['/in/0100 only', '/in/0600 only'])
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
