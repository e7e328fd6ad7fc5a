import { existsSync, mkdirSync, readdirSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { classicStores } from '../../../../src/state/level/classic-stores.ts'
import { bytes, closing, contents, diskFolder, operations, SETTINGS, text } from './disk-folder.ts'

async function openStore() {
  const { folder, files } = diskFolder()
  const stores = classicStores(files)
  const store = closing(await stores.open(`${folder}/store`, SETTINGS))
  return { stores, store, folder, files }
}

test('what a settled batch wrote is read at once, and what it removed is gone', async () => {
  const { store } = await openStore()
  await store.write(operations({ a: '1', b: '2' }))
  await store.write(operations({ a: undefined, b: '3', empty: '' }))
  expect(['a', 'b', 'empty', 'never'].map((key) => text(store.get(bytes(key))))).toEqual([
    undefined,
    '3',
    '',
    undefined,
  ])
})

test('a batch that has not settled is seen as a whole or not at all, and is seen when it has settled', async () => {
  const { store } = await openStore()
  for (let round = 1; round <= 50; round++) {
    const writing = store.write(operations({ first: String(round), last: String(round) }))
    const seen = await contents(store)
    expect(new Set(seen.map(([, value]) => value)).size).toBeLessThan(2)
    expect(seen.length === 0 || seen.length === 2).toBe(true)
    await writing
    expect(text(store.get(bytes('last')))).toBe(String(round))
  }
})

test('a view stays as it was when it was taken, and scans a range in pages', async () => {
  const { store } = await openStore()
  await store.write(operations({ a: '1', b: '2', ba: '3', c: '4' }))
  const view = store.snapshot()
  await store.write(operations({ b: 'later', bb: 'later' }))
  const pages: number[] = []
  const found: (string | undefined)[] = []
  for await (const page of view.scan({ from: bytes('b'), below: bytes('c'), pageBytes: 1 })) {
    pages.push(page.length)
    for (const entry of page) found.push(entry.map(text).join('='))
  }
  expect({ found, pages }).toEqual({ found: ['b=2', 'ba=3'], pages: [1, 1] })
  view.release()
  await expect(view.scan({ pageBytes: 1 })[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'FILE_ERROR' })
})

test('a scan whose view was released gets no further page, and a store with a scan on its way can be closed', async () => {
  const { store } = await openStore()
  await store.write(operations({ a: '1', b: '2', c: '3' }))
  const view = store.snapshot()
  const [one, other] = [1, 2].map(() => view.scan({ pageBytes: 1 })[Symbol.asyncIterator]()) as [Scan, Scan]
  await Promise.all([one.next(), other.next()])
  view.release()
  await expect(one.next()).rejects.toMatchObject({ code: 'FILE_ERROR' })
  await store.close()
  await expect(other.next()).rejects.toMatchObject({ code: 'FILE_ERROR' })
})

type Scan = AsyncIterator<unknown>

test('batches and pins come one at a time', async () => {
  const { store } = await openStore()
  const first = store.write(operations({ a: '1' }))
  await expect(store.write(operations({ b: '2' }))).rejects.toMatchObject({ code: 'INTERNAL' })
  await expect(store.pinTables()).rejects.toMatchObject({ code: 'INTERNAL' })
  await first
  expect(await contents(store)).toEqual([['a', '1']])
})

test('closing waits for the batch that is under way; after it everything is refused', async () => {
  const { store, folder } = await openStore()
  const writing = store.write(operations({ a: '1' }))
  await Promise.all([store.close(), store.close()])
  await writing
  const refusal = { code: 'FILE_ERROR', details: { path: `${folder}/store` } }
  expect(() => store.get(bytes('a'))).toThrow(expect.objectContaining({ code: 'FILE_ERROR' }))
  expect(() => store.snapshot()).toThrow(expect.objectContaining({ code: 'FILE_ERROR' }))
  await expect(store.write(operations({ b: '2' }))).rejects.toMatchObject(refusal)
  await expect(store.pinTables()).rejects.toMatchObject(refusal)
})

test('closing waits for the pin that is under way', async () => {
  const { store } = await openStore()
  await store.write(operations({ a: '1' }))
  const pinning = store.pinTables()
  await store.close()
  expect((await pinning).lastSequence).toBe('1')
})

test('tables that are pinned outlive the store, and are released after it without harm', async () => {
  const { store } = await openStore()
  await store.write(operations({ a: '1' }))
  const pinned = await store.pinTables()
  await store.close()
  expect(pinned.tables.map((table) => existsSync(pinned.pathOf(table)))).toEqual([true])
  await pinned.release()
  await pinned.release()
})

test('a new store is opened in an empty folder only: tables without CURRENT are not taken for an empty store', async () => {
  const { stores, store, folder, files } = await openStore()
  await store.write(operations({ a: '1' }))
  await (await store.pinTables()).release()
  await store.close()
  rmSync(`${folder}/store/CURRENT`)
  const before = await files.list(`${folder}/store`)
  await expect(stores.open(`${folder}/store`, SETTINGS)).rejects.toMatchObject({
    code: 'FILE_ERROR',
    message: expect.stringContaining('is there already'),
  })
  expect(await files.list(`${folder}/store`)).toEqual(before)
})

test('a folder that is a file, and one that cannot be made, are refused with the code of the system', async () => {
  const { stores, folder } = await openStore()
  writeFileSync(`${folder}/file`, '')
  await expect(stores.open(`${folder}/file`, SETTINGS)).rejects.toMatchObject({ details: { systemCode: 'EEXIST' } })
  await expect(stores.open(`${folder}/file/store`, SETTINGS)).rejects.toMatchObject({
    details: { systemCode: 'ENOTDIR' },
  })
})

/** LevelDB cannot begin another log file then, which it needs when it writes its buffer out. */
function blockNextLogs(folder: string): void {
  for (let number = 4; number < 40; number++) {
    const path = `${folder}/${String(number).padStart(6, '0')}.log`
    if (!existsSync(path)) mkdirSync(path)
  }
}

test('after a batch has failed nothing is written or pinned any more', async () => {
  const { store, folder } = await openStore()
  blockNextLogs(`${folder}/store`)
  const large = 'x'.repeat(SETTINGS.writeBufferBytes)
  await store.write(operations({ a: large }))
  await expect(store.write(operations({ b: large }))).rejects.toMatchObject({ code: 'FILE_ERROR' })
  // The disk is well again, and still nobody knows what is in the store.
  for (const name of readdirSync(`${folder}/store`))
    if (statSync(`${folder}/store/${name}`).isDirectory()) rmdirSync(`${folder}/store/${name}`)
  await expect(store.write(operations({ c: '3' }))).rejects.toMatchObject({ code: 'FILE_ERROR' })
  await expect(store.pinTables()).rejects.toMatchObject({ code: 'FILE_ERROR' })
})

test('a write buffer that LevelDB could not write out is not passed off as pinned', async () => {
  const { store, folder } = await openStore()
  await store.write(operations({ a: '1' }))
  await (await store.pinTables()).release()
  blockNextLogs(`${folder}/store`)
  await store.write(operations({ b: '2' }))
  await expect(store.pinTables()).rejects.toMatchObject({
    code: 'FILE_ERROR',
    message: expect.stringContaining('the tables hold 1 writes, and there were 2'),
  })
})
