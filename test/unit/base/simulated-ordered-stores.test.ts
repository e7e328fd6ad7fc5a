import { expect, test } from 'vitest'
import { nameOfTable, type OrderedStore } from '../../../src/base/ordered-store.ts'
import { SimulatedFileSystem } from '../../../src/base/simulated-file-system.ts'
import { type SimulatedStoreFaults, simulatedStores } from '../../../src/base/simulated-ordered-stores.ts'
import { eventLoopTurns } from '../../../src/base/turns.ts'

const SETTINGS = { writeBufferBytes: 1, blockCacheBytes: 1 }

const batch = (key: string, value: string | undefined) => [
  { key: Buffer.from(key), value: value === undefined ? undefined : Buffer.from(value) },
]
const read = (store: OrderedStore, key: string) => {
  const found = store.get(Buffer.from(key))
  return found && Buffer.from(found).toString()
}

test('a batch that nobody has waited for is not seen', async () => {
  for (const turns of [undefined, eventLoopTurns()]) {
    const store = await simulatedStores({ turns }).open('/store', SETTINGS)
    const writing = store.write(batch('a', '1'))
    await Promise.resolve()
    expect(read(store, 'a')).toBeUndefined()
    await writing
    expect(read(store, 'a')).toBe('1')
  }
})

test('whoever changes a batch before it has settled finds the change in the store', async () => {
  const store = await simulatedStores().open('/store', SETTINGS)
  const operations = batch('a', '1')
  const writing = store.write(operations)
  operations[0]?.value?.fill('x')
  await writing
  expect(read(store, 'a')).toBe('x')
})

async function faultyStore(faults: SimulatedStoreFaults): Promise<OrderedStore> {
  const store = await simulatedStores({ files: new SimulatedFileSystem(), faults }).open('/store', SETTINGS)
  await store.write(batch('a', '1'))
  return store
}

const failAt = (at: number) => (count: number) => {
  if (count === at) throw Object.assign(new Error('no room'), { code: 'ENOSPC' })
}

test('a batch that fails is in or not, as asked, and nothing is written or pinned after it', async () => {
  for (const [faults, seen] of [
    [{ beforeWrite: failAt(2) }, '1'],
    [{ afterWrite: failAt(2) }, '2'],
  ] as const) {
    const store = await faultyStore(faults)
    const refusal = { code: 'FILE_ERROR', details: { systemCode: 'ENOSPC' } }
    await expect(store.write(batch('a', '2'))).rejects.toMatchObject(refusal)
    expect(read(store, 'a')).toBe(seen)
    await expect(store.write(batch('a', '3'))).rejects.toMatchObject(refusal)
    await expect(store.pinTables()).rejects.toMatchObject(refusal)
  }
})

test('a batch that hangs keeps everything else out until it goes on', async () => {
  let goOn = () => {}
  const hanging = new Promise<void>((resolve) => {
    goOn = resolve
  })
  const store = await faultyStore({ beforeWrite: (count) => (count === 2 ? hanging : undefined) })
  const writing = store.write(batch('a', '2'))
  await expect(store.write(batch('a', '3'))).rejects.toMatchObject({ code: 'INTERNAL' })
  let closed = false
  const closing = store.close().then(() => {
    closed = true
  })
  await new Promise<void>((resolve) => eventLoopTurns().next(resolve))
  expect(closed).toBe(false)
  goOn()
  await Promise.all([writing, closing])
})

test('a pin that fails leaves the store as it was', async () => {
  const store = await faultyStore({ beforePin: failAt(1) })
  await expect(store.pinTables()).rejects.toMatchObject({ code: 'FILE_ERROR' })
  await store.write(batch('b', '2'))
  expect((await store.pinTables()).lastSequence).toBe('2')
})

test('tables are files, are merged as they grow in number, and stay while a pin holds them', async () => {
  const files = new SimulatedFileSystem()
  const store = await simulatedStores({ files }).open('/store', SETTINGS)
  const tables = async () => (await files.list('/store')).map(({ name }) => name)
  await store.write(batch('a', '1'))
  const first = await store.pinTables()
  const [table] = first.tables
  for (let round = 2; round < 7; round++) {
    await store.write(batch('a', String(round)))
    await (await store.pinTables()).release()
  }
  expect(await tables()).toContain(nameOfTable(table?.number ?? 0))
  await first.release()
  await first.release()
  expect(await tables()).not.toContain(nameOfTable(table?.number ?? 0))
  const last = await store.pinTables()
  expect(await tables()).toEqual(last.tables.map(({ number }) => nameOfTable(number)))
  await store.close()
  const again = await simulatedStores({ files }).reopen('/store', last, SETTINGS)
  expect(read(again, 'a')).toBe('6')
})

test('tables of another length, and folders that hold something else, are not opened', async () => {
  const files = new SimulatedFileSystem()
  const stores = simulatedStores({ files })
  const store = await stores.open('/store', SETTINGS)
  await store.write(batch('a', '1'))
  const pinned = await store.pinTables()
  const longer = { ...pinned, tables: pinned.tables.map((table) => ({ ...table, length: table.length + 1 })) }
  await expect(stores.reopen('/store', longer, SETTINGS)).rejects.toMatchObject({ code: 'FILE_ERROR' })
  await expect(stores.reopen('/store', { ...pinned, tables: [] }, SETTINGS)).rejects.toMatchObject({
    code: 'FILE_ERROR',
  })
  await expect(stores.open('/store', SETTINGS)).rejects.toMatchObject({ code: 'FILE_ERROR' })
  await expect(simulatedStores().reopen('/store', pinned, SETTINGS)).rejects.toMatchObject({ code: 'FILE_ERROR' })
})

test('after closing everything is refused, and a released view shows nothing', async () => {
  const store = await simulatedStores().open('/store', SETTINGS)
  await store.write([...batch('a', '1'), ...batch('b', '2')])
  const view = store.snapshot()
  const scan = view.scan({ pageBytes: 1 })[Symbol.asyncIterator]()
  await scan.next()
  view.release()
  await expect(scan.next()).rejects.toMatchObject({ code: 'FILE_ERROR' })
  await store.close()
  expect(() => store.get(Buffer.from('a'))).toThrow('was closed')
  expect(() => store.snapshot()).toThrow('was closed')
  await expect(store.write(batch('a', '2'))).rejects.toMatchObject({ code: 'FILE_ERROR' })
})
