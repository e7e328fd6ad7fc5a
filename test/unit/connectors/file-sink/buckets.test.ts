import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../../../src/base/random.ts'
import { SimulatedFileSystem } from '../../../../src/base/simulated-file-system.ts'
import { FileSink, type FileSinkOptions } from '../../../../src/index.ts'
import { openSink } from '../../operators/subtask-harness.ts'
import { writeFile } from '../files-for-tests.ts'
import { background, FOLDER, filesBelow, finishedLines } from './folder-contents.ts'

/** `bucket:text` goes into that bucket. */
const bucketOf = (line: string) => line.slice(0, line.indexOf(':'))
const bucketed = (options: FileSinkOptions<string> = {}) =>
  FileSink.forLines(FOLDER, { bucketAssigner: bucketOf, ...options })

const entries = async (files: SimulatedFileSystem) => Object.fromEntries(await finishedLines(files))

describe('A file sink with buckets', () => {
  it('puts each record into a file in its subfolder, visible with the checkpoint', async () => {
    const files = new SimulatedFileSystem()
    const running = await openSink(bucketed(), { files })
    await running.write('a:1', 'b/c:2', 'a:3', ':4')
    await running.checkpoint(1)
    expect(await entries(files)).toEqual({})
    await running.complete(1)
    expect(await entries(files)).toEqual({ a: ['a:1', 'a:3'], 'b/c': ['b/c:2'], '': [':4'] })
    expect(await filesBelow(files)).toEqual(['a/part-0-1.txt', 'b/c/part-0-0.txt', 'part-0-2.txt'])
  })

  it('gives one file after the other its number, so that the numbers of a bucket grow with its records', async () => {
    const files = new SimulatedFileSystem()
    const running = await openSink(bucketed({ rolling: { maxPartSize: 1 } }), { files })
    await running.write('a:1', 'b:1', 'a:2', 'b:2')
    await running.checkpoint(1)
    await running.write('a:3')
    await running.checkpoint(2)
    await running.complete(2)
    expect(await entries(files)).toEqual({ a: ['a:1', 'a:2', 'a:3'], b: ['b:1', 'b:2'] })
    expect((await filesBelow(files)).at(2)).toBe('a/part-0-4.txt')
  })

  it('goes on above the numbers that lie in a bucket, whosever they are, in every bucket', async () => {
    const files = new SimulatedFileSystem()
    await writeFile(files, '/out/a/part-7-41.txt', 'of another job')
    const running = await openSink(bucketed(), { files })
    await running.write('b:1', 'a:1', 'b:2')
    await running.checkpoint(1)
    await running.write('b:3')
    await running.checkpoint(2)
    await running.complete(2)
    expect((await filesBelow(files)).filter((path) => path.includes('part-0-'))).toEqual([
      'a/part-0-42.txt',
      'b/part-0-43.txt',
      'b/part-0-44.txt',
    ])
  })

  it('counts on from its state when a bucket has been carried away', async () => {
    const files = new SimulatedFileSystem()
    const running = await openSink(bucketed(), { files })
    await running.write('a:1', 'b:1')
    await running.checkpoint(1)
    await running.complete(1)
    const state = await running.checkpoint(2)
    await files.execute([{ type: 'remove', path: '/out/b' }])
    const again = await openSink(bucketed(), { files, restored: [state], attempt: 1, parallelism: 1 })
    await again.write('b:2')
    await again.checkpoint(3)
    await again.complete(3)
    expect(await filesBelow(files)).toEqual(['a/part-0-0.txt', 'b/part-0-2.txt'])
  })

  it('takes no number over from a name that no double can count on from', async () => {
    const files = new SimulatedFileSystem()
    await writeFile(files, '/out/a/part-0-99999999999999999999.txt', 'of somebody')
    const running = await openSink(bucketed(), { files })
    await running.write('a:1')
    await running.checkpoint(1)
    await running.complete(1)
    expect(await filesBelow(files)).toContain('a/part-0-0.txt')
  })

  it('keeps no more files open than it may, and loses nothing of those that it ends', async () => {
    const files = new SimulatedFileSystem()
    let open = 0
    let most = 0
    files.interfere = ({ type }) => {
      if (type === 'create') most = Math.max(most, ++open)
      if (type === 'close') open--
      return undefined
    }
    const running = await openSink(bucketed({ maxOpenFiles: 3 }), { files })
    const values = Array.from({ length: 300 }, (_, index) => `bucket-${(index * 7) % 20}:${index} ${'x'.repeat(5_000)}`)
    await running.write(...values)
    await running.checkpoint(1)
    await running.complete(1)
    // Three of the buckets, and behind them as many that are being closed, and the one that is made.
    expect(most).toBeLessThanOrEqual(7)
    for (const [bucket, lines] of await finishedLines(files))
      expect(lines).toEqual(values.filter((value) => bucketOf(value) === bucket))
    expect([...(await finishedLines(files)).values()].flat()).toHaveLength(values.length)
  })

  it('waits with a record rather than to have ever more files that are not closed yet', async () => {
    const files = new SimulatedFileSystem()
    let release = () => {}
    const until = new Promise<void>((resolve) => {
      release = resolve
    })
    let open = 0
    files.interfere = ({ type }) => {
      if (type === 'create') open++
      if (type === 'close') open--
      return type === 'sync' ? { type: 'hold', until } : undefined
    }
    const running = await openSink(bucketed({ maxOpenFiles: 2 }), { files })
    const values = Array.from({ length: 20 }, (_, index) => `bucket-${index}:${'x'.repeat(5_000)}`)
    const written = running.write(...values)
    await background()
    expect(open).toBeLessThanOrEqual(5)
    release()
    await written
    await running.checkpoint(1)
    await running.complete(1)
    expect([...(await finishedLines(files)).values()].flat().toSorted()).toEqual(values.toSorted())
  })

  it('ends the file that was not written into for longest when it needs another one', async () => {
    const files = new SimulatedFileSystem()
    const running = await openSink(bucketed({ maxOpenFiles: 2 }), { files })
    await running.write('a:1', 'b:1', 'a:2', 'c:1', 'a:3', 'b:2')
    await running.checkpoint(1)
    await running.complete(1)
    expect(await filesBelow(files)).toEqual(['a/part-0-2.txt', 'b/part-0-0.txt', 'b/part-0-3.txt', 'c/part-0-1.txt'])
  })

  it('finds what a dead attempt left in any bucket, and removes it', async () => {
    const files = new SimulatedFileSystem()
    const running = await openSink(bucketed({ maxOpenFiles: 1 }), { files })
    await running.write(`a:${'x'.repeat(70_000)}`, `b/c:${'x'.repeat(70_000)}`)
    await background()
    expect((await filesBelow(files)).filter((path) => path.endsWith('.inprogress'))).toHaveLength(2)
    const next = files.kill()
    await openSink(bucketed(), { files: next, epoch: 2 })
    expect(await filesBelow(next)).toEqual([])
  })

  it('removes what a closed attempt was writing, in every bucket', async () => {
    const files = new SimulatedFileSystem()
    const running = await openSink(bucketed({ maxOpenFiles: 1 }), { files })
    await running.write(`a:${'x'.repeat(70_000)}`, `b/c:${'x'.repeat(70_000)}`)
    await running.operator.close?.()
    expect(await filesBelow(files)).toEqual([])
  })

  it('of the same job and directory shares a bucket with a second sink', async () => {
    const files = new SimulatedFileSystem()
    const [one, other] = [await openSink(bucketed(), { files }), await openSink(bucketed(), { files })]
    await one.write('a:1', 'b:1')
    await other.write('b:2', 'a:2')
    await one.checkpoint(1)
    await other.checkpoint(1)
    await other.complete(1)
    const state = await one.checkpoint(2)
    await one.complete(1)
    await openSink(bucketed(), { files, restored: [state], attempt: 1 })
    const found = await entries(files)
    expect(found.a?.toSorted()).toEqual(['a:1', 'a:2'])
    expect(found.b?.toSorted()).toEqual(['b:1', 'b:2'])
  })

  it('tells with the next call that the disk refused a folder, and names it', async () => {
    const files = new SimulatedFileSystem()
    await writeFile(files, '/out/a', 'a file where the folder should be')
    const running = await openSink(bucketed(), { files })
    await running.write('a:1')
    await expect(running.checkpoint(1)).rejects.toMatchObject({
      code: 'FILE_ERROR',
      message: expect.stringContaining('/out/a'),
    })
    await running.operator.close?.()
    expect(await filesBelow(files)).toEqual(['a'])
  })

  it('has its folders durable before the acknowledgement, also those that a killed process had just made', async () => {
    for (let seed = 1; seed <= 12; seed++) {
      const dying = new SimulatedFileSystem({
        interfere: ({ type, path }) => (type === 'syncFolder' && path === '/out/a' ? { type: 'stop' } : undefined),
      })
      const first = await openSink(bucketed(), { files: dying })
      await first.write('a/b:0')
      await Promise.race([first.checkpoint(1), dying.stopped])
      const files = dying.kill()
      const running = await openSink(bucketed(), { files, epoch: 2 })
      await running.write('a/b:1')
      const state = await running.checkpoint(1)
      const after = files.crash({ random: seededRandom(seed), model: 'posix' })
      await openSink(bucketed(), { files: after, restored: [state], epoch: 3 })
      expect(await entries(after), `seed ${seed}`).toEqual({ 'a/b': ['a/b:1'] })
    }
  })
})

