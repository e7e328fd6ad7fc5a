import { mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { DiskThread } from '../../../src/base/disk-thread.ts'
import { systemCodeOf } from '../../../src/base/file-error.ts'
import { nodeFileSystem } from '../../../src/base/node-file-system.ts'
import { systemPorts } from '../../../src/base/system-ports.ts'
import { VirtualClock } from '../../../src/base/virtual-clock.ts'

let at: string
const files = nodeFileSystem()
beforeEach(() => {
  at = mkdtempSync(join(tmpdir(), 'millrace-'))
})
afterEach(() => rmSync(at, { recursive: true }))

test('folders are 0700 and files 0600, whoever made them', async () => {
  await files.execute([
    { type: 'makeFolder', path: `${at}/a/b` },
    { type: 'writeNew', path: `${at}/a/b/x`, bytes: new Uint8Array(1) },
  ])
  const stream = await files.createExclusive(`${at}/a/b/y`)
  await stream.close()
  const modes = ['a', 'a/b', 'a/b/x', 'a/b/y'].map((path) => (statSync(`${at}/${path}`).mode & 0o777).toString(8))
  expect(modes).toEqual(['700', '700', '600', '600'])
})

test('a file in the place of a folder is said to be one', async () => {
  writeFileSync(`${at}/file`, '')
  const refusal = {
    details: { systemCode: 'ENOTDIR' },
    hint: expect.stringContaining('is a file where a folder is needed'),
  }
  await expect(files.list(`${at}/file`)).rejects.toMatchObject(refusal)
  const making = files.execute([{ type: 'makeFolder', path: `${at}/file/folder` }])
  await expect(making).rejects.toMatchObject(refusal)
})

test('a symbolic link that waits in the place of a new file is never written through', async () => {
  writeFileSync(`${at}/victim`, 'untouched')
  symlinkSync(`${at}/victim`, `${at}/x`)
  symlinkSync(`${at}/nowhere`, `${at}/y`)
  for (const path of [`${at}/x`, `${at}/y`]) {
    expect(
      systemCodeOf(
        await files.execute([{ type: 'writeNew', path, bytes: new Uint8Array(3) }]).catch((thrown) => thrown),
      ),
    ).toBe('EEXIST')
    expect(systemCodeOf(await files.createExclusive(path).catch((thrown) => thrown))).toBe('EEXIST')
  }
  expect(readFileSync(`${at}/victim`, 'utf8')).toBe('untouched')
  expect((await files.list(at)).map(({ kind }) => kind)).toEqual(['file', 'other', 'other'])
})

test('a thread that dies rejects everything under way, and the next batch gets a new one', async () => {
  const dying = new DiskThread(
    `require('node:worker_threads').parentPort.on('message', ({ id }) => { if (id < 2) return; process.exit(7) })`,
  )
  const batches = [0, 1, 2].map((id) =>
    dying.run([{ type: 'syncFolder', path: `${at}/${id}` }]).catch((thrown: unknown) => thrown),
  )
  for (const error of await Promise.all(batches))
    expect(error).toMatchObject({ code: 'FILE_ERROR', details: { systemCode: 'THREAD_LOST' } })
  expect(systemCodeOf(await dying.run([]).catch((thrown) => thrown))).toBe('THREAD_LOST')
})

test('a thread whose program throws rejects as well', async () => {
  const broken = new DiskThread('throw new Error("no")')
  expect(systemCodeOf(await broken.run([{ type: 'syncFolder', path: at }]).catch((thrown) => thrown))).toBe(
    'THREAD_LOST',
  )
})

test('batches that are sent at once do not mix', async () => {
  const batches = Array.from({ length: 20 }, (_, index) =>
    files.execute([
      { type: 'writeNew', path: `${at}/${index}`, bytes: new Uint8Array(1000).fill(index) },
      { type: 'rename', from: `${at}/${index}`, to: `${at}/last` },
    ]),
  )
  await Promise.all(batches)
  expect((await files.list(at)).map(({ name }) => name)).toEqual(['last'])
  expect((await files.read(`${at}/last`)).every((byte) => byte === 19)).toBe(true)
})

test('the ports of a process can be overridden one by one', () => {
  const clock = new VirtualClock()
  expect(systemPorts({ clock }).clock).toBe(clock)
  expect(systemPorts().ids.jobId()).toMatch(/^[0-9a-f]{32}$/)
})
