import { createHash } from 'node:crypto'
import { linkSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { FileSystem } from '../../../src/base/file-system.ts'
import { nodeFileSystem } from '../../../src/base/node-file-system.ts'
import type { FileCommittable } from '../../../src/connectors/file-sink/file-committable.ts'
import { FileCommitter } from '../../../src/connectors/file-sink/file-committer.ts'

const content = 'x\n'
const committable: FileCommittable = {
  pending: '.part-0-0.job-1-0.pending',
  final: 'part-0-0',
  length: content.length,
  sha256: createHash('sha256').update(content).digest('hex'),
}
let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-committer-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

/** What a commit of the one file told. */
async function commit(files: FileSystem = nodeFileSystem()): Promise<string[]> {
  const told: string[] = []
  await new FileCommitter(files, folder).commit([
    {
      committable,
      checkpointId: 7,
      attempt: 0,
      retryLater: () => void told.push('later'),
      alreadyCommitted: () => void told.push('already'),
      failed: (reason) => void told.push((reason as { code: string }).code),
    },
  ])
  return told
}

const write = (name: string) => writeFileSync(join(folder, name), content)

describe('A committer of files', () => {
  it('makes a pending file visible under its final name', async () => {
    write(committable.pending)
    expect(await commit()).toEqual([])
    expect(readdirSync(folder)).toEqual([committable.final])
  })

  it('goes on where a crash came between the link and the removal', async () => {
    write(committable.pending)
    linkSync(join(folder, committable.pending), join(folder, committable.final))
    expect(await commit()).toEqual(['already'])
    expect(readdirSync(folder)).toEqual([committable.final])
  })

  it('knows its file again when it is committed already', async () => {
    write(committable.final)
    expect(await commit()).toEqual(['already'])
  })

  it('refuses the final file of another job, also one of the same content: its own records would be lost', async () => {
    write(committable.pending)
    write(committable.final)
    expect(await commit()).toEqual(['SINK_FILE_CONFLICT'])
    expect(readdirSync(folder).sort()).toEqual([committable.pending, committable.final])
  })

  it('sees that somebody else committed the file between its two looks', async () => {
    const real = nodeFileSystem()
    let looks = 0
    const raced: FileSystem = {
      ...real,
      stat: async (path) => {
        if (++looks === 3) write(committable.final)
        return real.stat(path)
      },
      openRead: (path) => real.openRead(path),
      execute: (operations) => real.execute(operations),
    }
    expect(await commit(raced)).toEqual(['already'])
  })

  it('names the checkpoint when the file is gone', async () => {
    expect(await commit()).toEqual(['SINK_FILE_MISSING'])
  })
})
