/** Unpacking gzip behind the file-system port: the simulated disk, which does it at once, and the real one agree. */
import { gzipSync } from 'node:zlib'
import { afterAll, expect, test } from 'vitest'
import type { FileSystem } from '../../../src/base/file-system.ts'
import { nodeFileSystem } from '../../../src/base/node-file-system.ts'
import { SimulatedFileSystem } from '../../../src/base/simulated-file-system.ts'

const real = nodeFileSystem()
const simulated = new SimulatedFileSystem()
afterAll(() => real.stop())

const one = gzipSync('1\n'.repeat(200))
const two = gzipSync('two\n')
const both = Buffer.concat([one, two])
const zeros = Buffer.alloc(100)

async function* inPieces(bytes: Uint8Array, length: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length)
}

/** What comes out and how many bytes went in, or how it fails. */
async function outcome(files: FileSystem, bytes: Uint8Array, pieces: number): Promise<unknown> {
  const unpacked = files.gunzip(inPieces(bytes, pieces), 64)
  const chunks: Uint8Array[] = []
  try {
    for await (const chunk of unpacked) chunks.push(chunk)
  } catch (thrown) {
    const { code, message } = thrown as NodeJS.ErrnoException
    return { code, message }
  }
  for (const chunk of chunks) expect(chunk.length).toBeLessThanOrEqual(64)
  return { text: Buffer.concat(chunks).toString(), bytesRead: unpacked.bytesRead }
}

async function expectSame(bytes: Uint8Array, what: string): Promise<void> {
  const expected = await outcome(simulated, bytes, 7)
  for (const pieces of [1, 7, one.length, 1000])
    expect(await outcome(real, bytes, pieces), `${what}, in pieces of ${pieces}`).toEqual(expected)
}

test.each([
  ['the real', real],
  ['the simulated', simulated],
])(
  '%s file system unpacks all members, stops at a zero behind one, and refuses what is cut or no gzip',
  async (_, files) => {
    const text = `${'1\n'.repeat(200)}two\n`
    expect(await outcome(files, both, 7)).toEqual({ text, bytesRead: both.length })
    expect(await outcome(files, Buffer.concat([both, zeros]), 7)).toEqual({ text, bytesRead: both.length })
    expect(await outcome(files, Buffer.concat([one, zeros, two]), 7)).toMatchObject({ bytesRead: one.length })
    expect(await outcome(files, both.subarray(0, -1), 7)).toMatchObject({ code: 'Z_BUF_ERROR' })
    expect(await outcome(files, Buffer.from('no gzip'), 7)).toMatchObject({ code: 'Z_DATA_ERROR' })
    expect(await outcome(files, Buffer.concat([both, Buffer.from('no gzip')]), 7)).toMatchObject({
      code: 'Z_DATA_ERROR',
    })
  },
)

test('both unpack the same, wherever two members are cut', async () => {
  for (let length = 0; length <= both.length; length++) await expectSame(both.subarray(0, length), `${length} bytes`)
})

test('both unpack the same, whichever byte of two members is damaged', async () => {
  for (let at = 0; at < both.length; at++) {
    const damaged = Buffer.from(both)
    damaged[at] = (damaged[at] as number) ^ 0x55
    await expectSame(damaged, `byte ${at} damaged`)
  }
})

test('both unpack the same with zeros in front of, between and behind members', async () => {
  for (const count of [1, 7, 100]) {
    const some = zeros.subarray(0, count)
    for (const parts of [[some, both], [one, some, two], [both, some], [both, some, Buffer.from('x')], [some]])
      await expectSame(Buffer.concat(parts), `${count} zeros`)
  }
})

test('both throw on what their input throws', async () => {
  const failing = new Error('the disk')
  async function* packed(): AsyncGenerator<Uint8Array> {
    yield one
    throw failing
  }
  for (const files of [real, simulated]) {
    const reading = async () => {
      for await (const _ of files.gunzip(packed(), 64));
    }
    await expect(reading()).rejects.toBe(failing)
  }
})
