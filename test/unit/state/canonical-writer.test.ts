/** Canonical keyed state written from entries that are bytes already. */
import { describe, expect, test } from 'vitest'
import { VirtualClock } from '../../../src/base/virtual-clock.ts'
import { ByteWriter } from '../../../src/elements/byte-writer.ts'
import { writeValue } from '../../../src/elements/value-writer.ts'
import { ListStateDescriptor, ValueStateDescriptor } from '../../../src/state/descriptors.ts'
import { keyGroupOf } from '../../../src/state/key-groups.ts'
import { forEachEntry, readKeyedState } from '../../../src/state/keyed-stream-reader.ts'
import { memoryStateBackend } from '../../../src/state/memory/memory-state-backend.ts'
import type { SnapshotStream } from '../../../src/state/snapshot.ts'
import { snapshotOf, storedBytes } from '../../../src/testing/keyed-snapshot.ts'
import { SnapshotShelf } from '../../../src/testing/snapshot-shelf.ts'
import { CanonicalWriter } from './canonical-writer.ts'

const WHOLE = { first: 0, last: 15 }
const bytesOf = (value: unknown) => {
  const out = new ByteWriter(8)
  writeValue(out, value)
  return out.take()
}
const SERIALIZERS = [{ id: 'millrace.value', version: 1 }]
const HEADER = { maxParallelism: 16, tables: [{ kind: 'value', name: 'count', serializers: SERIALIZERS }] }
const backendOf = () => memoryStateBackend({ maxParallelism: 16, keyGroups: WHOLE, clock: new VirtualClock() })

describe('canonical state written from bytes', () => {
  test('is what the heap backend reads, and the other way round', async () => {
    const source = backendOf()
    const count = source.getState(new ValueStateDescriptor<number>('count'))
    const list = source.getListState(new ListStateDescriptor<string>('list'))
    for (let i = 0; i < 100; i++) {
      source.setCurrentKey(i)
      count.update(i * 3)
      list.add('x'.repeat(i * 3))
    }
    const rows: [number, number, Uint8Array, Uint8Array][] = []
    let header = HEADER
    await readKeyedState(await snapshotOf(source, 1), WHOLE, {
      header(read) {
        header = read as typeof HEADER
      },
      blob: (blob) =>
        forEachEntry(blob, (id, key, value) => rows.push([blob.keyGroup, id, key.slice(), value.slice()])),
    })
    rows.sort(([one], [other]) => one - other)
    const shelf = new SnapshotShelf()
    const stream = shelf.target(2, WHOLE).open()
    const writer = new CanonicalWriter(stream, header)
    for (const row of rows) await writer.add(...row)
    await writer.end()
    const copy = backendOf()
    await copy.restore([{ keyGroups: WHOLE, handle: await stream.finish(), reader: shelf }])
    for (let i = 0; i < 100; i++) {
      copy.setCurrentKey(i)
      expect(copy.getState(new ValueStateDescriptor<number>('count')).value()).toBe(i * 3)
      expect([...copy.getListState(new ListStateDescriptor<string>('list')).get()]).toEqual(['x'.repeat(i * 3)])
    }
  })

  test('without an entry is a header alone', async () => {
    const parts: Uint8Array[] = []
    await new CanonicalWriter(streamInto(parts), HEADER).end()
    const copy = backendOf()
    copy.restore([storedBytes(new Uint8Array(Buffer.concat(parts)), WHOLE)])
    copy.setCurrentKey('k')
    expect(copy.getState(new ValueStateDescriptor<number>('count')).value()).toBeUndefined()
  })

  test('goes to the stream blob by blob, however large the key group', async () => {
    const parts: Uint8Array[] = []
    const writer = new CanonicalWriter(streamInto(parts), HEADER)
    const value = bytesOf('x'.repeat(60_000))
    let beforeTheEnd = 0
    for (let i = 0; i < 500; i++) {
      const written = writer.add(keyGroupOf('k', 16), 0, bytesOf(`k${i}`), value)
      if (written !== undefined) await written
      beforeTheEnd = parts.reduce((sum, part) => sum + part.length, 0)
    }
    // 30 MB: three blobs are full, and gone.
    expect(beforeTheEnd).toBeGreaterThan(24_000_000)
    await writer.end()
  })

  test('of key groups out of order is a mistake, and is not written', async () => {
    const writer = new CanonicalWriter(streamInto([]), HEADER)
    await writer.add(3, 0, bytesOf('a'), bytesOf(1))
    expect(() => writer.add(2, 0, bytesOf('b'), bytesOf(1))).toThrow(expect.objectContaining({ code: 'INTERNAL' }))
  })

  test('ends with the error of the stream', async () => {
    const full = new Error('no space')
    const writer = new CanonicalWriter({ ...streamInto([]), append: () => Promise.reject(full) }, HEADER)
    await expect(writer.add(0, 0, bytesOf('a'), bytesOf(1))).rejects.toBe(full)
  })
})

function streamInto(parts: Uint8Array[]): SnapshotStream {
  return {
    append: (bytes) => void parts.push(bytes.slice()),
    finish: () => Promise.reject(new Error('not called')),
    abandon: () => Promise.resolve(),
  }
}