describe('The bucket that a bucketAssigner returns', () => {
  const write = async (bucket: unknown) => {
    const sink = FileSink.forLines(FOLDER, { bucketAssigner: () => bucket as string })
    await (await openSink(sink)).write('x')
  }

  it.each([
    ['..', 'leads out of the folder'],
    ['a/../../etc', 'leads out of the folder'],
    ['/etc', 'absolute'],
    ['a//b', 'empty name'],
    ['a/', 'empty name'],
    ['.', 'a dot in front'],
    ['a/.hidden', 'a dot in front'],
    ['a\0b', 'NUL'],
    ['a\\b', 'backslash'],
    ['part-0-0.txt', 'like those of the files'],
    ['a/part-1-22', 'like those of the files'],
    ['half \ud83d', 'surrogate'],
    ['x'.repeat(256), '255 bytes'],
    ['ä'.repeat(128), '255 bytes'],
  ])('is refused when it is %j, by name: it %s', async (bucket, why) => {
    const shown = JSON.stringify(bucket.length > 100 ? `${bucket.slice(0, 100)}…` : bucket)
    await expect(write(bucket)).rejects.toMatchObject({
      code: 'FUNCTION_RESULT_INVALID',
      message: expect.stringContaining(shown),
    })
    await expect(write(bucket)).rejects.toMatchObject({ message: expect.stringContaining(why) })
  })

  it.each([undefined, null, 5, Promise.resolve('a'), ['a']])(
    'is refused when it is no text, also for the first record: %o',
    async (bucket) => {
      await expect(write(bucket)).rejects.toMatchObject({ code: 'FUNCTION_RESULT_INVALID' })
    },
  )

  it.each(['a', 'country=de/day=2024-05-01', 'part-', 'part-1', 'ä b…', 'x'.repeat(255), 'a.b'])(
    'may be %j',
    async (bucket) => {
      await expect(write(bucket)).resolves.toBeUndefined()
    },
  )

  it('fails the record with what the function threw', async () => {
    const thrown = new Error('no country')
    const sink = FileSink.forLines(FOLDER, {
      bucketAssigner: () => {
        throw thrown
      },
    })
    await expect((await openSink(sink)).write('x')).rejects.toBe(thrown)
  })
})
