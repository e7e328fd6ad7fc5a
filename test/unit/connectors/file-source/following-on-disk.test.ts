import { appendFile, mkdir, mkdtemp, rename, rm, truncate, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type NodeFileSystem, nodeFileSystem } from '../../../../src/base/node-file-system.ts'
import { VirtualClock } from '../../../../src/base/virtual-clock.ts'
import { FileSource } from '../../../../src/connectors/file-source/file-source.ts'
import { decodeOperatorState } from '../../../../src/state/operator-state-format.ts'
import { SourceUnderTest, type SubtaskOptions } from '../../operators/subtask-harness.ts'

describe('files on a real disk that are followed', () => {
  let folder: string
  let files: NodeFileSystem
  let clock: VirtualClock
  let open: SourceUnderTest<string>[]

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-follow-'))
    files = nodeFileSystem()
    clock = new VirtualClock()
    open = []
  })

  afterEach(async () => {
    for (const running of open) await running.close()
    await files.stop()
    await rm(folder, { recursive: true })
  })

  async function start(state: SubtaskOptions & { readonly enumeratorState?: unknown } = {}) {
    const source = FileSource.forLines(join(folder, 'app.log*'), { monitorContinuously: 100, closeAfter: '1 h' })
    const running = await new SourceUnderTest(source, { files, clock, ...state }).open()
    open.push(running)
    return running
  }

  /** Looks again and again, until so many lines are there. */
  async function until(running: SourceUnderTest<string>, count: number): Promise<void> {
    for (let round = 0; running.values.length < count && round < 5000; round++) await look(running)
    expect(running.values).toHaveLength(count)
  }

  async function look(running: SourceUnderTest<string>): Promise<void> {
    running.operator().emitNext(100)
    await new Promise((settle) => setImmediate(settle))
    // What the source asked the disk for goes before this: however busy the disk threads are, a round is long enough.
    await files.stat(folder)
    clock.runNext()
    if (running.failures.length > 0) throw running.failures[0]
  }

  it('are read on when they grow and under their new names, and forgotten when they are deleted', async () => {
    const path = join(folder, 'app.log')
    await writeFile(path, 'a1\na')
    const before = await start()
    await until(before, 1)
    await appendFile(path, '2\n')
    await until(before, 2)
    await rename(path, `${path}.1`)
    await writeFile(path, 'b1\n')
    await appendFile(`${path}.1`, 'a3\n')
    await until(before, 4)
    expect(before.values.toSorted()).toEqual(['a1', 'a2', 'a3', 'b1'])
    const state = await before.snapshot()
    await before.close()
    open = []

    await rename(`${path}.1`, `${path}.2`)
    await rename(path, `${path}.1`)
    await writeFile(path, 'c1\n')
    await appendFile(`${path}.2`, 'a4\n')
    const after = await start(state)
    await until(after, 2)
    expect(after.values.toSorted()).toEqual(['a4', 'c1'])
    for (const name of [path, `${path}.1`, `${path}.2`]) await unlink(name)
    const remembered = async () => {
      const { enumeratorState, restored } = await after.snapshot()
      const splits = restored.flatMap((bytes) => (bytes === undefined ? [] : decodeOperatorState(bytes)))
      return (
        (enumeratorState as { found: ArrayBuffer }).found.byteLength + splits.flatMap(({ elements }) => elements).length
      )
    }
    expect(await remembered()).toBeGreaterThan(0)
    for (let round = 0; (await remembered()) > 0 && round < 5000; round++) await look(after)
    expect(await remembered()).toBe(0)
  })

  it('fail by their name when they are cut', async () => {
    const path = join(folder, 'app.log')
    await mkdir(join(folder, 'other'))
    await writeFile(path, 'a1\na2\n')
    const running = await start()
    await until(running, 2)
    await truncate(path, 3)
    const failing = (async () => {
      for (let round = 0; round < 5000; round++) await look(running)
    })()
    await expect(failing).rejects.toMatchObject({
      code: 'SOURCE_CHANGED',
      message: expect.stringContaining(`${path} is shorter than before`),
    })
  })
})
