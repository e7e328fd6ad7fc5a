/** Records that cannot be read, in a side output: exactly once, under back-pressure, and from sources of one's own. */
import { expect, expectTypeOf, it } from 'vitest'
import {
  type DataStream,
  END_OF_INPUT,
  FileSource,
  type InvalidRecord,
  MORE_AVAILABLE,
  OutputTag,
  RestartStrategies,
  type Source,
  type SourceReader,
  type SourceSplit,
  type SplitEnumerator,
  WatermarkStrategy,
} from '../../src/index.ts'
import { Disk } from './followed-files.ts'
import { describeJobs } from './harness.ts'
import { Ledger, range } from './parts.ts'

const unreadable = new OutputTag<InvalidRecord>('unreadable')

describeJobs('Records of files that cannot be read', (newWorld) => {
  it('go to a side output with path, line, offset, text and what is wrong, and are counted', async () => {
    const world = newWorld()
    const disk = new Disk(world)
    disk.append('/in/a.json', '{"n":1}\n{"n"\n{"n":3}\n')
    disk.append('/in/b.csv', 'a,b\n1,2\n3\n"4\n5",x"6"\n7,8\n')
    const env = world.env()
    const good = new Ledger<unknown>()
    const bad = new Ledger<InvalidRecord>()
    const json = env.fromSource(
      FileSource.forJsonLines('/in/a.json', { onInvalid: unreadable }),
      WatermarkStrategy.noWatermarks(),
      'json',
    )
    const csv = env.fromSource(
      FileSource.forCsv('/in/b.csv', { onInvalid: unreadable }),
      WatermarkStrategy.noWatermarks(),
      'csv',
    )
    expectTypeOf(json.getSideOutput(unreadable)).toEqualTypeOf<DataStream<InvalidRecord>>()
    json.sinkTo(good)
    csv.sinkTo(good)
    json.getSideOutput(unreadable).union(csv.getSideOutput(unreadable)).sinkTo(bad)
    await world.until(env.execute('x'))
    expect(
      [...good.committed].toSorted((one, other) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1)),
    ).toEqual([{ a: '1', b: '2' }, { a: '7', b: '8' }, { n: 1 }, { n: 3 }])
    expect(
      [...bad.committed].toSorted((one, other) => (one.path + one.offset < other.path + other.offset ? -1 : 1)),
    ).toEqual([
      { path: '/in/a.json', line: 2, offset: 8, text: '{"n"', message: expect.stringContaining('JSON') },
      { path: '/in/b.csv', line: 4, offset: 10, text: '"4\n5",x"6"', message: expect.stringContaining('Quote') },
      { path: '/in/b.csv', line: 3, offset: 8, text: '3', message: 'it has 1 fields instead of 2' },
    ])
  })

  it('come once each, however often the job fails', async () => {
    const world = newWorld()
    const disk = new Disk(world)
    const lines = range(0, 299).map((n) => (n % 10 < 8 ? `bad ${n}` : String(n)))
    disk.append('/in/a.json', lines.join('\n'))
    const env = world.env()
    env.enableCheckpointing(20).setRestartStrategy(RestartStrategies.fixedDelayRestart(9, 10))
    const bombs: (number | string)[] = [38, 'bad 61', 139, 'bad 206', 'bad 213']
    const write = async (value: number | string) => {
      await world.sleep(1)
      if (bombs[0] !== value) return
      bombs.shift()
      throw new Error('down')
    }
    const numbers = new Ledger<number>({ write })
    const bad = new Ledger<string>({ write })
    const schema = (value: unknown) => Number(value)
    const source = env.fromSource(
      FileSource.forJsonLines('/in/a.json', { schema, onInvalid: unreadable, splitSize: 300 }),
      WatermarkStrategy.noWatermarks(),
      'json',
    )
    source.sinkTo(numbers)
    source
      .getSideOutput(unreadable)
      .map(({ text }) => text)
      .sinkTo(bad)
    await world.until(env.execute('x'))
    expect(bombs).toEqual([])
    expect(numbers.committed).toEqual(range(0, 299).filter((n) => n % 10 >= 8))
    expect(bad.committed).toEqual(lines.filter((line) => line.startsWith('bad')))
  })

  it('hold the source back when whoever takes them is slow', async () => {
    const world = newWorld()
    const disk = new Disk(world)
    disk.append('/in/a.json', 'bad\n'.repeat(50_000))
    const env = world.env()
    const bad = new Ledger<InvalidRecord>({ write: () => world.sleep(1000) })
    const source = env.fromSource(
      FileSource.forJsonLines('/in/a.json', { onInvalid: unreadable }),
      WatermarkStrategy.noWatermarks(),
      'json',
    )
    let passed = 0
    source
      .getSideOutput(unreadable)
      .map((record) => {
        passed++
        return record
      })
      .rebalance()
      .sinkTo(bad)
    const client = await world.until(env.executeAsync('x'))
    await world.advance(5000)
    expect(bad.written.length).toBeLessThan(10)
    expect(passed).toBeLessThan(3000)
    await world.until(client.cancel())
  })

  it('do not compile with a tag of another type', () => {
    // @ts-expect-error the records of the side output are InvalidRecord
    FileSource.forLines('/in/a', { onInvalid: new OutputTag<string>('text') })
    FileSource.forLines('/in/a', { onInvalid: new OutputTag('inferred') })
  })
})

describeJobs("A reader of one's own", (newWorld) => {
  it('emits into side outputs, from a split or beside it, with a timestamp or without', async () => {
    const world = newWorld()
    const env = world.env()
    const odd = new OutputTag<string>('odd')
    const main = new Ledger<number>()
    const side = new Ledger<string>()
    const stream = env.fromSource(countingTo(6, odd), WatermarkStrategy.noWatermarks(), 'count')
    stream.sinkTo(main)
    stream
      .getSideOutput(odd)
      .process<string>(() => ({
        processElement: (value, context, out) => out.collect(`${value} at ${context.timestamp()}`),
      }))
      .sinkTo(side)
    await world.until(env.execute('x'))
    expect(main.committed).toEqual([0, 2, 4])
    expect(side.committed).toEqual(['1 at 100', '3 at undefined', '5 at 500'])
  })
})

function countingTo(count: number, odd: OutputTag<string>): Source<number, SourceSplit, undefined> {
  return {
    boundedness: 'bounded',
    createEnumerator: (context): SplitEnumerator<SourceSplit, undefined> => ({
      start() {},
      handleSplitRequest() {},
      addSplitsBack() {},
      addReader(subtask) {
        context.assignSplits(subtask, [{ id: 'the only one' }])
      },
      snapshotState: () => undefined,
      close() {},
    }),
    createReader(): SourceReader<number, SourceSplit> {
      let next = 0
      return {
        start() {},
        pollNext(output) {
          if (next >= count) return END_OF_INPUT
          const value = next++
          const split = value % 4 === 1 ? output.createOutputForSplit('the only one') : output
          if (value % 2 === 0) split.collect(value)
          else if (value === 3) split.output(odd, '3')
          else split.output(odd, String(value), value * 100)
          return MORE_AVAILABLE
        },
        isAvailable: () => Promise.resolve(),
        snapshotState: () => [],
        addSplits() {},
        notifyNoMoreSplits() {},
        close() {},
      }
    },
  }
}
