/** The order of entries, whatever the order in which they were stored, and of which form. */

import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { OperatorMetadata } from '../../../src/checkpoint/checkpoint-metadata.ts'
import { ByteWriter } from '../../../src/elements/byte-writer.ts'
import { writeValue } from '../../../src/elements/value-writer.ts'
import type { Json } from '../../../src/inspect/checkpoint/json-form.ts'
import { eachKeyedEntry } from '../../../src/inspect/checkpoint/keyed-entries.ts'
import { keyedStateReader } from '../../../src/inspect/checkpoint/keyed-scan.ts'
import { KeyedTally } from '../../../src/inspect/checkpoint/keyed-tally.ts'
import type { OpenCheckpoint } from '../../../src/inspect/checkpoint/open-checkpoint.ts'
import { keyGroupOf } from '../../../src/state/key-groups.ts'
import { blobSeed, encodeBlobHeader, encodeKeyedHeader } from '../../../src/state/keyed-format.ts'
import { writeHandle } from '../../../src/state/level/checkpoint-chain.ts'
import { EntryLogWriter } from '../../../src/state/level/entry-log.ts'
import { writeStoreKey } from '../../../src/state/level/store-key.ts'
import type { StateHandle, StoredHandle } from '../../../src/state/snapshot.ts'
import { SnapshotShelf } from '../../../src/testing/snapshot-shelf.ts'

const MAX = 8
const ID = '0'.repeat(32)
const SERIALIZERS = [{ id: 'millrace.value', version: 1 }]
const ALL = { first: 0, last: MAX - 1 }

const bytesOf = (value: unknown): Uint8Array => {
  const out = new ByteWriter(16)
  writeValue(out, value)
  return out.take()
}

/** In table 3. */
function storeKey(key: string): Uint8Array {
  const out = new ByteWriter(16)
  writeStoreKey(out, 3, key, MAX)
  return out.take()
}

/** A blob for each entry, in this order. */
async function canonical(shelf: SnapshotShelf, entries: readonly (readonly [string, number])[]): Promise<StateHandle> {
  const stream = shelf.target(1, ALL).open()
  await stream.append(
    encodeKeyedHeader({ maxParallelism: MAX, tables: [{ kind: 'value', name: 's', serializers: SERIALIZERS }] }),
  )
  for (const [key, value] of entries) {
    const run = new ByteWriter(32)
    run.uint16(0)
    const entry = new ByteWriter(32)
    entry.raw(bytesOf(key))
    entry.bytesWithLength(bytesOf(value))
    run.uint32(entry.length)
    run.raw(entry.take())
    const keyGroup = keyGroupOf(key, MAX)
    const content = run.take()
    await stream.append(encodeBlobHeader(keyGroup, content.length, crc32(content, blobSeed(keyGroup))))
    await stream.append(content)
  }
  return stream.finish()
}

/** The same as logs: what changes later takes the place of what was there. Undefined removes. */
async function logged(
  shelf: SnapshotShelf,
  base: readonly (readonly [string, number | undefined])[],
  delta: readonly (readonly [string, number | undefined])[],
): Promise<StateHandle> {
  const target = shelf.target(1, ALL)
  const write = async (entries: typeof base): Promise<readonly StoredHandle[]> => {
    const log = new EntryLogWriter(target, 'own')
    for (const [key, value] of entries)
      await log.add({
        key: storeKey(key),
        value: value === undefined ? undefined : new Uint8Array([0, ...bytesOf(value)]),
      })
    return log.finish()
  }
  const files = await write(base)
  const chain = { base: { kind: 'dump' as const, files }, deltas: await write(delta) }
  return writeHandle(target, chain, MAX, [{ id: 3, kind: 'value', name: 's', schemas: [{ serializers: SERIALIZERS }] }])
}

function checkpointOf(shelf: SnapshotShelf, keyed: StateHandle) {
  const operator: OperatorMetadata = {
    operatorId: ID,
    name: 'o',
    parallelism: 1,
    maxParallelism: MAX,
    subtasks: [{ index: 0, finished: false, keyed }],
  }
  const checkpoint: OpenCheckpoint = {
    location: '/chk-1',
    metadata: {
      jobId: ID,
      jobName: 'j',
      epoch: 1,
      checkpointId: 1,
      kind: 'checkpoint',
      timestamp: 0,
      operators: [operator],
    },
    reader: shelf,
    verify: async () => {},
    fileOf: (handle) => (handle.type === 'inline' ? 'inline' : handle.path),
  }
  return { checkpoint, operator }
}

