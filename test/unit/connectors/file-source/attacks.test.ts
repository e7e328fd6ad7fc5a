/** Attacks on the file source with real files: damaged archives, names that are no text, things that are no files, a place taken again. */
import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, rename, rm, stat, symlink, unlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type NodeFileSystem, nodeFileSystem } from '../../../../src/base/node-file-system.ts'
import { VirtualClock } from '../../../../src/base/virtual-clock.ts'
import { FileSource, type FileSourceOptions } from '../../../../src/index.ts'
import { SourceUnderTest, type SubtaskOptions } from '../../operators/subtask-harness.ts'

let folder: string
let files: NodeFileSystem
let open: SourceUnderTest<string>[]

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-attacks-'))
  files = nodeFileSystem()
  open = []
})

afterEach(async () => {
  for (const running of open) await running.close()
  await files.stop()
  await rm(folder, { recursive: true })
})

async function started(
  paths: string | readonly string[],
  options: FileSourceOptions = {},
  state: SubtaskOptions & { readonly enumeratorState?: unknown } = {},
) {
  const source = await new SourceUnderTest(FileSource.forLines(paths, options), {
    files,
    clock: new VirtualClock(),
    ...state,
  }).open()
  open.push(source)
  return source
}

const failureOf = async (source: SourceUnderTest<string>) => {
  try {
    await source.runToEnd()
  } catch (thrown) {
    return thrown
  }
  return source.failures[0]
}

/** Looks so often that whatever is there was found and read. */
async function looked(source: SourceUnderTest<string>, times = 60) {
  for (let round = 0; round < times; round++) {
    source.operator().emitNext(100)
    for (let turn = 0; turn < 3; turn++) await new Promise((settle) => setImmediate(settle))
    await files.stat(folder)
    source.harness().clock.runNext()
    if (source.failures.length > 0) throw source.failures[0]
  }
  return source.values
}

describe('A compressed file', () => {
  const one = gzipSync('1\n'.repeat(10))
  const two = gzipSync('2\n'.repeat(10))

  it('of several members is read to its end, and zeros behind it are padding', async () => {
    await writeFile(join(folder, 'a.gz'), Buffer.concat([one, two, Buffer.alloc(100_000)]))
    const source = await started(folder)
    await source.runToEnd()
    expect(source.values).toHaveLength(20)
  })

  it.each([1, 1000, 2_000_000])(
    'with %i zeros in front of a member is damaged: what stands behind them is not left out in silence',
    async (zeros) => {
      await writeFile(join(folder, 'a.gz'), Buffer.concat([one, Buffer.alloc(zeros), two]))
      expect(await failureOf(await started(folder))).toMatchObject({
        code: 'INPUT_DAMAGED',
        details: { path: join(folder, 'a.gz') },
      })
    },
  )
})

describe('A name that is no text', () => {
  it.each([undefined, 100])(
    'fails the source, and no file is left out in silence (monitorContinuously: %s)',
    async (monitorContinuously) => {
      await writeFile(join(folder, 'a.txt'), 'a\n')
      await writeFile(Buffer.concat([Buffer.from(`${folder}/caf`), Buffer.from([0xe9]), Buffer.from('.txt')]), 'b\n')
      const source = await started(join(folder, '*.txt'), { monitorContinuously })
      const failure =
        monitorContinuously === undefined
          ? await failureOf(source)
          : await looked(source).catch((thrown: unknown) => thrown)
      expect(failure).toMatchObject({ code: 'INPUT_MISSING', message: expect.stringContaining('UTF-8') })
    },
  )

  it('but a name may hold what stands for unreadable characters', async () => {
    await writeFile(join(folder, 'a\uFFFD.txt'), 'a\n')
    const source = await started(folder)
    await source.runToEnd()
    expect(source.values).toEqual(['a'])
  })
})

describe('What is no file', () => {
  it.each([undefined, 100])(
    'is passed over: pipes, folders, links that lead nowhere or up (monitorContinuously: %s)',
    async (monitorContinuously) => {
      execFileSync('mkfifo', [join(folder, 'pipe.txt')])
      await mkdir(join(folder, 'folder.txt', 'deep'), { recursive: true })
      await symlink(folder, join(folder, 'folder.txt', 'up.txt'))
      await symlink(join(folder, 'nowhere'), join(folder, 'dangling.txt'))
      await writeFile(join(folder, 'folder.txt', 'deep', 'a.txt'), 'a\n')
      const source = await started(join(folder, '**/*.txt'), { monitorContinuously })
      if (monitorContinuously === undefined) await source.runToEnd()
      else await looked(source)
      expect(source.values).toEqual(['a'])
    },
  )

  it('a link to itself is told by its name', async () => {
    await symlink('self.txt', join(folder, 'self.txt'))
    await writeFile(join(folder, 'a.txt'), 'a\n')
    expect(await failureOf(await started(folder))).toMatchObject({ message: expect.stringContaining('self.txt') })
  })

  it('a pipe that took the place of a file does not hang the source', async () => {
    const path = join(folder, 'b.txt')
    await writeFile(join(folder, 'a.txt'), 'a\n')
    await writeFile(path, 'b\n')
    const source = await started([join(folder, 'a.txt'), path])
    await source.emit(1)
    await unlink(path)
    execFileSync('mkfifo', [path])
    expect(await failureOf(source)).toMatchObject({ code: 'SOURCE_CHANGED' })
  }, 5_000)
})

describe('A compressed file that is followed', () => {
  it.each([
    ['another length', gzipSync('2\n'.repeat(500))],
    ['the same length', gzipSync('2\n')],
  ])('is read when it took the place of one that was read: with the same inode, %s', async (_, content) => {
    const path = join(folder, 'a.gz')
    await writeFile(path, gzipSync('1\n'))
    const source = await started(folder, { monitorContinuously: 100 })
    expect(await looked(source)).toEqual(['1'])
    // The disk gives the number of a deleted file to the next one: this is what it looks like.
    const before = await stat(path)
    await writeFile(path, content)
    await utimes(path, 1, 1)
    expect((await stat(path)).ino).toBe(before.ino)
    expect((await looked(source)).length).toBeGreaterThan(1)
  })
})

describe('A file that has another name when its turn comes', () => {
  it('fails the source by the name that it had', async () => {
    await writeFile(join(folder, 'a.txt'), 'a\n')
    await writeFile(join(folder, 'b.txt'), 'b\n')
    const source = await started(folder)
    await source.emit(1)
    await rename(join(folder, 'b.txt'), join(folder, 'c.txt'))
    expect(await failureOf(source)).toMatchObject({ code: 'SOURCE_CHANGED', message: expect.stringContaining('b.txt') })
  })
})
