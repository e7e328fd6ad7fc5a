import { describe, expect, test } from 'vitest'
import { describeKeyedState } from '../../../src/runtime/describe-keyed-state.ts'
import { encodeKeyedHeader } from '../../../src/state/keyed-format.ts'
import { encodeIndex } from '../../../src/state/level/level-index.ts'
import type { InlineHandle, SnapshotReader } from '../../../src/state/snapshot.ts'
import { table } from './plan-fixture.ts'

const identity = {
  checkpointId: 7,
  operatorId: 'a'.repeat(32),
  subtask: 0,
  kind: 'keyed' as const,
  keyGroups: { first: 0, last: 63 },
}
const handle: InlineHandle = { type: 'inline', identity, bytes: '' }

/** Gives the payload in pieces, and counts the bytes that were taken. */
function readerOf(payload: Uint8Array, pieceBytes: number) {
  const seen = { bytes: 0 }
  const reader: SnapshotReader = {
    read: () => Promise.reject(new Error('the whole payload is not wanted')),
    async scan(_handle, take) {
      for (let offset = 0; offset < payload.length; offset += pieceBytes) {
        const piece = payload.slice(offset, offset + pieceBytes)
        seen.bytes += piece.length
        await take(piece, payload.length)
        piece.fill(0)
      }
    },
  }
  return { reader, seen }
}

const payloadOf = (tables: number, behind: number): Uint8Array => {
  const names = Array.from({ length: tables }, (_, index) => table('value', `state-${index}`))
  const header = encodeKeyedHeader({ maxParallelism: 128, tables: names })
  const payload = new Uint8Array(header.length + behind)
  payload.set(header)
  return payload
}

describe('The description of keyed state', () => {
  test('is its header; the entries behind it are not read', async () => {
    const { reader, seen } = readerOf(payloadOf(2, 10_000_000), 4096)
    const { keyGroups, form } = await describeKeyedState(handle, reader)
    expect(keyGroups).toEqual({ first: 0, last: 63 })
    expect(form).toMatchObject({
      type: 'canonical',
      contents: { header: { maxParallelism: 128, tables: [{ name: 'state-0' }, {}] } },
    })
    expect(seen.bytes).toBeLessThan(100_000)
  })

  test('keeps the header alone, which is a payload as well', async () => {
    const { reader } = readerOf(payloadOf(2, 5000), 100)
    const { form } = await describeKeyedState(handle, reader)
    expect(form).toMatchObject({ contents: { withoutEntries: payloadOf(2, 0) } })
  })

  test('finds a header that is longer than the first look', async () => {
    const { reader } = readerOf(payloadOf(5000, 1_000_000), 1000)
    const { form } = await describeKeyedState(handle, reader)
    expect(form.type === 'canonical' ? form.contents.header.tables.length : 0).toBe(5000)
  })

  test('of what is no keyed state, or whose header would be huge, is refused at once', async () => {
    const { reader, seen } = readerOf(new Uint8Array(64_000_000), 65_536)
    await expect(describeKeyedState(handle, reader)).rejects.toMatchObject({ code: 'STATE_CORRUPT' })
    const huge = payloadOf(1, 64_000_000)
    huge.set([0xff, 0xff, 0xff, 0x7f], 6)
    const claiming = readerOf(huge, 65_536)
    await expect(describeKeyedState(handle, claiming.reader)).rejects.toMatchObject({
      code: 'STATE_CORRUPT',
      message: expect.stringContaining('2147483647 bytes'),
    })
    expect(seen.bytes + claiming.seen.bytes).toBeLessThan(200_000)
    const short = readerOf(new Uint8Array(3), 3)
    await expect(describeKeyedState(handle, short.reader)).rejects.toMatchObject({ code: 'STATE_CORRUPT' })
  })

  const composite = (backend: string) => ({ type: 'composite', identity, backend, index: handle, parts: [] }) as const

  test('in the form of an unknown backend names it, and knows nothing more', async () => {
    const { reader } = readerOf(new Uint8Array(0), 1)
    const { form } = await describeKeyedState(composite('rocks'), reader)
    expect(form).toMatchObject({ type: 'own', handle: { backend: 'rocks' }, contents: [] })
  })

  test('in the form of leveldb is its index: contents for each list of serializers, the oldest first', async () => {
    const serializers = (version: number) => ({ serializers: [{ id: 'mine', version }] })
    const bytes = encodeIndex({
      maxParallelism: 128,
      tables: [
        { id: 0, kind: 'value', name: 'a', schemas: [serializers(1), serializers(2)] },
        { id: 1, kind: 'list', name: 'b', schemas: [serializers(7)] },
      ],
      base: { kind: 'none' },
      deltas: [],
    })
    const reader: SnapshotReader = { read: async () => bytes, scan: () => Promise.reject(new Error('not wanted')) }
    const { form } = await describeKeyedState(composite('leveldb'), reader)
    expect(form).toMatchObject({
      type: 'own',
      contents: [
        {
          header: {
            tables: [
              { name: 'a', ...serializers(1) },
              { name: 'b', ...serializers(7) },
            ],
          },
        },
        { header: { tables: [{ name: 'a', ...serializers(2) }] } },
      ],
    })
  })

  test('that cannot be read fails with what reading failed with', async () => {
    const broken = new Error('EIO')
    const reader: SnapshotReader = { read: () => Promise.reject(broken), scan: () => Promise.reject(broken) }
    await expect(describeKeyedState(handle, reader)).rejects.toBe(broken)
  })
})
