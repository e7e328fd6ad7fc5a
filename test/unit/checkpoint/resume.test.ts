import { expect, test } from 'vitest'
import { SimulatedFileSystem } from '../../../src/base/simulated-file-system.ts'
import type { JobStorage, RecordChange } from '../../../src/checkpoint/job-storage.ts'
import { codeOf, complete, JOB_ID, open, portsOn, prepare, realFolder, restored, stateOf } from './job-fixture.ts'

const DIRECTORY = '/data/checkpoints'

function simulated() {
  const files = new SimulatedFileSystem({ turns: { next: (turn) => queueMicrotask(turn) } })
  return { files, ports: portsOn(files) }
}

/** A first run with that many checkpoints, whose record then says `end`. */
async function firstRun(
  ports: ReturnType<typeof portsOn>,
  checkpoints: number,
  end: RecordChange | ((storage: JobStorage) => Promise<RecordChange>),
) {
  const job = await open(ports, DIRECTORY)
  for (let id = 1; id <= checkpoints; id++) await complete(job, id)
  await job.storage.writeRecord(typeof end === 'function' ? await end(job.storage) : end)
  await job.storage.close()
  return job
}

test('the record is durable before openJob settles, with name, job id, epoch, status and graph hash', async () => {
  const { files, ports } = simulated()
  const job = await open(ports, DIRECTORY)
  const found = files.crash({ random: { next: () => 0 }, model: 'posix' })
  const text = new TextDecoder().decode(await found.read(`${DIRECTORY}/${job.jobId}/job.json`))
  expect(JSON.parse(text).record).toMatchObject({
    name: 'wordcount',
    jobId: job.jobId,
    epoch: 1,
    status: 'CREATED',
    checkpoints: 'kept',
    startedFrom: { type: 'nothing' },
    graphHash: 'g',
  })
})

test('resume by name keeps the job id, raises the epoch and restores the highest checkpoint, not the newest by time', async () => {
  const { ports } = simulated()
  const first = await firstRun(ports, 3, { status: 'RUNNING' })
  const second = await open(ports, DIRECTORY, { resume: 'latest' })
  expect(second).toMatchObject({
    jobId: first.jobId,
    epoch: 2,
    nextCheckpointId: 4,
    start: { kind: 'checkpoint', metadata: { checkpointId: 3, epoch: 1 } },
  })
  expect(second.retained.map(({ metadata }) => metadata.checkpointId)).toEqual([1, 2, 3])
  expect(await restored(second)).toEqual({ checkpointId: 3, ...stateOf(3) })
})

test('resume on a real disk reads back what was written', async () => {
  const { files, directory } = realFolder()
  const ports = portsOn(files)
  const first = await open(ports, `file://${directory}/cp`)
  await complete(first, 1)
  await first.storage.close()
  const second = await open(ports, `${directory}/cp`, { resume: 'latest' })
  expect(await restored(second)).toEqual({ checkpointId: 1, ...stateOf(1) })
})

test('a record of the fixed job id is found before any name', async () => {
  const { ports } = simulated()
  const first = await open(ports, DIRECTORY, { fixedJobId: JOB_ID, name: 'old name' })
  await complete(first, 1)
  await first.storage.close()
  const other = await open(ports, DIRECTORY)
  await other.storage.close()
  const second = await open(ports, DIRECTORY, { fixedJobId: JOB_ID, resume: 'latest' })
  expect(second).toMatchObject({ jobId: JOB_ID, epoch: 2, start: { kind: 'checkpoint' } })
})

test('two unfinished records of one name are refused, both named', async () => {
  const { ports } = simulated()
  const one = await firstRun(ports, 1, { status: 'RUNNING' })
  const other = await firstRun(ports, 1, { status: 'SUSPENDED' })
  await expect(open(ports, DIRECTORY, { resume: 'latest' })).rejects.toMatchObject({
    code: 'JOB_AMBIGUOUS',
    message: expect.stringMatching(new RegExp(`(${one.jobId}.*${other.jobId}|${other.jobId}.*${one.jobId})`)),
  })
})

test('an epoch without a checkpoint goes on from what it was started from, not from an older checkpoint', async () => {
  const { ports } = simulated()
  await firstRun(ports, 2, { status: 'RUNNING' })
  const second = await open(ports, DIRECTORY, { resume: 'latest' })
  await second.storage.close()
  const third = await open(ports, DIRECTORY, { resume: 'latest' })
  expect(third).toMatchObject({ epoch: 3, start: { kind: 'checkpoint', metadata: { checkpointId: 2, epoch: 1 } } })
})

