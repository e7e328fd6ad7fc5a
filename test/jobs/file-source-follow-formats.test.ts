/** What is followed in other formats than lines, and what followed files do to event time. */
import { expect, it } from 'vitest'
import { FileSource, type InvalidRecord, OutputTag, WatermarkStrategy } from '../../src/index.ts'
import { Disk, EVERY_MS } from './followed-files.ts'
import { describeJobs } from './harness.ts'
import { Ledger } from './parts.ts'

const LOOKS = 3 * EVERY_MS

describeJobs('A file source that follows files', (newWorld) => {
  it.each([true, false])('brings CSV records as soon as their line has ended, multiline %s', async (multiline) => {
    const world = newWorld()
    const disk = new Disk(world)
    const env = world.env()
    const sink = new Ledger<Readonly<Record<string, string>>>()
    const source = FileSource.forCsv('/in/*.csv', { monitorContinuously: EVERY_MS, closeAfter: 200, multiline })
    env.fromSource(source, WatermarkStrategy.noWatermarks(), 'csv').sinkTo(sink)
    const client = await world.until(env.executeAsync('x'))
    disk.append('/in/a.csv', 'a,')
    await world.advance(LOOKS)
    disk.append('/in/a.csv', 'b\r\n')
    await world.advance(1000)
    disk.append('/in/a.csv', '1,2\r\n')
    await world.advance(LOOKS)
    expect(sink.written).toEqual([{ a: '1', b: '2' }])
    disk.append('/in/a.csv', '3,"4""')
    await world.advance(1000)
    disk.append('/in/a.csv', '"\n5,6\n')
    await world.advance(LOOKS)
    expect(sink.written.slice(1)).toEqual([
      { a: '3', b: '4"' },
      { a: '5', b: '6' },
    ])
    await world.until(client.cancel())
  })

  it('waits for the quote of a field that spans lines, over closing too', async () => {
    const world = newWorld()
    const disk = new Disk(world)
    const env = world.env()
    const sink = new Ledger<Readonly<Record<string, string>>>()
    const source = FileSource.forCsv('/in/*.csv', { monitorContinuously: EVERY_MS, closeAfter: 200 })
    env.fromSource(source, WatermarkStrategy.noWatermarks(), 'csv').sinkTo(sink)
    const client = await world.until(env.executeAsync('x'))
    disk.append('/in/a.csv', 'a,b\n1,"two\n')
    await world.advance(1000)
    expect(sink.written).toEqual([])
    disk.append('/in/a.csv', 'lines"\n')
    await world.advance(LOOKS)
    expect(sink.written).toEqual([{ a: '1', b: 'two\nlines' }])
    await world.until(client.cancel())
  })

  it('gives invalid JSON lines to the side output once each, over suspensions', async () => {
    const world = newWorld()
    const disk = new Disk(world)
    const bad = new OutputTag<InvalidRecord>('bad')
    const good = new Ledger<unknown>()
    const refused = new Ledger<string>()
    const start = async () => {
      const env = world.env()
      env.enableCheckpointing(500).getCheckpointConfig().setCheckpointStorage('/checkpoints')
      const stream = env.fromSource(
        FileSource.forJsonLines('/in', { monitorContinuously: EVERY_MS, onInvalid: bad }),
        WatermarkStrategy.noWatermarks(),
        'json',
      )
      stream.sinkTo(good)
      stream
        .getSideOutput(bad)
        .map(({ path, line, text }) => `${path}:${line}:${text}`)
        .sinkTo(refused)
      return world.until(env.executeAsync('x', { resume: 'latest' }))
    }
    disk.append('/in/a', '1\nnope\n\n{"cut')
    let client = await start()
    await world.advance(LOOKS)
    await world.until(client.suspend())
    disk.append('/in/a', '\n3\nno')
    client = await start()
    await world.advance(LOOKS)
    disk.append('/in/a', '\n4\n')
    await world.advance(1000)
    await world.until(client.suspend())
    expect(good.committed).toEqual([1, 3, 4])
    expect(refused.committed).toEqual(['/in/a:2:nope', '/in/a:4:{"cut', '/in/a:6:no'])
  })

  it('holds event time back for a file that stands still only until it is closed', async () => {
    const world = newWorld()
    const disk = new Disk(world)
    const env = world.env()
    const sink = new Ledger<string>()
    const byItself = WatermarkStrategy.forMonotonousTimestamps<string>({ timestampAssigner: (line) => Number(line) })
    env
      .fromSource(FileSource.forLines('/in', { monitorContinuously: EVERY_MS, closeAfter: 5000 }), byItself, 'lines')
      .process<string>(() => ({
        processElement: (value, context, out) =>
          out.collect(`${value} behind ${context.timerService().currentWatermark()}`),
      }))
      .sinkTo(sink)
    const client = await world.until(env.executeAsync('x'))
    disk.append('/in/still', '100\n')
    disk.append('/in/busy', '1000\n')
    await world.advance(1000)
    disk.append('/in/busy', '2000\n')
    await world.advance(1000)
    disk.append('/in/busy', '3000\n')
    await world.advance(6000)
    disk.append('/in/busy', '4000\n')
    await world.advance(1000)
    disk.append('/in/busy', '5000\n')
    await world.advance(1000)
    expect(sink.written.slice(2)).toEqual(['2000 behind 99', '3000 behind 99', '4000 behind 2999', '5000 behind 3999'])
    await world.until(client.cancel())
  })
})
