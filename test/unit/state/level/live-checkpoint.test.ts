import { existsSync } from 'node:fs'
import { ClassicLevel as Level } from 'classic-level'
import { expect, test } from 'vitest'
import type { FileOperation, FileSystem } from '../../../../src/base/file-system.ts'
import {
  nameOfTable,
  type OrderedStore,
  type OrderedStores,
  type PinnedTables,
} from '../../../../src/base/ordered-store.ts'
import { seededRandom } from '../../../../src/base/random.ts'
import { classicStores } from '../../../../src/state/level/classic-stores.ts'
import { manifestOf } from '../../../../src/state/level/manifest-writer.ts'
import { closing, contents, copyTables, diskFolder, operations, SETTINGS } from './disk-folder.ts'

async function openStore() {
  const { folder, files } = diskFolder()
  const stores = classicStores(files)
  return { stores, store: closing(await stores.open(`${folder}/store`, SETTINGS)), folder, files }
}

async function reopened(stores: OrderedStores, folder: string, pinned: PinnedTables): Promise<OrderedStore> {
  return closing(await stores.reopen(folder, pinned, SETTINGS))
}

/** Some entries over and over again, others removed: LevelDB has something to compact all the time. */
function churn(seed: number): Record<string, string | undefined> {
  const random = seededRandom(seed)
  const entries: Record<string, string | undefined> = {}
  for (let count = 0; count < 200; count++) {
    const key = `key ${Math.floor(random.next() * 5000)}`
    entries[key] = random.next() < 0.2 ? undefined : `${seed} ${'x'.repeat(Math.floor(random.next() * 200))}`
  }
  return entries
}

test('25 pins beside a writer and its compactions: each copy holds what was written before the pin, and no more', async () => {
  const { stores, store, folder } = await openStore()
  const model = new Map<string, string>()
  const apply = async (entries: Record<string, string | undefined>) => {
    await store.write(operations(entries))
    for (const [key, value] of Object.entries(entries)) {
      if (value === undefined) model.delete(key)
      else model.set(key, value)
    }
  }
  let seed = 0
  for (let round = 0; round < 25; round++) {
    for (let batch = 0; batch < 3; batch++) await apply(churn(++seed))
    const pinned = await store.pinTables()
    const expected = [...model].sort(([one], [other]) => (one < other ? -1 : 1))
    // The writer goes on, and compactions with it, while the tables are copied.
    const copying = copyTables(pinned, `${folder}/copy-${round}`)
    for (let batch = 0; batch < 2; batch++) await apply(churn(++seed))
    await copying
    await pinned.release()
    const copy = await reopened(stores, `${folder}/copy-${round}`, pinned)
    expect(await contents(copy)).toEqual(expected)
    await copy.close()
  }
})

test('tables that a compaction has replaced stay until they are released', async () => {
  const { store } = await openStore()
  // The first table goes to a deep level at once; those that overlap it stay above and are soon compacted.
  for (let round = -3; round < 0; round++) {
    await store.write(operations(churn(round)))
    await (await store.pinTables()).release()
  }
  const pinned = await store.pinTables()
  for (let round = 2; round < 40; round++) await store.write(operations(churn(round)))
  const later = await store.pinTables()
  const replaced = pinned.tables.filter(({ number }) => later.tables.every((table) => table.number !== number))
  expect(replaced.length).toBeGreaterThan(0)
  expect(pinned.tables.every((table) => existsSync(pinned.pathOf(table)))).toBe(true)
  await pinned.release()
  await later.release()
  await (await store.pinTables()).release()
  for (let round = 40; round < 60; round++) await store.write(operations(churn(round)))
  await (await store.pinTables()).release()
  expect(replaced.some((table) => existsSync(pinned.pathOf(table)))).toBe(false)
})

test('keys of any bytes survive: backslash, quote, zero, 255, and those above the key that a pin compacts', async () => {
  const { stores, store, folder } = await openStore()
  const odd = [
    '\\',
    '\\x00',
    '"',
    "'",
    "' .. '",
    '\0',
    '\0\0',
    '\xff',
    '\xff'.repeat(64),
    '\xff'.repeat(100),
    '\n',
    ' 7:1[',
  ]
  await store.write(operations(Object.fromEntries(odd.map((key) => [key, `of ${key}`]))))
  await (await store.pinTables()).release()
  await store.write(operations(Object.fromEntries(odd.map((key) => [`${key}+`, 'second']))))
  const pinned = await store.pinTables()
  await copyTables(pinned, `${folder}/copy`)
  expect(await contents(await reopened(stores, `${folder}/copy`, pinned))).toEqual(await contents(store))
  await pinned.release()
})