test('an epoch that was started from a savepoint and completed nothing goes on from that savepoint', async () => {
  const { ports } = simulated()
  await firstRun(ports, 3, async (storage) => ({
    status: 'FINISHED',
    endingSavepoint: { kind: 'stop', path: await savepoint(storage, 4) },
  }))
  const second = await open(ports, DIRECTORY, { resume: 'latest' })
  expect(second).toMatchObject({ start: { kind: 'savepoint', metadata: { checkpointId: 4 } }, nextCheckpointId: 5 })
  await second.storage.close()
  const third = await open(ports, DIRECTORY, { resume: 'latest' })
  expect(third).toMatchObject({ start: { kind: 'savepoint', metadata: { checkpointId: 4 } } })
  expect(await restored(third)).toEqual({ checkpointId: 4, ...stateOf(4) })
})

async function savepoint(storage: JobStorage, id: number): Promise<string> {
  const { jobId, epoch } = storage.record()
  const job = {
    jobId,
    epoch,
    storage,
    start: { kind: 'empty' as const },
    nextCheckpointId: id,
    retained: [],
    claimed: undefined,
    notes: [],
    warnings: [],
  }
  const metadata = await prepare(job, id)
  return (await storage.publishSavepoint('/data/savepoints', { ...metadata, kind: 'savepoint' })).path
}

test.each([
  ['FINISHED', { status: 'FINISHED', checkpoints: 'deleting' }],
  ['drained', { status: 'FINISHED', endingSavepoint: { kind: 'drain', path: '/data/savepoints/s' } }],
] as const)('resuming a job that is %s says so and runs nothing', async (_, end) => {
  const { ports } = simulated()
  const first = await firstRun(ports, 1, end)
  const second = await open(ports, DIRECTORY, { resume: 'latest' })
  expect(second.start).toMatchObject({ kind: 'alreadyEnded', message: expect.stringContaining(first.jobId) })
  expect(second.storage.record().status).toBe('FINISHED')
})

test.each([
  ['stopped with a savepoint', 'stop', 'FINISHED'],
  ['cancelled with a savepoint', 'cancel', 'CANCELED'],
  ['failed after the savepoint that stops it', 'stop', 'FAILED'],
  ['killed after the savepoint that stops it', 'stop', 'RUNNING'],
  ['killed while a drain commits', 'drain', 'RUNNING'],
] as const)('a job that was %s goes on from that savepoint and from no checkpoint', async (_, kind, status) => {
  const { ports } = simulated()
  await firstRun(ports, 3, async (storage) => ({
    status,
    endingSavepoint: { kind, path: await savepoint(storage, 4) },
  }))
  const second = await open(ports, DIRECTORY, { resume: 'latest' })
  expect(second.start).toMatchObject({ kind: 'savepoint', metadata: { checkpointId: 4, kind: 'savepoint' } })
})

test.each([
  'SUSPENDED',
  'CREATED',
  'INITIALIZING',
  'RUNNING',
  'RESTARTING',
  'FAILING',
  'CANCELLING',
  'FAILED',
  'CANCELED',
] as const)('a job whose record says %s, and kept checkpoints, goes on from the newest', async (status) => {
  const { ports } = simulated()
  await firstRun(ports, 2, { status })
  expect(await open(ports, DIRECTORY, { resume: 'latest' })).toMatchObject({
    start: { kind: 'checkpoint', metadata: { checkpointId: 2 } },
  })
})

test.each(['FAILED', 'CANCELED'] as const)('a job that ended as %s with nothing kept is refused', async (status) => {
  const { ports } = simulated()
  await firstRun(ports, 0, { status })
  expect(await codeOf(open(ports, DIRECTORY, { resume: 'latest' }))).toBe('JOB_NOTHING_KEPT')
})

test('a deletion that was interrupted is finished, and the job is never resumed', async () => {
  const { files, ports } = simulated()
  const first = await firstRun(ports, 2, { status: 'CANCELED', checkpoints: 'deleting' })
  expect(await codeOf(open(ports, DIRECTORY, { resume: 'latest' }))).toBe('JOB_NOTHING_KEPT')
  expect((await files.list(`${DIRECTORY}/${first.jobId}`)).map(({ name }) => name)).toEqual(['job.json'])
})

