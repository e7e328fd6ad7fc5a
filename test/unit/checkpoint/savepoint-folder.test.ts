import { expect, it } from 'vitest'
import { seededIds } from '../../../src/base/ids.ts'
import { seededRandom } from '../../../src/base/random.ts'
import {
  type Interference,
  SimulatedFileSystem,
  type SimulatedOperation,
} from '../../../src/base/simulated-file-system.ts'
import { prepareSavepointFolder } from '../../../src/checkpoint/savepoint-folder.ts'

const prepare = (files: SimulatedFileSystem, folder: string) =>
  prepareSavepointFolder(files, seededIds(seededRandom(1)), folder)
const failing = (which: (operation: SimulatedOperation) => boolean, code: string) => {
  const files = new SimulatedFileSystem()
  files.interfere = (operation): Interference | undefined =>
    which(operation) ? { type: 'fail', code, bytes: 0 } : undefined
  return files
}

it('makes the folder with all above it, durably, and leaves nothing in it', async () => {
  const files = new SimulatedFileSystem()
  await prepare(files, '/a/b/savepoints')
  await prepare(files, '/a/b/savepoints')
  expect(await files.list('/a/b/savepoints')).toEqual([])
  for (let seed = 1; seed < 20; seed++) {
    const after = files.image({ random: seededRandom(seed), model: 'posix' })
    expect(await after.stat('/a/b/savepoints')).toMatchObject({ kind: 'folder' })
  }
})

it('leaves what lies in the folder alone', async () => {
  const files = new SimulatedFileSystem()
  await files.execute([
    { type: 'makeFolder', path: '/savepoints' },
    { type: 'writeNew', path: '/savepoints/mine', bytes: Uint8Array.of(1) },
  ])
  await prepare(files, '/savepoints')
  expect((await files.list('/savepoints')).map(({ name }) => name)).toEqual(['mine'])
})

it.each(['/file', '/file/below'])('refuses a file in the place of the folder: %s', async (folder) => {
  const files = new SimulatedFileSystem()
  await files.execute([{ type: 'writeNew', path: '/file', bytes: Uint8Array.of(1) }])
  await expect(prepare(files, folder)).rejects.toMatchObject({ code: 'FILE_ERROR' })
  expect(await files.read('/file')).toEqual(Uint8Array.of(1))
})

it.each([
  ['cannot be made', ({ type }: SimulatedOperation) => type === 'makeFolder', 'EROFS'],
  ['takes no file', ({ type }: SimulatedOperation) => type === 'create', 'EACCES'],
  ['is full: an empty file would still fit', ({ type }: SimulatedOperation) => type === 'write', 'ENOSPC'],
  ['does not give the file back', ({ type }: SimulatedOperation) => type === 'unlink', 'EACCES'],
] as const)('refuses a folder that %s, with the code of the system', async (_, which, code) => {
  const files = failing(which, code)
  await expect(prepare(files, '/savepoints')).rejects.toMatchObject({
    code: 'FILE_ERROR',
    details: { systemCode: code },
  })
  if (code !== 'ENOSPC') return
  files.interfere = undefined
  expect(await files.list('/savepoints')).toEqual([])
})
