import { expect, test } from 'vitest'
import { StreamError } from '../../../src/base/errors.ts'
import { SimulatedFileSystem, type SimulatedOperation } from '../../../src/base/simulated-file-system.ts'
import type { StoredHandle } from '../../../src/state/snapshot.ts'
import { codeOf, complete, discard, JOB_ID, open, portsOn, prepare, restored, stateOf } from './job-fixture.ts'

const DIRECTORY = '/data'
const turns = { next: (turn: () => void) => queueMicrotask(turn) }

async function running() {
  const files = new SimulatedFileSystem({ turns })
  const job = await open(portsOn(files), DIRECTORY, { fixedJobId: JOB_ID })
  await complete(job, 1)
  return { files, job }
}

/** How many operations the second checkpoint is made of. */
async function operationsOfOne(): Promise<number> {
  const { files, job } = await running()
  const before = files.operations
  await complete(job, 2)
  return files.operations - before
}

for (const code of ['ENOSPC', 'EIO', 'EMFILE', 'EACCES'])
  test(`${code} at any operation of a checkpoint: it is declined, its leftovers go, the one before stays, the next one works`, async () => {
    const count = await operationsOfOne()
    expect(count).toBeGreaterThan(8)
    for (let failing = 1; failing <= count; failing++) {
      const { files, job } = await running()
      const failed = await failAt(files, files.operations + failing, code, () => complete(job, 2))
      const completed = (await job.storage.readCompleted()).map(({ metadata }) => metadata.checkpointId)
      await job.storage.discardPending(2)
      expect(completed).toEqual(failed.visible === 'no' ? [1] : expect.arrayContaining([1]))
      expect(await namesIn(files, `${DIRECTORY}/${JOB_ID}/epoch-1`)).toEqual(['owner.json'])

      await complete(job, 3)
      await job.storage.close()
      const next = await open(portsOn(files.kill()), DIRECTORY, { fixedJobId: JOB_ID, resume: 'latest' })
      expect(await restored(next)).toEqual({ checkpointId: 3, ...stateOf(3) })
    }
  })

async function failAt(
  files: SimulatedFileSystem,
  index: number,
  code: string,
  act: () => Promise<unknown>,
): Promise<{ readonly visible: unknown }> {
  files.interfere = (operation) => (operation.index === index ? { type: 'fail', code, bytes: 10 } : undefined)
  try {
    await act()
  } catch (thrown) {
    if (!StreamError.is(thrown)) throw thrown
    expect(thrown).toMatchObject({ code: 'FILE_ERROR', details: { systemCode: code } })
    return { visible: thrown.details.visible ?? 'no' }
  } finally {
    files.interfere = undefined
  }
  throw new StreamError('INTERNAL', { message: `operation ${index} failed and nobody noticed` })
}

async function namesIn(files: SimulatedFileSystem, path: string): Promise<readonly string[]> {
  return (await files.list(path)).map(({ name }) => name)
}

test('a disk that stays full keeps refusing, and checkpoints work again when it has room', async () => {
  const { files, job } = await running()
  files.interfere = ({ type }: SimulatedOperation) =>
    type === 'write' ? { type: 'fail', code: 'ENOSPC', bytes: 0 } : undefined
  for (const id of [2, 3]) {
    expect(await codeOf(complete(job, id))).toBe('FILE_ERROR')
    await job.storage.discardPending(id)
  }
  files.interfere = undefined
  await complete(job, 4)
  expect(await namesIn(files, `${DIRECTORY}/${JOB_ID}`)).toEqual(['chk-1', 'chk-4', 'epoch-1', 'job.json'])
  expect(await namesIn(files, `${DIRECTORY}/${JOB_ID}/epoch-1`)).toEqual(['owner.json'])
})

test('a publish of which only the last sync failed is unknown, and the store says that it is there', async () => {
  const { files, job } = await running()
  const metadata = await prepare(job, 2)
  files.interfere = ({ type, path }: SimulatedOperation) =>
    type === 'syncFolder' && path === `${DIRECTORY}/${JOB_ID}` ? { type: 'fail', code: 'EIO' } : undefined
  await expect(job.storage.publish(metadata)).rejects.toMatchObject({
    code: 'FILE_ERROR',
    details: { visible: 'unknown' },
  })
  expect(await codeOf(job.storage.readCompleted())).toBe('FILE_ERROR')
  files.interfere = undefined
  expect((await job.storage.readCompleted()).map(({ metadata }) => metadata.checkpointId)).toEqual([1, 2])
})