test('a MANIFEST of more than one block is read, from the start and from where the last pin ended', async () => {
  const { folder, files } = diskFolder()
  const offsets: number[] = []
  const watched: FileSystem = {
    ...files,
    async openRead(path) {
      const file = await files.openRead(path)
      return {
        ...file,
        read(offset, length) {
          offsets.push(offset)
          return file.read(offset, length)
        },
      }
    },
  }
  const stores = classicStores(watched)
  const store = closing(await stores.open(`${folder}/store`, SETTINGS))
  // Both bounds of a table stand in the MANIFEST, so long keys make it long.
  const long = (round: number, end: string) => `${String(round).padStart(3, '0')}${'k'.repeat(3000)}${end}`
  const sizes: number[] = []
  for (let round = 0; round < 30; round++) {
    await store.write(operations({ [long(round, 'a')]: 'a', [long(round, 'b')]: 'b' }))
    const pinned = await store.pinTables()
    await pinned.release()
    const manifest = (await files.list(`${folder}/store`)).find(({ name }) => name.startsWith('MANIFEST'))
    sizes.push((await files.stat(`${folder}/store/${manifest?.name}`))?.size ?? 0)
  }
  expect(sizes.at(-1)).toBeGreaterThan(3 * 32 * 1024)
  expect(offsets).toEqual([...new Set(offsets)].sort((one, other) => one - other))
  expect(offsets[0]).toBe(0)
  const pinned = await store.pinTables()
  await copyTables(pinned, `${folder}/copy`)
  await pinned.release()
  // Ours is of one record, and that is split over blocks too.
  const copy = await reopened(stores, `${folder}/copy`, pinned)
  expect(await contents(copy)).toEqual(await contents(store))
  await copy.write(operations({ more: 'x' }))
  const second = await copy.pinTables()
  expect(second.lastSequence).toBe('61')
  await second.release()
})

test('an empty store is pinned and opened again as an empty one', async () => {
  const { stores, store, folder } = await openStore()
  const pinned = await store.pinTables()
  expect(pinned).toMatchObject({ tables: [], lastSequence: '0' })
  await copyTables(pinned, `${folder}/copy`)
  const copy = await reopened(stores, `${folder}/copy`, pinned)
  expect(await contents(copy)).toEqual([])
  await copy.write(operations({ a: '1' }))
  expect(await contents(copy)).toEqual([['a', '1']])
})

test('two stores on the same tables give the same numbers to different tables, and none that is in use', async () => {
  const { stores, store, folder, files } = await openStore()
  for (let round = 0; round < 8; round++) await store.write(operations(churn(round)))
  const pinned = await store.pinTables()
  const known = new Set(pinned.tables.map(({ number }) => number))
  const grown = async (name: string, value: string) => {
    await copyTables(pinned, `${folder}/${name}`)
    const attempt = await reopened(stores, `${folder}/${name}`, pinned)
    await attempt.write(operations({ 'key 1': value }))
    const own = await attempt.pinTables()
    await own.release()
    return own.tables.filter(({ number }) => !known.has(number)).map((table) => ({ number: table.number, own }))
  }
  const [first, second] = [await grown('first', 'one'), await grown('second', 'two')]
  expect(Math.min(...first.map(({ number }) => number))).toBeGreaterThan(Math.max(...known))
  expect(first.map(({ number }) => number)).toEqual(second.map(({ number }) => number))
  const read = ({ number, own }: (typeof first)[number]) =>
    files.read(own.pathOf({ number, level: 0, length: 0, smallest: '', largest: '' }))
  const [one, two] = [first[0], second[0]] as const
  if (one === undefined || two === undefined) throw new Error('no table was added')
  expect(Buffer.from(await read(one)).equals(await read(two))).toBe(false)
  await pinned.release()
})

