/** Savepoints of a job whose checkpoints are on a disk, and of one that has them in memory: whole in their folder, or not there. */
import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../../src/base/random.ts'
import { SimulatedFileSystem } from '../../../src/base/simulated-file-system.ts'
import { decideResume } from '../../../src/checkpoint/resume-decision.ts'
import { codeOf, JOB_ID, open, portsOn, prepare, restored, stateOf } from './job-fixture.ts'

const turns = { next: (turn: () => void) => queueMicrotask(turn) }

async function running(directory: string | undefined) {
  const files = new SimulatedFileSystem({ turns })
  const ports = portsOn(files)
  const job = await open(ports, directory as string, { fixedJobId: JOB_ID })
  const metadata = { ...(await prepare(job, 1)), kind: 'savepoint' as const }
  const take = () => job.storage.publishSavepoint('file:///save/points', metadata)
  return { files, ports, job, metadata, take }
}

describe.each([
  ['on a disk', '/data'],
  ['in memory', undefined],
])('A savepoint of a job whose checkpoints are %s', (_, directory) => {
  test('is whole in a new folder, is named by the record, and another job starts from it', async () => {
    const { ports, job, take } = await running(directory)
    const { path, size } = await take()
    expect(path).toMatch(new RegExp(`^/save/points/savepoint-${JOB_ID.slice(0, 6)}-[0-9a-z]{12}$`))
    expect(size).toBeGreaterThan(30_000)
    expect(job.storage.record().newestSavepoint).toBe(path)
    const other = await open(ports, '/other', { fromSavepoint: path, name: 'other' })
    expect(await restored(other)).toEqual({ checkpointId: 1, ...stateOf(1) })
    expect(await job.storage.readCompleted()).toEqual([])
  })

  test('survives a power loss as soon as it is reported', async () => {
    for (let seed = 1; seed <= 10; seed++) {
      const { files, take } = await running(directory)
      const { path } = await take()
      const found = files.crash({ random: seededRandom(seed), model: 'posix' })
      const other = await open(portsOn(found), '/other', { fromSavepoint: path, name: 'other' })
      expect(await restored(other)).toEqual({ checkpointId: 1, ...stateOf(1) })
    }
  })

  test('leaves nothing where any operation fails, and a second try works', async () => {
    const { files, take } = await running(directory)
    const before = files.operations
    await take()
    const operations = files.operations - before
    for (let at = 1; at <= operations; at++) {
      const again = await running(directory)
      const index = again.files.operations + at
      again.files.interfere = (operation) =>
        operation.index === index ? { type: 'fail', code: 'ENOSPC', bytes: 3 } : undefined
      const code = await codeOf(again.take())
      again.files.interfere = undefined
      const left = again.files.disk.find('/save/points') === undefined ? [] : await again.files.list('/save/points')
      // What follows the publication concerns the record only.
      if (code === 'none') expect(left).toHaveLength(1)
      else for (const { name } of left) expect(await isWhole(again.files, `/save/points/${name}`)).toBe(true)
    }
  })

  test('is never mistaken for a place that cannot hold one', async () => {
    const { files, job, metadata } = await running(directory)
    await files.execute([{ type: 'writeNew', path: '/file', bytes: new Uint8Array(1) }])
    expect(await codeOf(job.storage.publishSavepoint('http://host/x', metadata))).toBe('STORAGE_LOCATION')
    expect(await codeOf(job.storage.publishSavepoint('/file/below', metadata))).toBe('FILE_ERROR')
    expect(await codeOf(job.storage.publishSavepoint('/save', { ...metadata, kind: 'checkpoint' }))).toBe('INTERNAL')
  })
})

/** A publication of which only the last sync failed may be visible: then it is whole. */
async function isWhole(files: SimulatedFileSystem, fromSavepoint: string): Promise<boolean> {
  return (await codeOf(open(portsOn(files), '/whole', { fromSavepoint, name: 'other' }))) === 'none'
}

test('the newest savepoint does not decide from what a job is resumed', () => {
  const record = {
    name: 'n',
    jobId: JOB_ID,
    epoch: 1,
    startedFrom: { type: 'nothing' as const },
    firstCheckpointId: 1,
    hasCheckpoints: false,
    status: 'RUNNING' as const,
    checkpoints: 'kept' as const,
    newestSavepoint: '/save/points/s',
    graphHash: 'g',
    writtenAtMs: 1,
  }
  expect(decideResume(record, { completed: [], unreadable: [], highestId: 0 }, '/data')).toEqual({ type: 'empty' })
})
