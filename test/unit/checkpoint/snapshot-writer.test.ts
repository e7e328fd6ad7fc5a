import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { FileSystem } from '../../../src/base/file-system.ts'
import { SimulatedFileSystem } from '../../../src/base/simulated-file-system.ts'
import { codeOf, JOB_ID, OPERATOR, open, portsOn, realFolder } from './job-fixture.ts'

const turns = { next: (turn: () => void) => queueMicrotask(turn) }
const identity = {
  checkpointId: 1,
  operatorId: OPERATOR,
  subtask: 2,
  kind: 'keyed' as const,
  keyGroups: { first: 0, last: 63 },
}

async function job(files: FileSystem, directory = '/cp') {
  return open(portsOn(files), directory, { fixedJobId: JOB_ID })
}

function patterned(length: number): Uint8Array {
  return new Uint8Array(length).map((_, index) => (index * 31 + (index >> 8)) & 0xff)
}

test('up to 20,480 bytes stand in the handle itself and touch no disk; one more makes a file', async () => {
  const files = new SimulatedFileSystem({ turns })
  const { storage } = await job(files)
  const before = files.operations
  const small = storage.snapshotWriter().open(identity)
  small.append(patterned(20_480))
  expect(await small.finish()).toEqual({
    type: 'inline',
    identity,
    bytes: Buffer.from(patterned(20_480)).toString('base64'),
  })
  expect(files.operations).toBe(before)
  const larger = storage.snapshotWriter().open(identity)
  larger.append(patterned(20_481))
  expect(await larger.finish()).toMatchObject({ type: 'file', identity })
})

test('nothing at all is an inline handle', async () => {
  const { storage } = await job(new SimulatedFileSystem({ turns }))
  expect(await storage.snapshotWriter().open(identity).finish()).toEqual({ type: 'inline', identity, bytes: '' })
})

test('a small file costs one call of the port, and publishing costs one', async () => {
  const disk = new SimulatedFileSystem({ turns })
  let calls = 0
  const counted: FileSystem = {
    openRead: (path) => disk.openRead(path),
    createExclusive: (path) => disk.createExclusive(path),
    read: (path) => disk.read(path),
    stat: (path) => disk.stat(path),
    list: (path) => disk.list(path),
    gunzip: (packed, chunkBytes) => disk.gunzip(packed, chunkBytes),
    execute: (operations) => {
      calls++
      return disk.execute(operations)
    },
  }
  const { storage, jobId, epoch } = await job(counted)
  const metadata = {
    jobId,
    jobName: 'n',
    epoch,
    checkpointId: 1,
    kind: 'checkpoint' as const,
    timestamp: 1,
    operators: [],
  }
  await storage.publish(metadata)
  calls = 0
  const stream = storage.snapshotWriter().open({ ...identity, checkpointId: 2 })
  for (let i = 0; i < 100; i++) stream.append(patterned(1000))
  await stream.finish()
  expect(calls).toBe(1)
  await storage.publish({ ...metadata, checkpointId: 2 })
  expect(calls).toBe(2)
})

test('length and hash of the handle are those of the file, whatever the pieces', async () => {
  const { files, directory } = realFolder()
  const { storage, jobId } = await job(files, directory)
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 600_000 }), { maxLength: 6 }), async (lengths) => {
      const stream = storage.snapshotWriter().open(identity)
      for (const length of lengths) await stream.append(patterned(length))
      const handle = await stream.finish()
      if (handle.type === 'inline') return
      const content = await files.read(`${directory}/${jobId}/epoch-1/chk-1/${handle.path}`)
      expect(content.length).toBe(handle.length)
      expect(createHash('sha256').update(content).digest('hex')).toBe(handle.sha256)
      const payload = Buffer.concat(lengths.map(patterned))
      expect(Buffer.compare(content.subarray(content.length - payload.length), payload)).toBe(0)
    }),
    { numRuns: 25 },
  )
})

test('what was appended may be changed as soon as the stream has it', async () => {
  const { files, directory } = realFolder()
  const { storage, jobId } = await job(files, directory)
  for (const pieces of [3, 30, 90]) {
    const stream = storage.snapshotWriter().open(identity)
    const used = new Uint8Array(50_000)
    for (let i = 0; i < pieces; i++) {
      used.fill(i + 1)
      await stream.append(used)
    }
    used.fill(0)
    const handle = await stream.finish()
    if (handle.type === 'inline') throw new Error('not that small')
    const content = await files.read(`${directory}/${jobId}/epoch-1/chk-1/${handle.path}`)
    const payload = content.subarray(content.length - pieces * used.length)
    for (let i = 0; i < pieces; i++)
      expect(payload.subarray(i * used.length, (i + 1) * used.length).every((byte) => byte === i + 1)).toBe(true)
    expect(createHash('sha256').update(content).digest('hex')).toBe(handle.sha256)
  }
})

