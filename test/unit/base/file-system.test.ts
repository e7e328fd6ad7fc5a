/** One suite for both implementations of the port: what the real disk does, the simulated one does as well. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { failedStepOf, systemCodeOf } from '../../../src/base/file-error.ts'
import type { FileOperation, FileSystem } from '../../../src/base/file-system.ts'
import { nodeFileSystem } from '../../../src/base/node-file-system.ts'
import { SimulatedFileSystem } from '../../../src/base/simulated-file-system.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const text = (content: Uint8Array) => new TextDecoder().decode(content)
const refusal = (promise: Promise<unknown>) => promise.then(() => 'none', systemCodeOf)

describe.each(['node', 'simulated'] as const)('the %s file system', (which) => {
  let files: FileSystem
  let at: string
  let end: () => Promise<void>

  beforeEach(async () => {
    if (which === 'simulated') {
      files = new SimulatedFileSystem()
      at = '/work'
      end = async () => {}
      await files.execute([{ type: 'makeFolder', path: at }])
    } else {
      const real = nodeFileSystem()
      const folder = mkdtempSync(join(tmpdir(), 'millrace-'))
      files = real
      at = folder
      end = async () => {
        await real.stop()
        rmSync(folder, { recursive: true })
      }
    }
  })
  afterEach(() => end())

  test('a batch runs in order; what it wrote is read back', async () => {
    await files.execute([
      { type: 'makeFolder', path: `${at}/a/b` },
      { type: 'writeNew', path: `${at}/a/b/x`, bytes: bytes('one') },
      { type: 'link', from: `${at}/a/b/x`, to: `${at}/a/y` },
      { type: 'rename', from: `${at}/a/b/x`, to: `${at}/a/x` },
      { type: 'syncFolder', path: `${at}/a` },
      { type: 'unlink', path: `${at}/a/y` },
    ])
    expect(await files.list(`${at}/a`)).toEqual([
      { name: 'b', kind: 'folder' },
      { name: 'x', kind: 'file' },
    ])
    expect(text(await files.read(`${at}/a/x`))).toBe('one')
    await files.execute([
      { type: 'remove', path: `${at}/a` },
      { type: 'remove', path: `${at}/a` },
    ])
    expect(await files.stat(`${at}/a`)).toBeUndefined()
  })

  test('the first operation that fails ends the batch, with its code, path and place in the batch', async () => {
    const batch: FileOperation[] = [
      { type: 'writeNew', path: `${at}/x`, bytes: bytes('1') },
      { type: 'writeNew', path: `${at}/x`, bytes: bytes('2') },
      { type: 'writeNew', path: `${at}/z`, bytes: bytes('3') },
    ]
    const error = await files.execute(batch).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({
      code: 'FILE_ERROR',
      message: expect.stringContaining(`write '${at}/x'`),
      hint: expect.any(String),
      details: { systemCode: 'EEXIST', path: `${at}/x`, operation: 'write', step: 1 },
    })
    expect(failedStepOf(error)).toBe(1)
    expect(text(await files.read(`${at}/x`))).toBe('1')
    expect(await files.stat(`${at}/z`)).toBeUndefined()
  })

  test.each([
    ['unlinking what is not there', 'ENOENT', { type: 'unlink', path: 'x' }],
    ['renaming what is not there', 'ENOENT', { type: 'rename', from: 'x', to: 'y' }],
    ['writing where no folder is', 'ENOENT', { type: 'writeNew', path: 'no/x', bytes: new Uint8Array(0) }],
    ['a folder whose parent must exist', 'ENOENT', { type: 'makeFolder', path: 'no/x', parents: 'mustExist' }],
    ['a folder where a file is', 'EEXIST', { type: 'makeFolder', path: 'file' }],
    ['renaming a folder over a full one', 'ENOTEMPTY', { type: 'rename', from: 'empty', to: 'full' }],
    ['renaming a folder over a file', 'ENOTDIR', { type: 'rename', from: 'empty', to: 'file' }],
    ['renaming a file over a folder', 'EISDIR', { type: 'rename', from: 'file', to: 'empty' }],
    ['a link over something', 'EEXIST', { type: 'link', from: 'file', to: 'full/x' }],
  ] as const)('%s is %s', async (_, code, operation) => {
    await files.execute([
      { type: 'makeFolder', path: `${at}/empty` },
      { type: 'makeFolder', path: `${at}/full` },
      { type: 'writeNew', path: `${at}/full/x`, bytes: bytes('x') },
      { type: 'writeNew', path: `${at}/file`, bytes: bytes('x') },
    ])
    const here =
      'from' in operation
        ? { ...operation, from: `${at}/${operation.from}`, to: `${at}/${operation.to}` }
        : { ...operation, path: `${at}/${operation.path}` }
    expect(await refusal(files.execute([here]))).toBe(code)
  })

  test('a rename replaces a file, and an empty folder', async () => {
    await files.execute([
      { type: 'writeNew', path: `${at}/old`, bytes: bytes('old') },
      { type: 'writeNew', path: `${at}/new`, bytes: bytes('new') },
      { type: 'rename', from: `${at}/new`, to: `${at}/old` },
      { type: 'makeFolder', path: `${at}/empty` },
      { type: 'makeFolder', path: `${at}/full/deep` },
      { type: 'rename', from: `${at}/full`, to: `${at}/empty` },
    ])
    expect(text(await files.read(`${at}/old`))).toBe('new')
    expect(await files.list(`${at}/empty`)).toEqual([{ name: 'deep', kind: 'folder' }])
  })

  test('a stream is appended to, synced and read in pieces', async () => {
    const file = await files.createExclusive(`${at}/s`)
    await file.append(bytes('hello '))
    await file.append(bytes('world'))
    await file.sync()
    await file.close()
    expect(await refusal(files.createExclusive(`${at}/s`))).toBe('EEXIST')
    const read = await files.openRead(`${at}/s`)
    expect(text(await read.read(6, 3))).toBe('wor')
    expect(text(await read.read(6, 100))).toBe('world')
    expect(await read.read(100, 5)).toHaveLength(0)
    expect(await read.stat()).toMatchObject({ kind: 'file', size: 11 })
    await read.close()
  })

  test('status tells kind, size and identity; the identity goes with a rename', async () => {
    await files.execute([{ type: 'writeNew', path: `${at}/x`, bytes: bytes('abc') }])
    const before = await files.stat(`${at}/x`)
    await files.execute([{ type: 'rename', from: `${at}/x`, to: `${at}/y` }])
    expect(await files.stat(`${at}/y`)).toEqual(before)
    expect(before).toMatchObject({ kind: 'file', size: 3 })
    expect(await files.stat(`${at}/y/z`)).toBeUndefined()
    expect(await files.stat(at)).toMatchObject({ kind: 'folder' })
  })

  test('reading, listing and opening what is not there is ENOENT', async () => {
    expect(await refusal(files.read(`${at}/no`))).toBe('ENOENT')
    expect(await refusal(files.list(`${at}/no`))).toBe('ENOENT')
    expect(await refusal(files.openRead(`${at}/no`))).toBe('ENOENT')
  })

  test('what is written may be a view of a larger buffer, and the caller keeps it', async () => {
    const large = bytes('0123456789')
    await files.execute([{ type: 'writeNew', path: `${at}/v`, bytes: large.subarray(2, 5) }])
    expect(text(await files.read(`${at}/v`))).toBe('234')
    expect(text(large)).toBe('0123456789')
  })

  test('a file has as many links as names, none when it is deleted while it is open, and shows that it was written', async () => {
    const [one, other] = [`${at}/one`, `${at}/other`]
    const writing = await files.createExclusive(one)
    const reading = await files.openRead(one)
    const before = await reading.stat()
    expect(before.links).toBe(1)
    await writing.append(bytes('more'))
    await writing.close()
    expect((await reading.stat()).size).toBe(4)
    if (which === 'simulated') expect((await reading.stat()).modified).not.toBe(before.modified)
    else expect(BigInt((await reading.stat()).modified ?? '')).toBeGreaterThanOrEqual(BigInt(before.modified ?? ''))
    await files.execute([{ type: 'link', from: one, to: other }])
    expect((await files.stat(one))?.links).toBe(2)
    await files.execute([{ type: 'rename', from: one, to: `${at}/third` }])
    expect((await reading.stat()).links).toBe(2)
    await files.execute([
      { type: 'unlink', path: other },
      { type: 'unlink', path: `${at}/third` },
    ])
    expect((await reading.stat()).links).toBe(0)
    await reading.close()
  })

  test('an empty batch does nothing', async () => {
    await files.execute([])
  })
})