test('a checkpoint is published once: a second one of its id is refused and replaces nothing', async () => {
  const { job } = await running()
  await expect(job.storage.publish({ ...(await prepare(job, 1)), timestamp: 7 })).rejects.toMatchObject({
    code: 'FILE_ERROR',
    details: { visible: 'no' },
  })
  const [first] = await job.storage.readCompleted()
  expect(first?.metadata.timestamp).toBe(1001)
})

test('state that comes after its checkpoint was given up is refused and leaves nothing', async () => {
  const { files, job } = await running()
  await prepare(job, 2)
  await job.storage.discardPending(2)
  expect(await codeOf(prepare(job, 2))).toBe('CHECKPOINT_DISCARDED')
  expect(await namesIn(files, `${DIRECTORY}/${JOB_ID}/epoch-1`)).toEqual(['owner.json'])
})

test('state that is being written while its checkpoint is given up leaves nothing', async () => {
  for (let delay = 0; delay < 60; delay++) {
    const { files, job } = await running()
    const writing = codeOf(prepare(job, 2))
    for (let turn = 0; turn < delay; turn++) await Promise.resolve()
    await job.storage.discardPending(2)
    await writing
    expect(await namesIn(files, `${DIRECTORY}/${JOB_ID}/epoch-1`)).toEqual(['owner.json'])
  }
})

test('handles of a late acknowledgement are removed, and a completed checkpoint is not touched', async () => {
  const { files, job } = await running()
  const late = await prepare(job, 2)
  const handles = late.operators[0]?.subtasks.flatMap(({ keyed, operator }) => [keyed, operator]) ?? []
  await job.storage.removeHandles(handles.filter((handle) => handle !== undefined))
  expect(await namesIn(files, `${DIRECTORY}/${JOB_ID}/epoch-1/chk-2`)).toEqual([])
  const [first] = await job.storage.readCompleted()
  const { keyed } = first?.metadata.operators[0]?.subtasks[0] ?? {}
  if (first === undefined || keyed === undefined) return expect.unreachable()
  await job.storage.removeHandles([keyed])
  expect((await job.storage.snapshotReader(first).read(keyed as StoredHandle)).length).toBe(30_000)
})

test('an abandoned stream leaves nothing, whether it had begun its file or not', async () => {
  const { files, job } = await running()
  const identity = { checkpointId: 2, operatorId: 'a'.repeat(32), subtask: 0, kind: 'keyed' as const }
  const small = job.storage.snapshotWriter().open(identity)
  small.append(new Uint8Array(100))
  await small.abandon()
  const large = job.storage.snapshotWriter().open(identity)
  for (let i = 0; i < 8; i++) await large.append(new Uint8Array(300_000))
  expect(await namesIn(files, `${DIRECTORY}/${JOB_ID}/epoch-1/chk-2`)).toHaveLength(1)
  await large.abandon()
  expect(await namesIn(files, `${DIRECTORY}/${JOB_ID}/epoch-1/chk-2`)).toEqual([])
})

test('a deleted checkpoint is out of reach before its data goes, and the next start removes the rest', async () => {
  const { files, job } = await running()
  files.interfere = ({ type }) => (type === 'unlink' ? { type: 'stop' } : undefined)
  void discard(job, 1)
  await files.stopped
  const found = files.another()
  expect(await namesIn(found, `${DIRECTORY}/${JOB_ID}`)).toEqual(['epoch-1', 'job.json'])
  const next = await open(portsOn(found), DIRECTORY, {
    fixedJobId: JOB_ID,
    fromSavepoint: undefined,
    resume: 'latest',
  }).catch(() => undefined)
  expect(next).toBeUndefined()
  expect(await namesIn(found, `${DIRECTORY}/${JOB_ID}`)).toEqual(['job.json'])
})
