import { describe, expect, it } from 'vitest'
import { SimulatedFileSystem } from '../../../../src/base/simulated-file-system.ts'
import { VirtualClock } from '../../../../src/base/virtual-clock.ts'
import { FileSink, type FileSinkOptions, Time } from '../../../../src/index.ts'
import { openSink } from '../../operators/subtask-harness.ts'
import { FOLDER, filesBelow, finishedLines, textOf } from './folder-contents.ts'

async function running(options: FileSinkOptions<string>) {
  const files = new SimulatedFileSystem()
  const clock = new VirtualClock({ startMs: 5_000 })
  const sink = await openSink(FileSink.forLines(FOLDER, options), { files, clock })
  const commit = async (id: number) => {
    await sink.checkpoint(id)
    await sink.complete(id)
    return Promise.all((await filesBelow(files)).map((path) => textOf(files, path)))
  }
  return { ...sink, files, clock, commit }
}

describe('A part file ends', () => {
  it('when it has its size, written as bytes or with a unit', async () => {
    const { write, commit } = await running({ rolling: { maxPartSize: '1 kb' } })
    await write('a'.repeat(600), 'b'.repeat(600), 'c')
    expect(await commit(1)).toEqual([`${'a'.repeat(600)}\n${'b'.repeat(600)}\n`, 'c\n'])
  })

  it('when it has its size in bytes, not in characters', async () => {
    const { write, commit } = await running({ rolling: { maxPartSize: 9 } })
    await write('ääää', 'b')
    expect(await commit(1)).toEqual(['ääää\n', 'b\n'])
  })

  it('when it is old enough, counted from its first record', async () => {
    const { write, commit, harness } = await running({
      rolling: { rolloverInterval: '10 s', inactivityInterval: '1 h' },
    })
    harness.advance(100_000)
    await write('a')
    harness.advance(9_999)
    await write('b')
    harness.advance(1)
    await write('c')
    harness.advance(9_999)
    await write('d')
    expect(await commit(1)).toEqual(['a\nb\n', 'c\nd\n'])
  })

  it('when nothing was written into it for long enough, counted from its last record', async () => {
    const { write, commit, harness } = await running({
      rolling: { rolloverInterval: Time.hours(1), inactivityInterval: 10_000 },
    })
    for (const value of ['a', 'b', 'c']) {
      await write(value)
      harness.advance(9_999)
    }
    harness.advance(1)
    await write('d')
    expect(await commit(1)).toEqual(['a\nb\nc\n', 'd\n'])
  })

  it('in its bucket alone', async () => {
    const { write, commit, harness, files } = await running({
      bucketAssigner: (value) => value.slice(0, 1),
      rolling: { rolloverInterval: '1 h', inactivityInterval: '10 s' },
    })
    await write('a1', 'b1')
    for (let second = 0; second < 12; second++) {
      harness.advance(1_000)
      await write('b2')
    }
    await write('a2')
    await commit(1)
    expect((await filesBelow(files)).map((path) => path.slice(0, 1))).toEqual(['a', 'a', 'b'])
    expect((await finishedLines(files)).get('a')).toEqual(['a1', 'a2'])
  })

  it('after a minute of age or of rest, and at 128 MiB, as in Flink, where nothing is said', async () => {
    const { write, commit, harness } = await running({})
    await write('a')
    harness.advance(59_999)
    await write('b')
    harness.advance(1)
    await write('c')
    expect(await commit(1)).toEqual(['a\nb\n', 'c\n'])
  })

  it('at every checkpoint, whatever is said', async () => {
    const { write, commit } = await running({
      rolling: { maxPartSize: '1 tb', rolloverInterval: '1000 d', inactivityInterval: '1000 d' },
    })
    await write('a')
    expect(await commit(1)).toEqual(['a\n'])
    await write('b')
    expect(await commit(2)).toEqual(['a\n', 'b\n'])
  })

  it('without a checkpoint too: its records are kept for the next one', async () => {
    const { write, commit, harness, files } = await running({ rolling: { inactivityInterval: '1 s' } })
    await write('a')
    harness.advance(1_000)
    for (let turn = 0; turn < 20; turn++) await new Promise((settle) => setImmediate(settle))
    expect(await filesBelow(files)).toEqual([expect.stringMatching(/\.inprogress$/)])
    expect(await commit(1)).toEqual(['a\n'])
  })
})

describe('The clock of a file sink', () => {
  it('has nothing set when the sink is closed, and none for a sink without records', async () => {
    const idle = await running({})
    expect(idle.clock.nextDeadlineMs()).toBeUndefined()
    const busy = await running({})
    await busy.write('a')
    expect(busy.clock.nextDeadlineMs()).toBe(65_000)
    await busy.operator.close?.()
    expect(busy.clock.nextDeadlineMs()).toBeUndefined()
  })

  it('is set once for many files, and not again for files that have ended', async () => {
    const { write, commit, harness, clock } = await running({ bucketAssigner: (value) => value })
    await write('a', 'b', 'c')
    await commit(1)
    harness.advance(60_000)
    expect(clock.nextDeadlineMs()).toBeUndefined()
  })

  it('does not hide that the disk has refused a file', async () => {
    const { write, files, harness, operator } = await running({})
    files.interfere = ({ type }) => (type === 'create' ? { type: 'fail', code: 'ENOSPC' } : undefined)
    await write('x'.repeat(70_000), 'in the buffer')
    for (let turn = 0; turn < 20; turn++) await new Promise((settle) => setImmediate(settle))
    harness.advance(120_000)
    await expect(Promise.resolve().then(() => operator.prepareSnapshotPreBarrier?.(1))).rejects.toMatchObject({
      code: 'FILE_ERROR',
    })
    await operator.close?.()
  })
})

describe('The options of a file sink', () => {
  const refused = (options: object) => () => FileSink.forLines(FOLDER, options)

  it.each([
    [{ rolling: { maxPartSize: 0 } }, 'CONFIG_INVALID', 'rolling.maxPartSize'],
    [{ rolling: { maxPartSize: '10 mbb' } }, 'CONFIG_INVALID', '"10 mbb"'],
    [{ rolling: { rolloverInterval: 0 } }, 'CONFIG_INVALID', 'rolling.rolloverInterval'],
    [{ rolling: { inactivityInterval: -1 } }, 'CONFIG_INVALID', 'rolling.inactivityInterval'],
    [{ rolling: { inactivityInterval: '10 sconds' } }, 'CONFIG_INVALID', '"10 sconds"'],
    [{ maxOpenFiles: 0 }, 'INVALID_ARGUMENT', 'maxOpenFiles'],
    [{ maxOpenFiles: 1.5 }, 'INVALID_ARGUMENT', '1.5'],
    [{ bucketAssigner: 'country' }, 'INVALID_ARGUMENT', 'bucketAssigner'],
  ])('are refused when the sink is made: %j', (options, code, named) => {
    expect(refused(options)).toThrowError(expect.objectContaining({ code, message: expect.stringContaining(named) }))
  })

  it('refuse a directory that is none', () => {
    expect(() => FileSink.forLines('')).toThrowError(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
  })
})
