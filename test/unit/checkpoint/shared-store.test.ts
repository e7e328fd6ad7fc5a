/** Files that checkpoints share, on a simulated disk and in memory: what is there when, and what a checkpoint may name. */
import { describe, expect, test } from 'vitest'
import { SimulatedFileSystem, type SimulatedOperation } from '../../../src/base/simulated-file-system.ts'
import { SimulatedLocks } from '../../../src/base/simulated-locks.ts'
import type { CheckpointStorage } from '../../../src/checkpoint/checkpoint-storage.ts'
import { FileCheckpointStorage } from '../../../src/checkpoint/file-checkpoint-storage.ts'
import type { OpenedJob } from '../../../src/checkpoint/job-directory.ts'
import { MemoryCheckpointStorage } from '../../../src/checkpoint/memory-checkpoint-storage.ts'
import {
  completeSharing,
  composite,
  metadataOf,
  partsOf,
  prepareSharing,
  sharedBytes,
  writeShared,
  wrongParts,
} from './incremental-fixture.ts'
import { codeOf, complete, JOB_ID, OPERATOR, open, portsOn, prepare } from './job-fixture.ts'

const DIRECTORY = '/data'
const FOLDER = `${DIRECTORY}/${JOB_ID}`
const turns = { next: (turn: () => void) => queueMicrotask(turn) }
const resume = { fixedJobId: JOB_ID, resume: 'latest' as const, takeover: true }

async function running(files = new SimulatedFileSystem({ turns })) {
  const ports = portsOn(files)
  const storage = new FileCheckpointStorage(files, DIRECTORY, ports.ids)
  const job = await open(ports, DIRECTORY, { fixedJobId: JOB_ID, storage })
  return { files, ports, storage, job }
}

async function inMemory() {
  const files = new SimulatedFileSystem({ turns })
  const ports = portsOn(files)
  const storage = new MemoryCheckpointStorage(files)
  const job = await open(ports, DIRECTORY, { fixedJobId: JOB_ID, storage })
  return { files, ports, storage, job }
}

const locationOf = (storage: CheckpointStorage, checkpointId: number) =>
  storage.durable ? `${FOLDER}/chk-${checkpointId}` : `memory:${JOB_ID}/chk-${checkpointId}`

const discarding = (storage: CheckpointStorage, job: OpenedJob) => (checkpointId: number) =>
  job.storage.discard({ checkpointId, location: locationOf(storage, checkpointId) })

