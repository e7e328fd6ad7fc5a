import { expect, test } from 'vitest'
import { SimulatedFileSystem } from '../../../../src/base/simulated-file-system.ts'
import type { ClassicDatabase } from '../../../../src/state/level/classic-database.ts'
import { LiveCheckpoint } from '../../../../src/state/level/live-checkpoint.ts'
import { encodeEdit, type ManifestEdit } from '../../../../src/state/level/manifest-edits.ts'
import { logOf } from '../../../../src/state/level/manifest-log.ts'

/** What LevelDB does between two of our calls cannot be brought about at will, so here it is played. */
const table = (number: number, level = 0) => ({ number, level, length: 10, smallest: 'AAAA', largest: 'AAAA' })

function edit(lastSequence: number, added: readonly number[], deleted: readonly number[] = []): ManifestEdit {
  return {
    comparator: 'leveldb.BytewiseComparator',
    logNumber: undefined,
    nextFile: undefined,
    lastSequence: BigInt(lastSequence),
    deleted: deleted.map((number) => ({ level: 0, number })),
    added: added.map((number) => table(number)),
  }
}

const EDITS = [edit(0, []), edit(5, [1]), edit(9, [2]), edit(9, [3], [1, 2])]
const FIRST_TWO = listing(1, 2)

/** As `leveldb.sstables` prints them. */
function listing(...numbers: readonly number[]): string {
  return [
    '--- level 0 ---',
    ...numbers.map((number) => ` ${number}:10['a' @ 1 : 1 .. 'b' @ 2 : 1]`),
    '--- level 1 ---',
    '',
  ].join('\n')
}

async function played(manifest: Uint8Array, listings: readonly string[]) {
  const files = new SimulatedFileSystem()
  await files.execute([
    { type: 'makeFolder', path: '/store' },
    { type: 'writeNew', path: '/store/CURRENT', bytes: Buffer.from('MANIFEST-000004\n') },
    { type: 'writeNew', path: '/store/MANIFEST-000004', bytes: manifest },
  ])
  const held = new Set<number>()
  let iterators = 0
  let asked = 0
  const database = {
    compactRange: async () => {},
    getProperty: () => listings[Math.min(asked++, listings.length - 1)],
    iterator: () => {
      const own = ++iterators
      held.add(own)
      return { close: async () => void held.delete(own) }
    },
  } as unknown as ClassicDatabase
  return { checkpoint: new LiveCheckpoint(database, '/store', files), held, files }
}

test('when a compaction has ended since, the version with the tables that are held is taken, not the last one', async () => {
  const { checkpoint } = await played(logOf(EDITS.map(encodeEdit)), [FIRST_TWO])
  const pinned = await checkpoint.pin(9n)
  expect(pinned.tables.map(({ number }) => number)).toEqual([1, 2])
  expect(pinned.pathOf(table(2))).toBe('/store/000002.ldb')
})

test('when a compaction ends just while the tables are taken hold of, it is done again', async () => {
  const { checkpoint, held } = await played(logOf(EDITS.map(encodeEdit)), [FIRST_TWO, listing(3)])
  const pinned = await checkpoint.pin(9n)
  expect(pinned.tables.map(({ number }) => number)).toEqual([3])
  expect([...held]).toEqual([2])
  await pinned.release()
  expect(held.size).toBe(0)
})

test('a later pin goes on in the MANIFEST where the last one ended, and sees what is there without a new record', async () => {
  const { checkpoint, files } = await played(logOf(EDITS.map(encodeEdit)), [FIRST_TWO])
  await checkpoint.pin(9n)
  const before = files.operations
  const again = await checkpoint.pin(9n)
  expect(again.tables.map(({ number }) => number)).toEqual([1, 2])
  // Open, stat, read, close: CURRENT is not read again.
  expect(files.operations - before).toBe(4)
})

test('a record that is being written just now is left out', async () => {
  const whole = logOf(EDITS.map(encodeEdit))
  const { checkpoint } = await played(whole.subarray(0, whole.length - 3), [FIRST_TWO])
  expect((await checkpoint.pin(9n)).tables).toHaveLength(2)
})

const damaged = logOf(EDITS.map(encodeEdit))
damaged[30] = 1 ^ (damaged[30] as number)

for (const [what, manifest, listings, sequence, why] of [
  ['tells of no version with these tables', logOf(EDITS.map(encodeEdit)), listing(1, 7), 9n, 'no moment'],
  ['has them on another level', logOf(EDITS.map(encodeEdit)), FIRST_TWO.replace('level 0', 'level 2'), 9n, 'no moment'],
  ['has them before everything was in', logOf(EDITS.map(encodeEdit)), FIRST_TWO, 10n, 'hold 9 writes'],
  ['is damaged', damaged, FIRST_TWO, 9n, 'a checksum does not match'],
  ['is empty', new Uint8Array(0), FIRST_TWO, 9n, 'no moment'],
] as const)
  test(`nothing is pinned, and nothing held, where the MANIFEST ${what}`, async () => {
    const { checkpoint, held } = await played(manifest, [listings])
    await expect(checkpoint.pin(sequence)).rejects.toMatchObject({
      code: 'FILE_ERROR',
      message: expect.stringContaining(why),
      details: { path: '/store' },
    })
    expect(held.size).toBe(0)
  })

test('a list of tables in another form than LevelDB 1.20 prints is refused', async () => {
  const { checkpoint, held } = await played(logOf(EDITS.map(encodeEdit)), ['level 0: 1, 2'])
  await expect(checkpoint.pin(9n)).rejects.toMatchObject({ message: expect.stringContaining('level 0: 1, 2') })
  expect(held.size).toBe(0)
})

test('a CURRENT that names something else is refused', async () => {
  const { checkpoint, files } = await played(logOf(EDITS.map(encodeEdit)), [FIRST_TWO])
  await files.execute([
    { type: 'unlink', path: '/store/CURRENT' },
    { type: 'writeNew', path: '/store/CURRENT', bytes: Buffer.from('../elsewhere\n') },
  ])
  await expect(checkpoint.pin(9n)).rejects.toMatchObject({ message: expect.stringContaining('../elsewhere') })
})