test('checkpoints that the record knows of and that are gone: refused, never started empty', async () => {
  const { files, ports } = simulated()
  const first = await firstRun(ports, 1, { status: 'RUNNING' })
  await files.execute([{ type: 'remove', path: `${DIRECTORY}/${first.jobId}/chk-1` }])
  expect(await codeOf(open(ports, DIRECTORY, { resume: 'latest' }))).toBe('CHECKPOINT_MISSING')
})

test('a run that was interrupted before its first checkpoint starts empty again', async () => {
  const { ports } = simulated()
  await firstRun(ports, 0, { status: 'RUNNING' })
  expect(await open(ports, DIRECTORY, { resume: 'latest' })).toMatchObject({
    epoch: 2,
    start: { kind: 'empty' },
    nextCheckpointId: 1,
  })
})

test('no record: start empty, and say where was searched and which names are there', async () => {
  const { ports } = simulated()
  await firstRun(ports, 1, { status: 'RUNNING' })
  const other = await open(ports, DIRECTORY, { name: 'another', resume: 'latest' })
  expect(other.start).toEqual({ kind: 'empty' })
  expect(other.notes).toEqual([expect.stringContaining(`'another' in '${DIRECTORY}'; names there: 'wordcount'`)])
})

test('checkpoints without a record are not started over', async () => {
  const { files, ports } = simulated()
  const first = await open(ports, DIRECTORY, { fixedJobId: JOB_ID })
  await complete(first, 1)
  await first.storage.close()
  await files.execute([{ type: 'unlink', path: `${DIRECTORY}/${JOB_ID}/job.json` }])
  expect(await codeOf(open(ports, DIRECTORY, { fixedJobId: JOB_ID, resume: 'latest' }))).toBe('JOB_RECORD_DAMAGED')
  const again = await open(ports, DIRECTORY, { fixedJobId: JOB_ID, fromSavepoint: `${DIRECTORY}/${JOB_ID}/chk-1` })
  expect(again.epoch).toBe(2)
})

test('a savepoint beside --resume counts only where there is no record', async () => {
  const { ports } = simulated()
  let path = ''
  await firstRun(ports, 1, async (storage) => {
    path = await savepoint(storage, 2)
    return { status: 'RUNNING' }
  })
  const resumed = await open(ports, DIRECTORY, { resume: 'latest', fromSavepoint: path })
  expect(resumed.start).toMatchObject({ kind: 'checkpoint', metadata: { checkpointId: 1 } })
  const fresh = await open(ports, DIRECTORY, { name: 'copy', resume: 'latest', fromSavepoint: path })
  expect(fresh).toMatchObject({ start: { kind: 'savepoint', metadata: { checkpointId: 2 } }, nextCheckpointId: 3 })
  expect(fresh.jobId).not.toBe(resumed.jobId)
})

test('finishing the deletions of a run deletes nothing that an earlier run under the same id had kept', async () => {
  const { ports } = simulated()
  const fixed = { fixedJobId: JOB_ID }
  const former = await open(ports, DIRECTORY, fixed)
  await complete(former, 1)
  await former.storage.writeRecord({ status: 'CANCELED' })
  await former.storage.close()
  const finished = await open(ports, DIRECTORY, fixed)
  await complete(finished, 2)
  await finished.storage.writeRecord({ status: 'FINISHED', checkpoints: 'deleting' })
  await finished.storage.close()
  const next = await open(ports, DIRECTORY, { ...fixed, fromSavepoint: `${DIRECTORY}/${JOB_ID}/chk-1` })
  expect(await restored(next)).toEqual({ checkpointId: 1, ...stateOf(1) })
  expect((await ports.files.list(`${DIRECTORY}/${JOB_ID}`)).map(({ name }) => name)).not.toContain('chk-2')
})

test('what is not started from one of its own checkpoints is never restored from one that lies there', async () => {
  const { ports } = simulated()
  const fixed = { fixedJobId: JOB_ID }
  const former = await open(ports, DIRECTORY, fixed)
  await complete(former, 1)
  await former.storage.writeRecord({ status: 'CANCELED' })
  await former.storage.close()
  // Anew under the same id, and it ends before its first checkpoint.
  const anew = await open(ports, DIRECTORY, fixed)
  await anew.storage.writeRecord({ status: 'RUNNING' })
  await anew.storage.close()

  const resumed = await open(ports, DIRECTORY, { ...fixed, resume: 'latest' })
  expect(resumed).toMatchObject({ start: { kind: 'empty' }, retained: [], nextCheckpointId: 2 })
  expect(await resumed.storage.readCompleted()).toEqual([])
})

