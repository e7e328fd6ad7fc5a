/** Claim modes: whose the files are that a job was started from, and when they go. */
import { describe, expect, test } from 'vitest'
import { SimulatedFileSystem } from '../../../src/base/simulated-file-system.ts'
import { SimulatedLocks } from '../../../src/base/simulated-locks.ts'
import { claim } from '../../../src/checkpoint/claim.ts'
import { FileCheckpointStorage } from '../../../src/checkpoint/file-checkpoint-storage.ts'
import type { OpenedJob } from '../../../src/checkpoint/job-directory.ts'
import type { SharedHandle } from '../../../src/state/snapshot.ts'
import { completeSharing, wrongParts } from './incremental-fixture.ts'
import { codeOf, complete, HERE, JOB_ID, open, portsOn, prepare, restored, stateOf } from './job-fixture.ts'

const DIRECTORY = '/data'
const OTHER_ID = 'fedcba9876543210fedcba9876543210'
const turns = { next: (turn: () => void) => queueMicrotask(turn) }
const resume = { resume: 'latest' as const, takeover: true, fixedJobId: JOB_ID }
const claimIt = (fromSavepoint: string) => ({ fixedJobId: JOB_ID, fromSavepoint, claimMode: 'CLAIM' as const })

/** Job A has written a savepoint and has ended. */
async function withSavepoint() {
  const files = new SimulatedFileSystem({ turns })
  const other = await open(portsOn(files), DIRECTORY, { fixedJobId: OTHER_ID, name: 'other' })
  const metadata = { ...(await prepare(other, 7)), kind: 'savepoint' as const }
  const { path } = await other.storage.publishSavepoint('/savepoints', metadata)
  await other.storage.close()
  return { files, path }
}

/** Job A has kept checkpoints 1 and 2, which share the file of 1, and has died. */
async function withRetained() {
  const files = new SimulatedFileSystem({ turns })
  const locks = new SimulatedLocks()
  const other = await open(portsOn(files, { locks }), DIRECTORY, { fixedJobId: OTHER_ID, name: 'other' })
  const first = await completeSharing(other, 1)
  const second = await completeSharing(other, 2, [first])
  const location = `${DIRECTORY}/${OTHER_ID}/chk-2`
  return { files, locks, other, first, second, location, shared: `${DIRECTORY}/${OTHER_ID}/shared` }
}

const discardClaimed = (job: OpenedJob) => {
  if (job.claimed === undefined) throw new RangeError('Nothing is claimed.')
  const { location, metadata } = job.claimed
  return job.storage.discard({ checkpointId: metadata.checkpointId, location })
}

async function names(files: SimulatedFileSystem, folder: string): Promise<readonly string[]> {
  return (await files.list(folder)).map(({ name }) => name)
}