describe.each([
  ['on a disk', running],
  ['in memory', inMemory],
])('Shared files %s', (_, begin) => {
  test('appear with their checkpoint, outlive it while another names them, and go with the last that does', async () => {
    const { storage, job } = await begin()
    const discard = discarding(storage, job)
    const first = await prepareSharing(job, 1, [])
    expect(await storage.listShared(JOB_ID)).toEqual([])
    await job.storage.publish(first.metadata)
    expect(await storage.listShared(JOB_ID)).toEqual([first.written.path])
    const second = await completeSharing(job, 2, [first.written])
    await discard(1)
    expect(await storage.listShared(JOB_ID)).toEqual([first.written.path, second.path].sort())
    const third = await completeSharing(job, 3, [second])
    await discard(2)
    expect(await storage.listShared(JOB_ID)).toEqual([second.path, third.path].sort())
    const [last] = (await job.storage.readCompleted()).slice(-1)
    if (last === undefined) return expect.unreachable()
    const reader = job.storage.snapshotReader(last)
    expect(await reader.read(second)).toEqual(sharedBytes(2))
    await discard(3)
    expect(await storage.listShared(JOB_ID)).toEqual([])
  })

  test('are named by operator, subtask and checkpoint, never twice, and count once towards the size', async () => {
    const { job } = await begin()
    const first = await prepareSharing(job, 1, [])
    expect(first.written.path).toMatch(new RegExp(`^${OPERATOR}-0-1-[0-9a-z]{12}$`))
    expect((await writeShared(job, 1)).path).not.toBe(first.written.path)
    const { size } = await job.storage.publish(first.metadata)
    expect(size).toBeGreaterThan(25_000)
    const second = await prepareSharing(job, 2, [first.written])
    expect((await job.storage.publish(second.metadata)).size).toBeLessThan(size + 1000)
  })

  test('FLINK-30461: 500 checkpoints that failed leave none of them', async () => {
    const { files, storage, job } = await begin()
    const discard = discarding(storage, job)
    const kept = await completeSharing(job, 1)
    for (let id = 2; id <= 501; id++) {
      // Some were never published; some name what is not there; of some the disk refuses the last step.
      const { metadata } = await prepareSharing(job, id, id % 3 === 0 ? [{ ...kept, path: 'gone' }] : [kept])
      files.interfere = ({ to }: SimulatedOperation) =>
        to === `${FOLDER}/chk-${id}` ? { type: 'fail', code: 'ENOSPC' } : undefined
      if (id % 3 === 0 || (id % 3 === 1 && storage.durable))
        expect(await codeOf(job.storage.publish(metadata))).toBe(id % 3 === 0 ? 'CHECKPOINT_MISSING' : 'FILE_ERROR')
      await job.storage.discardPending(id)
    }
    expect(await storage.listShared(JOB_ID)).toEqual([kept.path])
    await discard(1)
    expect(await storage.listShared(JOB_ID)).toEqual([])
  })

  test('FLINK-29913: of two checkpoints that are pending at once, each keeps what it names when the other completes or fails', async () => {
    const { storage, job } = await begin()
    const discard = discarding(storage, job)
    const base = await completeSharing(job, 1)
    const second = await prepareSharing(job, 2, [base])
    const third = await prepareSharing(job, 3, [base])
    await job.storage.discardPending(2)
    await job.storage.publish(third.metadata)
    await discard(1)
    expect(await storage.listShared(JOB_ID)).toEqual([base.path, third.written.path].sort())
    const fourth = await prepareSharing(job, 4, [base, third.written])
    const fifth = await prepareSharing(job, 5, [base])
    await job.storage.publish(fifth.metadata)
    await discard(3)
    // Checkpoint 4 had begun when 3 was still there.
    await job.storage.publish(fourth.metadata)
    expect(await storage.listShared(JOB_ID)).toContain(third.written.path)
    expect(await storage.listShared(JOB_ID)).not.toContain(second.written.path)
  })

  test('of a checkpoint that is not complete cannot be named by another: it is refused, and nothing is published', async () => {
    const { storage, job } = await begin()
    const first = await prepareSharing(job, 1, [])
    const second = await prepareSharing(job, 2, [first.written])
    await expect(job.storage.publish(second.metadata)).rejects.toMatchObject({
      code: 'CHECKPOINT_MISSING',
      message: expect.stringContaining(first.written.path),
      details: { visible: 'no' },
    })
    await job.storage.discardPending(1)
    expect(await codeOf(job.storage.publish(second.metadata))).toBe('CHECKPOINT_MISSING')
    await job.storage.discardPending(2)
    expect(await storage.listCheckpoints(JOB_ID)).toEqual([])
    expect(await storage.listShared(JOB_ID)).toEqual([])
  })

  test('that were deleted cannot be named: it is refused', async () => {
    const { storage, job } = await begin()
    const discard = discarding(storage, job)
    const first = await completeSharing(job, 1)
    await completeSharing(job, 2)
    await discard(1)
    const third = await prepareSharing(job, 3, [first])
    expect(await codeOf(job.storage.publish(third.metadata))).toBe('CHECKPOINT_MISSING')
  })

  test('of a late acknowledgement are removed, and those that it shares are not touched', async () => {
    const { storage, job } = await begin()
    const first = await completeSharing(job, 1)
    const second = await prepareSharing(job, 2, [first])
    const late = await composite(job, 2, [first, second.written, await writeShared(job, 2)])
    await job.storage.removeHandles([late])
    expect(await storage.listShared(JOB_ID)).toEqual([first.path])
    expect(await codeOf(job.storage.publish(second.metadata))).not.toBe('none')
    await job.storage.removeHandles([await composite(job, 3, [first])])
    expect(await storage.listShared(JOB_ID)).toEqual([first.path])
    const fourth = await prepareSharing(job, 4, [first])
    await job.storage.removeHandles([await composite(job, 5, [fourth.written])])
    await job.storage.publish(fourth.metadata)
    expect(await storage.listShared(JOB_ID)).toContain(fourth.written.path)
  })

  test('FLINK-21351: a savepoint beside them neither names one nor keeps one', async () => {
    const { storage, job, files } = await begin()
    const discard = discarding(storage, job)
    const first = await completeSharing(job, 1)
    const shared = metadataOf(job, 2, await composite(job, 2, [first]))
    expect(await codeOf(job.storage.publishSavepoint('/savepoints', { ...shared, kind: 'savepoint' }))).toBe('INTERNAL')
    job.storage.begin(3)
    const savepoint = { ...(await prepare(job, 3)), kind: 'savepoint' as const }
    const { path } = await job.storage.publishSavepoint('/savepoints', savepoint)
    expect(job.storage.record().newestSavepoint).toBe(path)
    const fourth = await completeSharing(job, 4, [first])
    await discard(1)
    await completeSharing(job, 5, [fourth])
    await discard(4)
    expect(await storage.listShared(JOB_ID)).not.toContain(first.path)
    expect((await job.storage.readVerified(path)).metadata).toEqual(savepoint)
    expect((await files.list(path)).map(({ name }) => name)).toContain('_metadata')
  })

  test('are read piece by piece: the next piece comes when the one before was taken, none larger than a block', async () => {
    const { job } = await begin()
    job.storage.begin(1)
    const bytes = new Uint8Array(2_000_000).map((_, index) => index & 0xff)
    const stream = job.storage
      .snapshotWriter()
      .open({ checkpointId: 1, operatorId: OPERATOR, subtask: 0, kind: 'keyed' }, 'shared')
    await stream.append(bytes)
    const written = await stream.finish()
    await job.storage.publish(metadataOf(job, 1, await composite(job, 1, [written])))
    const [completed] = await job.storage.readCompleted()
    if (completed === undefined) return expect.unreachable()
    const pieces: Uint8Array[] = []
    let taking = 0
    await job.storage.snapshotReader(completed).scan(written, async (piece, length) => {
      expect(taking++).toBe(0)
      for (let turn = 0; turn < 50; turn++) await Promise.resolve()
      expect(length).toBe(bytes.length)
      expect(piece.length).toBeLessThanOrEqual(256 * 1024)
      pieces.push(piece.slice())
      taking--
    })
    expect(pieces.length).toBeGreaterThan(7)
    expect(Buffer.compare(Buffer.concat(pieces), bytes)).toBe(0)
  })
})

