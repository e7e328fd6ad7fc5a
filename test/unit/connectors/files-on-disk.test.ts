import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type NodeFileSystem, nodeFileSystem } from '../../../src/base/node-file-system.ts'
import { FileSink } from '../../../src/connectors/file-sink/file-sink.ts'
import { FileSource } from '../../../src/connectors/file-source/file-source.ts'
import { openSink, SourceUnderTest } from '../operators/subtask-harness.ts'

describe('files on a real disk', () => {
  let folder: string
  let files: NodeFileSystem

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-files-'))
    files = nodeFileSystem()
  })

  afterEach(async () => {
    await files.stop()
    await rm(folder, { recursive: true })
  })

  it('are read and written as simulated ones are: plain and packed, larger than a chunk, across a restart', async () => {
    const lines = Array.from({ length: 30_000 }, (_, index) => `line ${index} ${'ä'.repeat(index % 40)}`)
    await writeFile(join(folder, 'a.txt'), lines.slice(0, 20_000).join('\n'))
    await writeFile(join(folder, 'b.txt.gz'), gzipSync(lines.slice(20_000).join('\r\n')))
    const source = FileSource.forLines(join(folder, '*.txt*'))
    const before = await new SourceUnderTest(source, { files }).open()
    await before.emit(23_456)
    const after = await new SourceUnderTest(source, { files, ...(await before.snapshot()) }).open()
    await after.runToEnd()
    await before.close()
    const sink = await openSink(FileSink.forLines(join(folder, 'out')), { files })
    for (const value of [...before.values, ...after.values]) await sink.write(value as string)
    await sink.operator.finish?.()
    await sink.checkpoint(1)
    await sink.complete(1)
    expect(await readdir(join(folder, 'out'))).toEqual(['part-0-0.txt'])
    expect(await readFile(join(folder, 'out', 'part-0-0.txt'), 'utf8')).toBe(`${lines.join('\n')}\n`)
  })
})
