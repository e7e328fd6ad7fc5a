/** Attacks on what makes a followed file the same file: numbers that two disks give to different ones. */
import { expect, test } from 'vitest'
import type { FileStatus, FileSystem } from '../../../../src/base/file-system.ts'
import { compareInputs, type KnownFile } from '../../../../src/connectors/file-source/compare-inputs.ts'
import { MovedFiles } from '../../../../src/connectors/file-source/input-survey.ts'
import { diskWith, writeFile } from '../files-for-tests.ts'

const HEADER = `${'column,'.repeat(60)}end\n`

/** Every folder is a disk of its own, and each disk counts its files from the same number. */
function disks(files: FileSystem): FileSystem {
  const asOnItsDisk = (path: string, status: FileStatus): FileStatus => ({
    ...status,
    device: path.slice(0, 2),
    inode: '12',
  })
  return {
    ...{ read: (path: string) => files.read(path), list: (path: string) => files.list(path) },
    createExclusive: (path) => files.createExclusive(path),
    execute: (operations) => files.execute(operations),
    gunzip: (packed, chunkBytes) => files.gunzip(packed, chunkBytes),
    async stat(path) {
      const status = await files.stat(path)
      if (status === undefined) return undefined
      return status.kind === 'file' ? asOnItsDisk(path, status) : { ...status, device: path.slice(0, 2) }
    },
    async openRead(path) {
      const handle = await files.openRead(path)
      return {
        read: (offset, length) => handle.read(offset, length),
        stat: async () => asOnItsDisk(path, await handle.stat()),
        close: () => handle.close(),
      }
    },
  }
}

test('A file that comes later is read, though on its own disk it has the number of a known one and begins as that one does', async () => {
  const disk = await diskWith({ '/a/log.csv': `${HEADER}1\n` })
  await disk.execute([{ type: 'makeFolder', path: '/b' }])
  const files = disks(disk)
  const inputs = ['/a', '/b']
  const first = await compareInputs(files, inputs, [])
  expect(first.fresh.map(({ path }) => path)).toEqual(['/a/log.csv'])
  await writeFile(disk, '/b/log.csv', `${HEADER}2\n`)
  const second = await compareInputs(files, inputs, first.fresh)
  expect(second.fresh.map(({ path }) => path)).toEqual(['/b/log.csv'])
  expect(second.kept.map(({ path }) => path)).toEqual(['/a/log.csv'])
  const third = await compareInputs(files, inputs, [...second.kept, ...second.fresh])
  expect(third.fresh).toEqual([])
  expect(third.kept).toHaveLength(2)
  // All disks may get other numbers at the next start: then it is again the path that tells.
  const remounted = [...third.kept].map((file) => ({ ...file, identity: { ...file.identity, device: 'before' } }))
  const fourth = await compareInputs(files, inputs, remounted)
  expect([fourth.fresh.length, fourth.kept.length, fourth.missing.length]).toEqual([0, 2, 0])
})

test('A file that is gone is not found again in one of another disk that has its number and begins as it did', async () => {
  const disk = await diskWith({ '/a/log.csv': `${HEADER}1\n`, '/b/log.csv': `${HEADER}2\n` })
  const files = disks(disk)
  const [known] = (await compareInputs(files, ['/a'], [])).fresh as [KnownFile]
  await disk.execute([{ type: 'unlink', path: '/a/log.csv' }])
  const moved = () => new MovedFiles(files, ['/a', '/b'])
  expect(await moved().find(known.identity, known.path)).toBeUndefined()
  // Under another name on its own disk it is, also when that was mounted anew.
  await writeFile(disk, '/a/log.csv.1', `${HEADER}1\n`)
  expect((await moved().find(known.identity, known.path))?.path).toBe('/a/log.csv.1')
  const before = { ...known.identity, device: 'before' }
  expect((await moved().find(before, known.path))?.path).toBe('/a/log.csv.1')
})