test('tables that are missing, too short, of double number, or not alone in their folder are not opened', async () => {
  const { stores, store, folder, files } = await openStore()
  await store.write(operations(churn(1)))
  const pinned = await store.pinTables()
  const [table] = pinned.tables
  if (table === undefined) throw new Error('nothing was pinned')
  const refusal = (why: string) => ({ code: 'FILE_ERROR', message: expect.stringContaining(why) })
  await files.execute([{ type: 'makeFolder', path: `${folder}/copy` }])
  await expect(stores.reopen(`${folder}/copy`, pinned, SETTINGS)).rejects.toMatchObject(refusal('has no bytes'))
  await copyTables(pinned, `${folder}/copy`)
  const longer = { ...pinned, tables: [{ ...table, length: table.length + 1 }] }
  await expect(stores.reopen(`${folder}/copy`, longer, SETTINGS)).rejects.toMatchObject(refusal('bytes and not'))
  const twice = { ...pinned, tables: [table, table] }
  await expect(stores.reopen(`${folder}/copy`, twice, SETTINGS)).rejects.toMatchObject(refusal('the same number'))
  await files.execute([{ type: 'writeNew', path: `${folder}/copy/000099.ldb`, bytes: new Uint8Array(1) }])
  await expect(stores.reopen(`${folder}/copy`, pinned, SETTINGS)).rejects.toMatchObject(
    refusal("'000099.ldb' is there"),
  )
  await pinned.release()
})

test('a store is refused when LevelDB has read something else than it was to read, or finds no CURRENT', async () => {
  const { store, folder, files } = await openStore()
  await store.write(operations({ a: '1' }))
  await (await store.pinTables()).release()
  await store.write(operations({ a: '2' }))
  const pinned = await store.pinTables()
  const bytesOf = (change: Partial<PinnedTables>) => manifestOf({ ...pinned, ...change }).bytes
  const [first, ...rest] = pinned.tables
  if (first === undefined) throw new Error('nothing was pinned')
  const wrong: Record<string, (operation: FileOperation) => FileOperation[]> = {
    'no table': (operation) => [withManifest(operation, bytesOf({ tables: [] }))],
    'a table less': (operation) => [withManifest(operation, bytesOf({ tables: rest }))],
    'a table on another level': (operation) => [
      withManifest(operation, bytesOf({ tables: [{ ...first, level: first.level === 1 ? 2 : 1 }, ...rest] })),
    ],
    'earlier writes': (operation) => [withManifest(operation, bytesOf({ lastSequence: '1' }))],
    'no CURRENT': (operation) => ('path' in operation && operation.path.endsWith('CURRENT') ? [] : [operation]),
  }
  for (const [name, replace] of Object.entries(wrong)) {
    const changed: FileSystem = { ...files, execute: (all) => files.execute(all.flatMap(replace)) }
    await copyTables(pinned, `${folder}/${name}`)
    await expect(classicStores(changed).reopen(`${folder}/${name}`, pinned, SETTINGS), name).rejects.toMatchObject({
      code: 'FILE_ERROR',
    })
  }
  // With createIfMissing LevelDB would have deleted them.
  const left = (await files.list(`${folder}/no CURRENT`)).map(({ name }) => name)
  expect(left).toEqual(expect.arrayContaining(pinned.tables.map(({ number }) => nameOfTable(number))))
  await pinned.release()
})

function withManifest(operation: FileOperation, bytes: Uint8Array): FileOperation {
  const isManifest = operation.type === 'writeNew' && operation.path.includes('MANIFEST')
  return isManifest ? { ...operation, bytes } : operation
}

test('a MANIFEST of ours in which a single bit is wrong opens no store', async () => {
  const { store, folder, files } = await openStore()
  await store.write(operations({ a: '1', b: '2' }))
  const pinned = await store.pinTables()
  const { name, bytes, current } = manifestOf(pinned)
  let opened = 0
  for (let bit = 0; bit < bytes.length * 8; bit += 17) {
    const path = `${folder}/bit-${bit}`
    await copyTables(pinned, path)
    const damaged = Uint8Array.from(bytes)
    damaged[bit >> 3] = (damaged[bit >> 3] as number) ^ (1 << (bit & 7))
    await files.execute([
      { type: 'writeNew', path: `${path}/${name}`, bytes: damaged },
      { type: 'writeNew', path: `${path}/CURRENT`, bytes: current },
    ])
    const database = new Level(path, { createIfMissing: false })
    await database.open().then(
      () => opened++,
      () => {},
    )
    await database.close()
  }
  expect(opened).toBe(0)
  await pinned.release()
})
