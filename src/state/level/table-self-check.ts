/**
 * Tries once on a tiny store what incremental checkpoints hang on: that tables which were pinned, copied and opened anew
 * hold just what was written. It rests on LevelDB's own files, so nobody takes it for granted.
 */
import type { FileSystem } from '../../base/file-system.ts'
import {
  nameOfTable,
  type OrderedStore,
  type OrderedStores,
  type StoreOperation,
  type StoreSettings,
} from '../../base/ordered-store.ts'

export type TableSelfCheck =
  | { readonly possible: true }
  /** `reason`: what went wrong, for the log. Bases are written out entry by entry then. */
  | { readonly possible: false; readonly reason: unknown }

const SETTINGS: StoreSettings = { writeBufferBytes: 64 * 1024, blockCacheBytes: 64 * 1024 }

const checks = new WeakMap<OrderedStores, Promise<TableSelfCheck>>()

/**
 * Never rejects. Runs once for each `stores`, whatever the folder of later calls.
 * @param folder in which it may make folders, and removes them.
 */
export function tablesCanBePinned(stores: OrderedStores, files: FileSystem, folder: string): Promise<TableSelfCheck> {
  let check = checks.get(stores)
  if (check === undefined) {
    check = tryOut(stores, files, folder)
    checks.set(stores, check)
  }
  return check
}

async function tryOut(stores: OrderedStores, files: FileSystem, folder: string): Promise<TableSelfCheck> {
  if (!stores.keepsTables) return { possible: false, reason: new Error('these stores keep no tables') }
  const source = `${folder}/self-check`
  const copy = `${folder}/self-check-copy`
  try {
    await writeAndCopy(stores, files, source, copy)
    return { possible: true }
  } catch (reason) {
    // Whatever it is: nobody is to rely on tables then.
    return { possible: false, reason }
  } finally {
    await files.execute([source, copy].map((path) => ({ type: 'remove', path }))).catch(() => {
      // They lie in a scratch folder, which is removed as a whole.
    })
  }
}

async function writeAndCopy(stores: OrderedStores, files: FileSystem, source: string, copy: string): Promise<void> {
  const store = await stores.open(source, SETTINGS)
  try {
    await store.write(put('a', 'old', '\0\xff', 'kept', '\\"', 'gone'))
    await (await store.pinTables()).release()
    await store.write([...put('a', 'new', 'z', 'last'), { key: bytesOf('\\"'), value: undefined }])
    const pinned = await store.pinTables()
    try {
      await store.write(put('a', 'later', 'later', 'later'))
      await files.execute([{ type: 'makeFolder', path: copy }])
      for (const table of pinned.tables) {
        const bytes = await files.read(pinned.pathOf(table))
        await files.execute([{ type: 'writeNew', path: `${copy}/${nameOfTable(table.number)}`, bytes }])
      }
      await compare(await stores.reopen(copy, pinned, SETTINGS))
    } finally {
      await pinned.release()
    }
  } finally {
    await store.close()
  }
}

async function compare(reopened: OrderedStore): Promise<void> {
  try {
    await reopened.write(put('b', 'added'))
    const view = reopened.snapshot()
    const found: string[] = []
    for await (const page of view.scan({ pageBytes: 1024 }))
      for (const entry of page) found.push(entry.map((bytes) => Buffer.from(bytes).toString('latin1')).join('='))
    view.release()
    const expected = ['\0\xff=kept', 'a=new', 'b=added', 'z=last']
    if (JSON.stringify(found) !== JSON.stringify(expected))
      throw new Error(`the copy holds ${JSON.stringify(found)} and not ${JSON.stringify(expected)}`)
  } finally {
    await reopened.close()
  }
}

/** Keys and values by turns. */
function put(...texts: readonly string[]): StoreOperation[] {
  return texts.flatMap((text, at) => {
    const value = texts[at + 1]
    return at % 2 === 1 || value === undefined ? [] : [{ key: bytesOf(text), value: bytesOf(value) }]
  })
}

function bytesOf(text: string): Uint8Array {
  return Buffer.from(text, 'latin1')
}
