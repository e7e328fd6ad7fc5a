import { mkdtempSync, renameSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { systemLocks } from '../../../src/base/locks.ts'

/** What whoever has the lock is given. */
const HELD = { release: expect.any(Function) }

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

function socketFiles() {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-'))
  folders.push(folder)
  const path = join(folder, 'lock.sock')
  return { path, locks: systemLocks(() => path) }
}

test('a lock has one holder, and is free again when it was released', async () => {
  const name = `test-${process.pid}-${Math.random()}`
  const held = await systemLocks().tryAcquire(name)
  expect(held).toMatchObject(HELD)
  expect(await systemLocks().tryAcquire(name)).toBeUndefined()
  await held?.release()
  const again = await systemLocks().tryAcquire(name)
  expect(again).toMatchObject(HELD)
  await again?.release()
})

test('where locks are socket files, one that is held stays held', async () => {
  const { locks } = socketFiles()
  const held = await locks.tryAcquire('any')
  expect(await locks.tryAcquire('any')).toBeUndefined()
  await held?.release()
})

test('where locks are socket files, the file that a dead process left does not hold the name', async () => {
  const { path, locks } = socketFiles()
  const dying = createServer()
  await new Promise<void>((done) => dying.listen({ path: `${path}.other` }, done))
  // The file stays under the name that its owner, closing, does not know.
  renameSync(`${path}.other`, path)
  await new Promise((done) => dying.close(done))
  const lock = await locks.tryAcquire('any')
  expect(lock).toMatchObject(HELD)
  await lock?.release()
})