describe('A claimed savepoint', () => {
  test('is one of the checkpoints of the job, and goes, folder and all, when one of its own has taken its place', async () => {
    const { files, path } = await withSavepoint()
    const job = await open(portsOn(files), DIRECTORY, claimIt(path))
    expect(job).toMatchObject({ start: { kind: 'savepoint', location: path }, claimed: { location: path } })
    expect(await restored(job)).toEqual({ checkpointId: 7, ...stateOf(7) })
    expect(job.storage.record()).toMatchObject({ startedFrom: { type: 'savepoint', path }, claimed: path })
    expect((await job.storage.readCompleted()).map(({ location }) => location)).toEqual([path])
    await complete(job, 8)
    await discardClaimed(job)
    expect(await names(files, '/savepoints')).toEqual([])
    expect(job.storage.record().claimed).toBeUndefined()
    expect((await job.storage.readCompleted()).map(({ metadata }) => metadata.checkpointId)).toEqual([8])
  })

  test('stays, and is the user’s again, when the job ends before a checkpoint of its own was complete', async () => {
    const { files, path } = await withSavepoint()
    const job = await open(portsOn(files), DIRECTORY, claimIt(path))
    await discardClaimed(job)
    expect(await names(files, path)).not.toContain('_claimed')
    expect((await job.storage.readVerified(path)).metadata.checkpointId).toBe(7)
    await job.storage.writeRecord({ status: 'FINISHED', checkpoints: 'deleting' })
    await job.storage.close()
    const another = await open(portsOn(files), DIRECTORY, { ...claimIt(path), fixedJobId: 'a'.repeat(32) })
    expect(another.claimed?.location).toBe(path)
  })

  test.each(['FAILED', 'CREATED'] as const)(
    'is free again when the job has ended as %s without a checkpoint',
    async (status) => {
      const { files, path } = await withSavepoint()
      const job = await open(portsOn(files), DIRECTORY, claimIt(path))
      await job.storage.writeRecord({ status })
      await job.storage.close()
      expect(await names(files, path)).not.toContain('_claimed')
      const again = await open(portsOn(files), DIRECTORY, resume)
      expect(again).toMatchObject({ start: { kind: 'savepoint', location: path }, claimed: { location: path } })
      expect(await names(files, path)).toContain('_claimed')
    },
  )

  test('cannot be claimed by a second job, which may still start from it with NO_CLAIM', async () => {
    const { files, path } = await withSavepoint()
    const locks = new SimulatedLocks()
    await open(portsOn(files, { locks }), DIRECTORY, claimIt(path))
    const second = { ...claimIt(path), fixedJobId: 'a'.repeat(32) }
    await expect(open(portsOn(files, { locks }), DIRECTORY, second)).rejects.toMatchObject({
      code: 'CHECKPOINT_CLAIMED',
      message: expect.stringContaining(JOB_ID),
    })
    const third = await open(portsOn(files, { locks }), DIRECTORY, { ...second, claimMode: 'NO_CLAIM' })
    expect(third.claimed).toBeUndefined()
    expect(await restored(third)).toEqual({ checkpointId: 7, ...stateOf(7) })
  })

  test('stays the job’s when the process is killed, whether or not it has completed a checkpoint', async () => {
    const { files, path } = await withSavepoint()
    await open(portsOn(files), DIRECTORY, claimIt(path))
    const next = await open(portsOn(files), DIRECTORY, resume)
    expect(next).toMatchObject({ start: { kind: 'savepoint', location: path }, claimed: { location: path } })
    await complete(next, 8)
    const last = await open(portsOn(files), DIRECTORY, resume)
    expect(last).toMatchObject({ start: { kind: 'checkpoint' }, retained: [{}], claimed: { location: path } })
    expect((await last.storage.readCompleted()).map(({ metadata }) => metadata.checkpointId)).toEqual([7, 8])
    await discardClaimed(last)
    expect(await names(files, '/savepoints')).toEqual([])
  })

  test('is the user’s again for the next start that names it with NO_CLAIM, whatever the run before said', async () => {
    const { files, path } = await withSavepoint()
    const job = await open(portsOn(files), DIRECTORY, claimIt(path))
    await job.storage.writeRecord({ status: 'FAILED' })
    await job.storage.close()
    const next = await open(portsOn(files), DIRECTORY, { fixedJobId: JOB_ID, fromSavepoint: path })
    expect(next).toMatchObject({ start: { kind: 'savepoint', location: path }, claimed: undefined })
    expect(next.storage.record().claimed).toBeUndefined()
    expect(await names(files, path)).not.toContain('_claimed')
    await complete(next, 8)
    expect((await next.storage.readVerified(path)).metadata.checkpointId).toBe(7)
  })

  test('is given back when the next start claims another one', async () => {
    const { files, path } = await withSavepoint()
    const other = await open(portsOn(files), DIRECTORY, {
      fixedJobId: OTHER_ID,
      name: 'other',
      takeover: true,
      fromSavepoint: path,
    })
    const metadata = { ...(await prepare(other, 9)), kind: 'savepoint' as const }
    const { path: second } = await other.storage.publishSavepoint('/savepoints', metadata)
    await other.storage.close()
    await open(portsOn(files), DIRECTORY, claimIt(path))
    const next = await open(portsOn(files), DIRECTORY, { ...claimIt(second), takeover: true })
    expect(next.storage.record().claimed).toBe(second)
    expect(await names(files, path)).not.toContain('_claimed')
    expect(await names(files, second)).toContain('_claimed')
  })

  test('is gone after a crash at any operation of its deletion, and the next start', async () => {
    const life = async (stopAt: number) => {
      const { files, path } = await withSavepoint()
      const job = await open(portsOn(files), DIRECTORY, claimIt(path))
      await complete(job, 8)
      const before = files.operations
      files.interfere = ({ index }) => (index === before + stopAt ? { type: 'stop' } : undefined)
      await Promise.race([files.stopped, discardClaimed(job)])
      return { files: files.another(), operations: files.operations - before }
    }
    const { operations } = await life(0)
    expect(operations).toBeGreaterThan(12)
    for (let stopAt = 1; stopAt <= operations; stopAt++) {
      const { files } = await life(stopAt)
      const next = await open(portsOn(files), DIRECTORY, resume)
      expect(await restored(next)).toEqual({ checkpointId: 8, ...stateOf(8) })
      if (next.claimed !== undefined) await discardClaimed(next)
      expect(await names(files, '/savepoints')).toEqual([])
    }
  })

  test('that another job is deleting just now cannot be claimed, and no mark stays', async () => {
    const { files, path } = await withSavepoint()
    const ports = portsOn(files)
    const first = await open(ports, DIRECTORY, claimIt(path))
    const found = await first.storage.readVerified(path)
    await complete(first, 8)
    await files.execute([{ type: 'writeNew', path: `${path}/notes.txt`, bytes: new Uint8Array(1) }])
    await discardClaimed(first)
    const storage = new FileCheckpointStorage(files, DIRECTORY, ports.ids)
    const claimant = { ports, storage, jobId: 'a'.repeat(32), writer: { ...HERE, lock: 'l' } }
    expect(await codeOf(claim(claimant, found))).toBe('CHECKPOINT_MISSING')
    expect(await names(files, path)).toEqual(['notes.txt'])
  })

  test('that is damaged is refused at the start, and nothing of it is touched', async () => {
    const { files, path } = await withSavepoint()
    const before = await names(files, path)
    await files.execute([{ type: 'unlink', path: `${path}/${before.find((name) => name !== '_metadata')}` }])
    expect(await codeOf(open(portsOn(files), DIRECTORY, claimIt(path)))).toBe('CHECKPOINT_MISSING')
    expect(await names(files, path)).toEqual(['_metadata'])
  })
})

