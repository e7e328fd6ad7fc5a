/** Attacks on the file sink: a disk that refuses in the middle, at each operation, and what is left open afterwards. */
import { describe, expect, it } from 'vitest'
import type { FileSystem } from '../../../../src/base/file-system.ts'
import {
  type Interference,
  SimulatedFileSystem,
  type SimulatedOperation,
} from '../../../../src/base/simulated-file-system.ts'
import { FileSink, type FileSinkOptions } from '../../../../src/index.ts'
import { openSink } from '../../operators/subtask-harness.ts'
import { background, FOLDER, filesBelow, finishedLines } from './folder-contents.ts'

/** Counts the handles that are open for writing. */
function counting(files: FileSystem) {
  const open = new Set<string>()
  const counted: FileSystem = {
    openRead: (path) => files.openRead(path),
    read: (path) => files.read(path),
    stat: (path) => files.stat(path),
    list: (path) => files.list(path),
    execute: (operations) => files.execute(operations),
    gunzip: (packed, chunkBytes) => files.gunzip(packed, chunkBytes),
    async createExclusive(path) {
      const handle = await files.createExclusive(path)
      open.add(path)
      return {
        append: (bytes) => handle.append(bytes),
        sync: () => handle.sync(),
        close: () => {
          open.delete(path)
          return handle.close()
        },
      }
    },
  }
  return { open, counted }
}

const ROLLING: FileSinkOptions<string> = { rolling: { maxPartSize: '6 kb' } }
const BUCKETS: FileSinkOptions<string> = { bucketAssigner: (value) => value.slice(0, 2), maxOpenFiles: 3 }

/** Writes until it fails, or all is written, with a checkpoint now and then; then closes. */
async function untilItFails(
  options: FileSinkOptions<string>,
  interfere: (operation: SimulatedOperation) => Interference | undefined,
) {
  const files = new SimulatedFileSystem()
  const { open, counted } = counting(files)
  let failure: unknown
  const { operator, write, checkpoint, complete, harness } = await openSink(FileSink.forLines(FOLDER, options), {
    files: counted,
  })
  files.interfere = interfere
  try {
    for (let index = 0; index < 60 && harness.failures.length === 0; index++) {
      const line = `${String(index % 7).padStart(2, '0')}-${index}-${'x'.repeat(900)}`
      await write(line)
      if (index % 3 === 0) await background()
      if (index % 20 === 19) {
        await checkpoint(index)
        await complete(index)
      }
    }
  } catch (thrown) {
    failure = thrown
  }
  failure ??= harness.failures[0]
  files.interfere = undefined
  await operator.close?.()
  await background()
  return { files, failure, open }
}

describe('A disk that is full at one operation', () => {
  it.each([
    ['rolling', ROLLING],
    ['buckets', BUCKETS],
  ] as const)(
    'fails the sink, which leaves no file open: %s',
    async (_, options) => {
      let operations = 0
      await untilItFails(options, () => {
        operations++
        return undefined
      })
      expect(operations).toBeGreaterThan(30)
      const leaks: unknown[] = []
      for (let full = 1; full <= operations; full += 11) {
        let count = 0
        let at = ''
        const { failure, open } = await untilItFails(options, (operation) => {
          if (++count !== full) return undefined
          at = `${operation.type} ${operation.path}`
          return { type: 'fail', code: 'ENOSPC', bytes: 100 }
        })
        if (failure === undefined || open.size > 0)
          leaks.push({ full, at, failed: failure !== undefined, open: [...open] })
      }
      expect(leaks).toEqual([])
    },
    60_000,
  )

  it('that stays full, likewise', async () => {
    for (const options of [ROLLING, BUCKETS])
      for (let from = 1; from < 60; from += 7) {
        let count = 0
        const { failure, open } = await untilItFails(options, ({ type }) =>
          ++count >= from && (type === 'write' || type === 'create')
            ? { type: 'fail', code: 'ENOSPC', bytes: 10 }
            : undefined,
        )
        expect({ from, failed: failure !== undefined, open: [...open] }).toEqual({ from, failed: true, open: [] })
      }
  })
})

describe('What a bucketAssigner may return', () => {
  it.each([
    '../x',
    '..',
    '.',
    'a/../b',
    '/etc',
    'a//b',
    'a/',
    '.hidden',
    'a\0b',
    'a\\b',
    'x/part-0-1.txt',
    '\ud800',
    'x'.repeat(256),
    'ä'.repeat(128),
    1,
    null,
    undefined,
    ['a'],
    Symbol('a'),
    { toString: () => 'a' },
  ])('is refused by its name, and nothing is made of it: %s', async (bucket) => {
    const files = new SimulatedFileSystem()
    const { write, operator } = await openSink(FileSink.forLines(FOLDER, { bucketAssigner: () => bucket as string }), {
      files,
    })
    await expect(write('a')).rejects.toMatchObject({ code: 'FUNCTION_RESULT_INVALID' })
    await operator.close?.()
    expect(await filesBelow(files)).toEqual([])
  })

  it('is taken as it is: names of other scripts, with spaces, as long as a disk allows', async () => {
    const files = new SimulatedFileSystem()
    const buckets = ['東京/五月', 'a b', 'ä'.repeat(127), 'e\u0301', '\u00e9', 'a%2Fb', '-rf', '~', '$HOME', '*', 'con']
    let next = 0
    const { write, checkpoint, complete } = await openSink(
      FileSink.forLines(FOLDER, { bucketAssigner: () => buckets[next++] as string }),
      { files },
    )
    await write(...buckets)
    await checkpoint(1)
    await complete(1)
    expect([...(await finishedLines(files)).keys()].sort()).toEqual([...buckets].sort())
  })
})
