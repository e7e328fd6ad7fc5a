import { statSync } from 'node:fs'
import { expect, test } from 'vitest'
import { seededIds } from '../../../../src/base/ids.ts'
import type { Locks } from '../../../../src/base/locks.ts'
import { systemLocks } from '../../../../src/base/locks.ts'
import { silentLogger } from '../../../../src/base/logger.ts'
import { seededRandom } from '../../../../src/base/random.ts'
import { SimulatedFileSystem } from '../../../../src/base/simulated-file-system.ts'
import { SimulatedLocks } from '../../../../src/base/simulated-locks.ts'
import { temporaryFolder } from '../../../../src/base/temporary-folder.ts'
import { scratchFolder, sweepScratchFolders } from '../../../../src/state/level/scratch-folders.ts'
import { diskFolder } from './disk-folder.ts'

const HERE = { pid: 1, host: 'here', namespace: 'net:[1]' }
const ids = seededIds(seededRandom(1))

function portsOf(files: SimulatedFileSystem, locks: Locks) {
  const warnings: string[] = []
  return { files, locks, ids, logger: { ...silentLogger, warn: (line: string) => void warnings.push(line) }, warnings }
}

const namesIn = async (files: SimulatedFileSystem) => (await files.list('/tmp')).map(({ name }) => `/tmp/${name}`)

test('a scratch folder is there until it is removed, with everything in it, once', async () => {
  const files = new SimulatedFileSystem()
  const scratch = await scratchFolder('/tmp', HERE, portsOf(files, new SimulatedLocks()))
  await files.execute([{ type: 'writeNew', path: `${scratch.path}/file`, bytes: new Uint8Array(1) }])
  expect(await namesIn(files)).toEqual([scratch.path])
  await Promise.all([scratch.remove(), scratch.remove()])
  expect(await namesIn(files)).toEqual([])
})

test('folders of dead processes are removed by the next one, those of living ones stay', async () => {
  const files = new SimulatedFileSystem()
  const dead = new SimulatedLocks()
  const living = dead.another()
  const left = await scratchFolder('/tmp', HERE, portsOf(files, dead))
  await files.execute([{ type: 'makeFolder', path: `${left.path}/store` }])
  const used = await scratchFolder('/tmp', HERE, portsOf(files, living))
  expect(await namesIn(files)).toHaveLength(2)
  dead.kill()
  const next = await scratchFolder('/tmp', HERE, portsOf(files, living.another()))
  expect(await namesIn(files)).toEqual([used.path, next.path].sort())
})

test('folders of dead processes are removed also by a process that needs none, and no base is made for that', async () => {
  const files = new SimulatedFileSystem()
  const dead = new SimulatedLocks()
  const living = dead.another()
  await sweepScratchFolders('/tmp', HERE, portsOf(files, living))
  expect(await files.stat('/tmp')).toBeUndefined()
  await scratchFolder('/tmp', HERE, portsOf(files, dead))
  const used = await scratchFolder('/tmp', HERE, portsOf(files, living))
  dead.kill()
  await sweepScratchFolders('/tmp', HERE, portsOf(files, living.another()))
  expect(await namesIn(files)).toEqual([used.path])
})

test('what is not a scratch folder, or belongs to another host or namespace, is left alone', async () => {
  const files = new SimulatedFileSystem()
  const dead = new SimulatedLocks()
  const elsewhere = [
    await scratchFolder('/tmp', { ...HERE, host: 'there' }, portsOf(files, dead)),
    await scratchFolder('/tmp', { ...HERE, namespace: 'net:[2]' }, portsOf(files, dead)),
  ]
  const own = await scratchFolder('/tmp', HERE, portsOf(files, dead))
  dead.kill()
  await own.remove()
  await files.execute([
    { type: 'makeFolder', path: '/tmp/other' },
    { type: 'writeNew', path: `${own.path}x`, bytes: new Uint8Array(0) },
  ])
  const next = await scratchFolder('/tmp', HERE, portsOf(files, dead.another()))
  expect(await namesIn(files)).toEqual(
    [...elsewhere.map(({ path }) => path), next.path, '/tmp/other', `${own.path}x`].sort(),
  )
})

test('a dead folder that cannot be removed is reported, and in nobody’s way', async () => {
  const files = new SimulatedFileSystem()
  const dead = new SimulatedLocks()
  const left = await scratchFolder('/tmp', HERE, portsOf(files, dead))
  dead.kill()
  const next = files.another()
  next.interfere = ({ type }) => (type === 'removeFolder' ? { type: 'fail', code: 'EACCES' } : undefined)
  const ports = portsOf(next, dead.another())
  await scratchFolder('/tmp', HERE, ports)
  expect(ports.warnings).toEqual([expect.stringContaining(left.path)])
})

test('where the folder cannot be made or removed, that is said, and no lock is left behind', async () => {
  const files = new SimulatedFileSystem()
  const locks = new SimulatedLocks()
  const taken: string[] = []
  const noted: Locks = {
    tryAcquire(name) {
      taken.push(name)
      return locks.tryAcquire(name)
    },
  }
  files.interfere = ({ type, path }) =>
    (type === 'makeFolder' && path.includes('scratch')) || type === 'removeFolder'
      ? { type: 'fail', code: 'ENOSPC' }
      : undefined
  await expect(scratchFolder('/tmp', HERE, portsOf(files, noted))).rejects.toMatchObject({ code: 'FILE_ERROR' })
  files.interfere = ({ type }) => (type === 'removeFolder' ? { type: 'fail', code: 'EIO' } : undefined)
  const scratch = await scratchFolder('/tmp', HERE, portsOf(files, noted))
  await expect(scratch.remove()).rejects.toMatchObject({ details: { systemCode: 'EIO' } })
  for (const name of taken) expect(await locks.tryAcquire(name)).toBeDefined()
})

test('on a real disk nobody else may look into it', async () => {
  const { folder, files } = diskFolder()
  const ports = { files, locks: systemLocks(), ids, logger: silentLogger }
  const scratch = await scratchFolder(folder, HERE, ports)
  if (process.platform !== 'win32') expect(statSync(scratch.path).mode & 0o777).toBe(0o700)
  const second = await scratchFolder(folder, HERE, ports)
  expect((await files.list(folder)).map(({ name }) => `${folder}/${name}`)).toEqual([scratch.path, second.path].sort())
  await scratch.remove()
  await second.remove()
  expect(await files.list(folder)).toEqual([])
})

test('the system’s temporary folder is absolute, without a slash at its end', () => {
  expect(temporaryFolder()).toMatch(/^(\/|[A-Za-z]:\/).*[^/]$/)
})