describe('NO_CLAIM', () => {
  test('touches nothing of what the job starts from, ever', async () => {
    const { files, path } = await withSavepoint()
    const before = await names(files, path)
    const job = await open(portsOn(files), DIRECTORY, { fixedJobId: JOB_ID, fromSavepoint: path })
    await complete(job, 8)
    expect(job.claimed).toBeUndefined()
    expect(await codeOf(job.storage.discard({ checkpointId: 7, location: path }))).toBe('INTERNAL')
    expect(await names(files, path)).toEqual(before)
  })
})

describe('FLINK-26985: the claimed checkpoint of another job', () => {
  test('goes with the shared files that only it names; those of its other checkpoints stay', async () => {
    const { files, first, location, shared } = await withRetained()
    const job = await open(portsOn(files), DIRECTORY, claimIt(location))
    expect(await wrongParts(job)).toBeUndefined()
    const own = await completeSharing(job, 3)
    await discardClaimed(job)
    expect(await names(files, `${DIRECTORY}/${OTHER_ID}`)).toEqual(['chk-1', 'epoch-1', 'job.json', 'shared'])
    expect(await names(files, shared)).toEqual([first.path])
    expect((await job.storage.readVerified(`${DIRECTORY}/${OTHER_ID}/chk-1`)).metadata.checkpointId).toBe(1)
    expect(await names(files, `${DIRECTORY}/${JOB_ID}/shared`)).toEqual([own.path])
  })

  test('cannot be shared by the checkpoints of this one: they are of another folder', async () => {
    const { files, second, location } = await withRetained()
    const job = await open(portsOn(files), DIRECTORY, claimIt(location))
    expect(await codeOf(completeSharing(job, 3, [second]))).toBe('CHECKPOINT_MISSING')
  })

  test('keeps all of its files when another checkpoint of its job cannot be read', async () => {
    const { files, location, shared } = await withRetained()
    const job = await open(portsOn(files), DIRECTORY, claimIt(location))
    await complete(job, 3)
    await files.execute([{ type: 'unlink', path: `${DIRECTORY}/${OTHER_ID}/chk-1/_metadata` }])
    await discardClaimed(job)
    expect(await names(files, `${DIRECTORY}/${OTHER_ID}`)).not.toContain('chk-2')
    expect(await names(files, shared)).toHaveLength(2)
  })

  test('is refused while that job runs, and is not deleted when it runs again', async () => {
    const { files, locks, other, location } = await withRetained()
    expect(await codeOf(open(portsOn(files, { locks: locks.another() }), DIRECTORY, claimIt(location)))).toBe(
      'JOB_IN_USE',
    )
    await other.storage.close()
    const job = await open(portsOn(files, { locks: locks.another() }), DIRECTORY, claimIt(location))
    await complete(job, 3)
    const again = { fixedJobId: OTHER_ID, name: 'other', resume: 'latest' as const }
    const back = await open(portsOn(files, { locks: locks.another() }), DIRECTORY, again)
    expect(await codeOf(discardClaimed(job))).toBe('JOB_IN_USE')
    expect(await wrongParts(back)).toBeUndefined()
  })
})