describe('Shared files after a restart of the process', () => {
  test('are counted from what is published: the resumed job goes on with them and deletes the last of them', async () => {
    const { files, job } = await running()
    const first = await completeSharing(job, 1)
    const second = await completeSharing(job, 2, [first])
    const next = await open(portsOn(files.kill()), DIRECTORY, resume)
    expect(await wrongParts(next)).toBeUndefined()
    expect(next.start.kind === 'checkpoint' && partsOf(next.start.metadata)).toEqual([first, second])
    const third = await completeSharing(next, 3, [second])
    const storage = new FileCheckpointStorage(
      next.storage.location === DIRECTORY ? files.another() : files,
      DIRECTORY,
      portsOn(files).ids,
    )
    for (const id of [1, 2]) await next.storage.discard({ checkpointId: id, location: locationOf(storage, id) })
    expect(await storage.listShared(JOB_ID)).toEqual([second.path, third.path].sort())
    const last = await open(portsOn(files.another()), DIRECTORY, resume)
    expect(last.start).toMatchObject({ metadata: { checkpointId: 3, epoch: 2 } })
    expect(await wrongParts(last)).toBeUndefined()
  })

  test('are new to a checkpoint only when its own epoch wrote them', async () => {
    const { files, job } = await running()
    const first = await completeSharing(job, 1)
    const next = await open(portsOn(files.kill()), DIRECTORY, resume)
    const old = { ...first, path: 'of-epoch-1', identity: { ...first.identity, checkpointId: 2 } }
    expect(await codeOf(completeSharing(next, 2, [old]))).toBe('CHECKPOINT_MISSING')
  })

  test('that a dead process had moved there for a checkpoint that it did not publish are swept', async () => {
    const { files, job } = await running()
    const first = await completeSharing(job, 1)
    const { metadata, written } = await prepareSharing(job, 2, [first])
    files.interfere = ({ type, path }: SimulatedOperation) =>
      type === 'rename' && path === `${FOLDER}/epoch-1/chk-2` ? { type: 'stop' } : undefined
    void job.storage.publish(metadata)
    await files.stopped
    const found = files.another()
    expect((await found.list(`${FOLDER}/shared`)).map(({ name }) => name)).toContain(written.path)
    const next = await open(portsOn(found), DIRECTORY, resume)
    expect((await found.list(`${FOLDER}/shared`)).map(({ name }) => name)).toEqual([first.path])
    expect(await wrongParts(next)).toBeUndefined()
  })

  test('are not swept while one published checkpoint cannot be read, and a note says so', async () => {
    const { files, job } = await running()
    const first = await completeSharing(job, 1)
    await completeSharing(job, 2)
    await completeSharing(job, 3)
    const found = files.kill()
    await found.execute([{ type: 'unlink', path: `${FOLDER}/chk-1/_metadata` }])
    const next = await open(portsOn(found), DIRECTORY, resume)
    expect(next.notes.join()).toMatch(/Checkpoint 1 could not be read. Neither it nor any shared file/)
    await next.storage.discard({ checkpointId: 2, location: `${FOLDER}/chk-2` })
    expect((await found.list(`${FOLDER}/shared`)).map(({ name }) => name)).toContain(first.path)
    expect(await found.list(`${FOLDER}/shared`)).toHaveLength(3)
  })

  test('FLINK-7268: a deletion that was ordered before it touches nothing', async () => {
    const files = new SimulatedFileSystem({ turns })
    const locks = new SimulatedLocks()
    const job = await open(portsOn(files, { locks }), DIRECTORY, { fixedJobId: JOB_ID })
    const first = await completeSharing(job, 1)
    const second = await completeSharing(job, 2, [first])
    const next = await open(portsOn(files, { locks: locks.another() }), DIRECTORY, resume)
    await completeSharing(next, 3, [first, second])
    for (const id of [1, 2])
      expect(await codeOf(job.storage.discard({ checkpointId: id, location: `${FOLDER}/chk-${id}` }))).toBe(
        'JOB_FENCED',
      )
    expect(await codeOf(job.storage.discardPending(7))).toBe('none')
    expect(await files.list(`${FOLDER}/shared`)).toHaveLength(3)
  })

  test('a process that was replaced moves none there', async () => {
    const files = new SimulatedFileSystem({ turns })
    const locks = new SimulatedLocks()
    const job = await open(portsOn(files, { locks }), DIRECTORY, { fixedJobId: JOB_ID })
    const first = await completeSharing(job, 1)
    const { metadata } = await prepareSharing(job, 2, [first])
    await open(portsOn(files, { locks: locks.another() }), DIRECTORY, resume)
    expect(await codeOf(job.storage.publish(metadata))).toBe('JOB_FENCED')
    await job.storage.close()
    expect((await files.list(`${FOLDER}/shared`)).map(({ name }) => name)).toEqual([first.path])
  })

  test('30 failovers from one checkpoint that write other values overwrite none', async () => {
    let { files, job } = await running()
    const base = await completeSharing(job, 1)
    for (let life = 0; life < 30; life++) {
      const written = await writeShared(job, 2)
      expect(written.path).not.toBe(base.path)
      files = files.kill()
      job = await open(portsOn(files), DIRECTORY, resume)
      expect(await wrongParts(job)).toBeUndefined()
    }
    expect((await files.list(`${FOLDER}/shared`)).map(({ name }) => name)).toEqual([base.path])
    await completeSharing(job, 2, [base])
  })

  test('go with the end of a job that keeps nothing, and their folder too, also when the end is interrupted', async () => {
    const end = async (stopAt: number | undefined) => {
      const { files, job } = await running()
      const first = await completeSharing(job, 1)
      await completeSharing(job, 2, [first])
      const before = files.operations
      if (stopAt !== undefined)
        files.interfere = ({ index }) => (index === before + stopAt ? { type: 'stop' } : undefined)
      const ending = async () => {
        await job.storage.writeRecord({ status: 'FINISHED', checkpoints: 'deleting' })
        for (const id of [1, 2]) await job.storage.discard({ checkpointId: id, location: `${FOLDER}/chk-${id}` })
        await job.storage.close()
      }
      await Promise.race([files.stopped, ending()])
      return { files, operations: files.operations - before }
    }
    const { operations } = await end(undefined)
    for (let stopAt = 6; stopAt <= operations; stopAt++) {
      const { files } = await end(stopAt)
      const found = files.another()
      const next = await open(portsOn(found), DIRECTORY, resume)
      expect(next.start.kind).toBe('alreadyEnded')
      expect((await found.list(FOLDER)).map(({ name }) => name)).toEqual(['job.json'])
    }
  })
})

