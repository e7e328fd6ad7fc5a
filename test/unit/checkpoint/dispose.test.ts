/** Disposing of a savepoint: what goes, what stays, and what is refused. */
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { disposeSavepointOn } from '../../../src/api/dispose-savepoint.ts'
import { seededRandom } from '../../../src/base/random.ts'
import { SimulatedFileSystem } from '../../../src/base/simulated-file-system.ts'
import { readMetadata } from '../../../src/checkpoint/completed-checkpoints.ts'
import { fileObjects } from '../../../src/checkpoint/file-objects.ts'
import { verifyCheckpoint } from '../../../src/checkpoint/state-reading.ts'
import { disposeSavepoint } from '../../../src/index.ts'
import { codeOf, complete, JOB_ID, open, portsOn, prepare, realFolder } from './job-fixture.ts'

/** A savepoint on a real disk, as its job has left it. */
async function written() {
  const { files, directory } = realFolder()
  const job = await open(portsOn(files), directory, { fixedJobId: JOB_ID })
  const metadata = { ...(await prepare(job, 1)), kind: 'savepoint' as const }
  const target = join(directory, 'savepoints')
  const { path } = await job.storage.publishSavepoint(target, metadata)
  const checkpoint = await complete(job, 2)
  return { files, directory, target, path, checkpoint }
}

test('its files go and its folder with them; a second time it is missing', async () => {
  const { target, path } = await written()
  expect(readdirSync(path)).toHaveLength(2)
  expect(await disposeSavepoint(path)).toEqual({ path, left: [] })
  expect(readdirSync(target)).toEqual([])
  expect(await codeOf(disposeSavepoint(path))).toBe('CHECKPOINT_MISSING')
})

test('it may be named by its _metadata, by a URI, and lack files', async () => {
  const { files, target, path } = await written()
  const state = readdirSync(path).find((name) => name !== '_metadata')
  await files.execute([{ type: 'unlink', path: `${path}/${state}` }])
  expect((await disposeSavepoint(`file://${path}/_metadata`)).left).toEqual([])
  expect(readdirSync(target)).toEqual([])
})

test('what it does not list stays and is named: other files, folders, links', async () => {
  const { directory, path } = await written()
  writeFileSync(join(path, 'notes.txt'), 'mine')
  mkdirSync(join(path, 'folder'))
  symlinkSync(directory, join(path, 'link'))
  expect((await disposeSavepoint(path)).left).toEqual(['folder', 'link', 'notes.txt'])
  expect(readdirSync(path)).toEqual(['folder', 'link', 'notes.txt'])
  expect(await codeOf(disposeSavepoint(path))).toBe('CHECKPOINT_MISSING')
})

test('a link or a folder in the place of a listed file stays', async () => {
  const { files, directory, path } = await written()
  const state = readdirSync(path).find((name) => name !== '_metadata') ?? ''
  await files.execute([{ type: 'unlink', path: `${path}/${state}` }])
  symlinkSync(join(directory, JOB_ID, 'job.json'), join(path, state))
  expect((await disposeSavepoint(path)).left).toEqual([state])
  expect(readdirSync(join(directory, JOB_ID))).toContain('job.json')
})

test('a checkpoint of a job is refused and stays whole', async () => {
  const { checkpoint } = await written()
  const before = readdirSync(checkpoint)
  await expect(disposeSavepoint(checkpoint)).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: expect.stringContaining('checkpoint 2'),
  })
  expect(readdirSync(checkpoint)).toEqual(before)
})

test('what is no savepoint is refused by its path, and nothing there is touched', async () => {
  const { directory, path, target } = await written()
  writeFileSync(join(directory, 'file'), 'x')
  symlinkSync(path, join(directory, 'link'))
  for (const wrong of ['/', directory, target, join(directory, 'nothing'), '/nothing/at/all'])
    expect([wrong, await codeOf(disposeSavepoint(wrong))]).toEqual([wrong, 'CHECKPOINT_MISSING'])
  for (const wrong of ['link', 'file'])
    expect(await codeOf(disposeSavepoint(join(directory, wrong)))).toBe('CHECKPOINT_FOREIGN')
  expect(await codeOf(disposeSavepoint('http://host/savepoint'))).toBe('STORAGE_LOCATION')
  expect(readdirSync(path)).toHaveLength(2)
  expect(readdirSync(directory).sort()).toEqual([JOB_ID, 'file', 'link', 'savepoints'].sort())
})

test('one whose metadata is damaged, or is a link, is refused: nobody knows what belongs to it', async () => {
  const { files, path, directory } = await written()
  const whole = await files.read(`${path}/_metadata`)
  writeFileSync(join(path, '_metadata'), whole.subarray(0, 40))
  expect(await codeOf(disposeSavepoint(path))).toBe('CHECKPOINT_DAMAGED')
  await files.execute([{ type: 'rename', from: `${path}/_metadata`, to: `${directory}/m` }])
  writeFileSync(join(directory, 'm'), whole)
  symlinkSync(join(directory, 'm'), join(path, '_metadata'))
  expect(await codeOf(disposeSavepoint(path))).toBe('CHECKPOINT_FOREIGN')
  expect(readdirSync(path)).toHaveLength(2)
})

test('one that a job has claimed is refused', async () => {
  const { files, directory, path } = await written()
  const claim = { fixedJobId: 'a'.repeat(32), fromSavepoint: path, claimMode: 'CLAIM' as const, name: 'other' }
  await open(portsOn(files), directory, claim)
  await expect(disposeSavepoint(path)).rejects.toMatchObject({ code: 'CHECKPOINT_CLAIMED' })
  expect(readdirSync(path)).toHaveLength(3)
})

test('after a crash or a power loss at any operation it is whole, or a second call ends what the first one began', async () => {
  const turns = { next: (turn: () => void) => queueMicrotask(turn) }
  const begin = async (stopAt: number) => {
    const files = new SimulatedFileSystem({ turns })
    const job = await open(portsOn(files), '/data', { fixedJobId: JOB_ID })
    const metadata = { ...(await prepare(job, 1)), kind: 'savepoint' as const }
    const { path } = await job.storage.publishSavepoint('/savepoints', metadata)
    const before = files.operations
    files.interfere = ({ index }) => (index === before + stopAt ? { type: 'stop' } : undefined)
    await Promise.race([files.stopped, disposeSavepointOn(files, path)])
    return { files, path, operations: files.operations - before }
  }
  const { operations } = await begin(0)
  for (let stopAt = 1; stopAt <= operations; stopAt++) {
    const { files, path } = await begin(stopAt)
    const images = (['posix', 'ordered'] as const).flatMap((model) =>
      Array.from({ length: 30 }, (_, seed) => files.image({ random: seededRandom(seed * 7919 + stopAt), model })),
    )
    for (const found of [...images, files.another()]) {
      // As long as it can be taken for a savepoint it is one.
      if (found.disk.find(`${path}/_metadata`) !== undefined) {
        const objects = fileObjects(found, path)
        await verifyCheckpoint(objects, await readMetadata(objects))
      }
      expect(['none', 'CHECKPOINT_MISSING']).toContain(await codeOf(disposeSavepointOn(found, path)))
      const left = await found.list('/savepoints')
      // An empty folder is what the last operation removes.
      if (left.length > 0) expect(await found.list(path)).toEqual([])
    }
  }
})