test('a large state is written as a stream, never held whole, and asks to wait', async () => {
  const { storage } = await job(new SimulatedFileSystem({ turns }))
  const stream = storage.snapshotWriter().open(identity)
  let waits = 0
  for (let i = 0; i < 40; i++) {
    const wait = stream.append(patterned(100_000))
    if (wait === undefined) continue
    waits++
    await wait
  }
  expect(waits).toBeGreaterThan(5)
  expect(await stream.finish()).toMatchObject({ type: 'file' })
})

test('no chunk that is hashed or written at once is longer than 256 kB', async () => {
  const disk = new SimulatedFileSystem({ turns })
  let longest = 0
  const measured: FileSystem = {
    openRead: (path) => disk.openRead(path),
    read: (path) => disk.read(path),
    stat: (path) => disk.stat(path),
    list: (path) => disk.list(path),
    gunzip: (packed, chunkBytes) => disk.gunzip(packed, chunkBytes),
    execute: (operations) => disk.execute(operations),
    async createExclusive(path) {
      const file = await disk.createExclusive(path)
      return {
        sync: () => file.sync(),
        close: () => file.close(),
        append: (bytes) => {
          longest = Math.max(longest, bytes.length)
          return file.append(bytes)
        },
      }
    },
  }
  const { storage } = await job(measured)
  const stream = storage.snapshotWriter().open(identity)
  await stream.append(patterned(5_000_000))
  await stream.finish()
  expect(longest).toBe(256 * 1024)
})

test('a savepoint on another file system is copied, whole, and what was prepared goes', async () => {
  const files = new SimulatedFileSystem({ turns })
  const { storage, jobId, epoch } = await job(files)
  const stream = storage.snapshotWriter().open({ ...identity, subtask: 0 })
  stream.append(patterned(700_000))
  const keyed = await stream.finish()
  const operators = [
    {
      operatorId: OPERATOR,
      name: 'o',
      parallelism: 1,
      maxParallelism: 128,
      subtasks: [{ index: 0, finished: false, keyed }],
    },
  ]
  const metadata = { jobId, jobName: 'n', epoch, checkpointId: 1, kind: 'savepoint' as const, timestamp: 1, operators }
  files.interfere = ({ type, to }) =>
    type === 'rename' && to?.startsWith('/mnt/') ? { type: 'fail', code: 'EXDEV' } : undefined
  const { path, size } = await storage.publishSavepoint('/mnt/savepoints', metadata)
  expect(path).toMatch(/^\/mnt\/savepoints\/savepoint-012345-[0-9a-z]{12}$/)
  expect(size).toBeGreaterThan(700_000)
  expect(await files.stat(`/cp/${jobId}/epoch-1/chk-1`)).toBeUndefined()
  const found = portsOn(files.crash({ random: { next: () => 0 }, model: 'posix' }))
  const next = await open(found, '/cp', { name: 'copy', fromSavepoint: path })
  if (next.start.kind !== 'savepoint') return expect.unreachable()
  expect(await next.storage.snapshotReader(next.start).read(keyed)).toEqual(patterned(700_000))
})

test('a savepoint whose copy fails leaves nothing in the folder of the user', async () => {
  const files = new SimulatedFileSystem({ turns })
  const { storage, jobId, epoch } = await job(files)
  const metadata = {
    jobId,
    jobName: 'n',
    epoch,
    checkpointId: 1,
    kind: 'savepoint' as const,
    timestamp: 1,
    operators: [],
  }
  files.interfere = ({ type, path, to }) => {
    if (type === 'rename' && to?.startsWith('/mnt/')) return { type: 'fail', code: 'EXDEV' }
    return type === 'write' && path.startsWith('/mnt/') ? { type: 'fail', code: 'ENOSPC', bytes: 3 } : undefined
  }
  expect(await codeOf(storage.publishSavepoint('/mnt/savepoints', metadata))).toBe('FILE_ERROR')
  expect(await files.list('/mnt/savepoints')).toEqual([])
})

test('a long stream whose checkpoint is given up while it writes says so at the end, and leaves nothing', async () => {
  const files = new SimulatedFileSystem({ turns })
  const { storage } = await job(files)
  const stream = storage.snapshotWriter().open(identity)
  for (let i = 0; i < 6; i++) await stream.append(patterned(300_000))
  await storage.discardPending(1)
  expect(await codeOf(stream.finish())).toBe('CHECKPOINT_DISCARDED')
  expect((await files.list(`/cp/${JOB_ID}/epoch-1`)).map(({ name }) => name)).toEqual(['owner.json'])
})