async function linesOf(shelf: SnapshotShelf, keyed: StateHandle): Promise<Json[]> {
  const { checkpoint, operator } = checkpointOf(shelf, keyed)
  const lines: Json[] = []
  await eachKeyedEntry(checkpoint, { operator, type: 'keyed', kind: 'value', name: 's' }, undefined, (line) => {
    lines.push(line)
  })
  return lines
}

async function countsOf(shelf: SnapshotShelf, keyed: StateHandle) {
  const tally = new KeyedTally(MAX)
  const reader = await keyedStateReader(checkpointOf(shelf, keyed).checkpoint, keyed)
  if (reader.isReadable) await reader.scan(tally.visitor())
  else tally.addUnread(reader.header)
  return tally.reports()
}

/** By key group, then by the bytes of the key. */
function inOrder(entries: ReadonlyMap<string, number>): Json[] {
  return [...entries]
    .map(([key, value]) => ({ key, value, keyGroup: keyGroupOf(key, MAX) }))
    .sort((one, other) => one.keyGroup - other.keyGroup || Buffer.compare(bytesOf(one.key), bytesOf(other.key)))
}

const key = fc.string({ maxLength: 3 })

describe('Entries', () => {
  test('stand in the same order, each once, however their key groups stand', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(key, fc.nat(9)), { maxLength: 30 }), async (pairs) => {
        // A key that comes twice has the same value, as in a snapshot that was taken while records went on.
        const values = new Map(pairs)
        const entries = pairs.map(([one]) => [one, values.get(one) as number] as const)
        const shelf = new SnapshotShelf()
        expect(await linesOf(shelf, await canonical(shelf, entries))).toEqual(inOrder(values))
      }),
    )
  })

  test('of a leveldb checkpoint are what its logs say last', async () => {
    const log = fc.array(fc.tuple(key, fc.option(fc.nat(9), { nil: undefined })), { maxLength: 20 })
    await fc.assert(
      fc.asyncProperty(log, log, async (base, delta) => {
        const values = new Map<string, number>()
        for (const [one, value] of [...base, ...delta]) {
          if (value === undefined) values.delete(one)
          else values.set(one, value)
        }
        const shelf = new SnapshotShelf()
        const handle = await logged(shelf, base, delta)
        expect(await linesOf(shelf, handle)).toEqual(inOrder(values))
        expect(await countsOf(shelf, handle)).toMatchObject([{ name: 's', kind: 'value', entries: values.size }])
      }),
    )
  })

  test('are counted once where a key group comes in one piece', async () => {
    const shelf = new SnapshotShelf()
    const handle = await canonical(shelf, [
      ['a', 1],
      ['a', 1],
      ['b', 2],
    ])
    expect(await countsOf(shelf, handle)).toMatchObject([{ entries: 2, keyGroups: 2 }])
  })
})

describe('State in table files of a database', () => {
  const tableFiles = async (shelf: SnapshotShelf): Promise<StateHandle> => {
    const target = shelf.target(1, ALL)
    const stream = target.open('shared')
    await stream.append(Uint8Array.of(1, 2, 3))
    const file = await stream.finish()
    const table = { number: 5, level: 0, length: 3, smallest: '', largest: '' }
    return writeHandle(
      target,
      { base: { kind: 'tables', lastSequence: '1', files: [{ table, file }] }, deltas: [] },
      MAX,
      [{ id: 3, kind: 'value', name: 's', schemas: [{ serializers: SERIALIZERS }] }],
    )
  }

  test('is listed without counts', async () => {
    const shelf = new SnapshotShelf()
    expect(await countsOf(shelf, await tableFiles(shelf))).toEqual([
      { kind: 'value', name: 's', serializers: SERIALIZERS, entries: null, bytes: null, keyGroups: null },
    ])
  })

  test('is not printed, and the error says what helps', async () => {
    const shelf = new SnapshotShelf()
    await expect(linesOf(shelf, await tableFiles(shelf))).rejects.toMatchObject({
      code: 'STATE_INCOMPATIBLE',
      hint: expect.stringContaining('savepoint in canonical format'),
    })
  })
})