for (const code of ['ENOSPC', 'EIO', 'EACCES'])
  test(`${code} at any operation of publishing and subsuming: nothing is doubled, nothing is lost, no file without a reader stays`, async () => {
    const operationsOf = async () => {
      const { files, job } = await running()
      const first = await completeSharing(job, 1)
      const before = files.operations
      await completeSharing(job, 2, [first])
      await job.storage.discard({ checkpointId: 1, location: `${FOLDER}/chk-1` })
      return files.operations - before
    }
    const operations = await operationsOf()
    for (let at = 1; at <= operations; at++) {
      const { files, storage, job } = await running()
      const first = await completeSharing(job, 1)
      const index = files.operations + at
      files.interfere = (operation) => (operation.index === index ? { type: 'fail', code, bytes: 10 } : undefined)
      const failed = await completeSharing(job, 2, [first]).then(
        () => undefined,
        (thrown: { details: { visible?: string } }) => thrown.details.visible ?? 'no',
      )
      files.interfere = undefined
      if (failed === 'no') await job.storage.discardPending(2)
      const completed = await job.storage.readCompleted()
      const ids = completed.map(({ metadata }) => metadata.checkpointId)
      expect(failed === 'no' ? ids : ids[0]).toEqual(failed === 'no' ? [1] : 1)
      for (const one of completed) await job.storage.readVerified(one.location)
      const named = new Set(
        completed.flatMap(({ metadata }) => partsOf(metadata).map((part) => (part.type === 'shared' ? part.path : ''))),
      )
      if (failed !== undefined) expect(await storage.listShared(JOB_ID)).toEqual([...named].sort())
      // Whatever a failed deletion has left goes at the next start.
      await job.storage.discard({ checkpointId: 1, location: `${FOLDER}/chk-1` })
      const found = files.kill()
      const next = await open(portsOn(found), DIRECTORY, resume).catch(() => undefined)
      if (ids.includes(2)) expect(next === undefined ? 'not resumed' : await wrongParts(next)).toBeUndefined()
    }
  })

test('a checkpoint whose remains the disk does not let go of keeps no shared file: later ones are deleted as before', async () => {
  const { files, storage, job } = await running()
  const first = await completeSharing(job, 1)
  await prepareSharing(job, 2, [first])
  files.interfere = ({ type }) => (type === 'unlink' ? { type: 'fail', code: 'EIO' } : undefined)
  expect(await codeOf(job.storage.discardPending(2))).toBe('FILE_ERROR')
  files.interfere = undefined
  const third = await completeSharing(job, 3)
  await discarding(storage, job)(1)
  expect(await storage.listShared(JOB_ID)).toEqual([third.path])
})

test('a job whose checkpoints share nothing makes no folder for it', async () => {
  const { files, job } = await running()
  await complete(job, 1)
  expect((await files.list(FOLDER)).map(({ name }) => name)).toEqual(['chk-1', 'epoch-1', 'job.json'])
})