test('a checkpoint of the job’s own that it claims by its path is shared, and deleted as any other', async () => {
  const files = new SimulatedFileSystem({ turns })
  const before = await open(portsOn(files), DIRECTORY, { fixedJobId: JOB_ID })
  const first: SharedHandle = await completeSharing(before, 1)
  const location = `${DIRECTORY}/${JOB_ID}/chk-1`
  const job = await open(portsOn(files), DIRECTORY, claimIt(location))
  expect(await wrongParts(job)).toBeUndefined()
  await completeSharing(job, 2, [first])
  await discardClaimed(job)
  expect(await names(files, `${DIRECTORY}/${JOB_ID}`)).toEqual(['chk-2', 'epoch-2', 'job.json', 'shared'])
  expect(await names(files, `${DIRECTORY}/${JOB_ID}/shared`)).toHaveLength(2)
  expect(await wrongParts(await open(portsOn(files), DIRECTORY, resume))).toBeUndefined()
})

test('a savepoint that lies among the job’s own checkpoints is claimed and deleted as any other, and nothing else of its number', async () => {
  const files = new SimulatedFileSystem({ turns })
  const folder = `${DIRECTORY}/${JOB_ID}`
  const before = await open(portsOn(files), DIRECTORY, { fixedJobId: JOB_ID })
  const metadata = { ...(await prepare(before, 1)), kind: 'savepoint' as const }
  const { path } = await before.storage.publishSavepoint(folder, metadata)
  // The process died before another number was used up: it comes again.
  await complete(await open(portsOn(files), DIRECTORY, resume), 1)
  const job = await open(portsOn(files), DIRECTORY, claimIt(path))
  expect(await names(files, path)).toContain('_claimed')
  await complete(job, 2)
  await discardClaimed(job)
  expect(await names(files, folder)).toEqual(['chk-1', 'chk-2', 'epoch-3', 'job.json'])
})