test('checkpoints that are older than the savepoint that ends the job are not offered beside it, and go with the next ones', async () => {
  const { ports } = simulated()
  await firstRun(ports, 2, async (storage) => {
    const path = await savepoint(storage, 3)
    return { status: 'FAILED', endingSavepoint: { kind: 'stop', path } }
  })
  const second = await open(ports, DIRECTORY, { resume: 'latest' })
  expect(second).toMatchObject({ start: { kind: 'savepoint', metadata: { checkpointId: 3 } }, retained: [] })
  await complete(second, 4)
  await second.storage.writeRecord({ status: 'RUNNING' })
  await second.storage.close()
  const third = await open(ports, DIRECTORY, { resume: 'latest' })
  expect(third.retained.map(({ metadata }) => metadata.checkpointId)).toEqual([1, 2, 4])
})

test('a savepoint, and a retained checkpoint, is named by its folder or by its _metadata file', async () => {
  const { ports } = simulated()
  const first = await firstRun(ports, 1, { status: 'CANCELED' })
  const chk = `${DIRECTORY}/${first.jobId}/chk-1`
  for (const fromSavepoint of [chk, `${chk}/_metadata`, `file://${chk}`]) {
    const job = await open(ports, '/data/elsewhere', { fromSavepoint })
    expect(await restored(job)).toEqual({ checkpointId: 1, ...stateOf(1) })
    expect(job.retained).toEqual([])
  }
})

test('new checkpoint ids start above everything on the disk, published by this job or not', async () => {
  const { files, ports } = simulated()
  const first = await open(ports, DIRECTORY, { fixedJobId: JOB_ID })
  await complete(first, 2)
  await first.storage.close()
  await files.execute([{ type: 'makeFolder', path: `${DIRECTORY}/${JOB_ID}/chk-9` }])
  const code = await codeOf(open(ports, DIRECTORY, { fixedJobId: JOB_ID, resume: 'latest' }))
  expect(code).toBe('CHECKPOINT_MISSING')
  const second = await open(ports, DIRECTORY, { fixedJobId: JOB_ID, fromSavepoint: `${DIRECTORY}/${JOB_ID}/chk-2` })
  expect(second.nextCheckpointId).toBe(10)
})

test('an older checkpoint that cannot be read does not stand in the way of the newest', async () => {
  const { files, ports } = simulated()
  const first = await firstRun(ports, 3, { status: 'RUNNING' })
  await files.execute([{ type: 'unlink', path: `${DIRECTORY}/${first.jobId}/chk-1/_metadata` }])
  const second = await open(ports, DIRECTORY, { resume: 'latest' })
  expect(second).toMatchObject({ start: { metadata: { checkpointId: 3 } } })
  expect(second.retained.map(({ metadata }) => metadata.checkpointId)).toEqual([2, 3])
})

test('an unfinished job of a fixed id is not started empty without being asked to', async () => {
  const { ports } = simulated()
  const first = await open(ports, DIRECTORY, { fixedJobId: JOB_ID })
  await first.storage.close()
  expect(await codeOf(open(ports, DIRECTORY, { fixedJobId: JOB_ID }))).toBe('JOB_RECORD_EXISTS')
})

test('without a directory checkpoints are in memory, and resume is refused', async () => {
  const { ports } = simulated()
  const job = await open(ports, '', { directory: undefined })
  expect(job.storage.durable).toBe(false)
  const path = await complete(job, 1)
  const [completed] = await job.storage.readCompleted()
  expect(completed?.location).toBe(path)
  expect(await codeOf(open(ports, '', { directory: undefined, resume: 'latest' }))).toBe('RESUME_NEEDS_DIRECTORY')
})

test('a damaged record is named, and never read as something else', async () => {
  const { files, ports } = simulated()
  const first = await firstRun(ports, 1, { status: 'RUNNING' })
  const path = `${DIRECTORY}/${first.jobId}/job.json`
  const bytes = await files.read(path)
  const text = new TextDecoder().decode(bytes).replace('RUNNING', 'CREATED')
  await files.execute([
    { type: 'unlink', path },
    { type: 'writeNew', path, bytes: new TextEncoder().encode(text) },
  ])
  await expect(open(ports, DIRECTORY, { resume: 'latest' })).rejects.toMatchObject({
    code: 'JOB_RECORD_DAMAGED',
    message: expect.stringContaining(path),
  })
})
