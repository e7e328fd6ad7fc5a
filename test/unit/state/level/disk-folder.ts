/** For tests of real stores: a folder of the real disk that is gone afterwards, and short words for bytes. */
import { mkdtempSync, rmSync } from 'node:fs'
import { copyFile, mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach } from 'vitest'
import type { FileSystem } from '../../../../src/base/file-system.ts'
import { nodeFileSystem } from '../../../../src/base/node-file-system.ts'
import {
  nameOfTable,
  type OrderedStore,
  type PinnedTables,
  type StoreOperation,
} from '../../../../src/base/ordered-store.ts'

export const SETTINGS = { writeBufferBytes: 64 * 1024, blockCacheBytes: 64 * 1024 }

const folders: string[] = []
const disks: { stop(): Promise<void> }[] = []
const stores: OrderedStore[] = []

afterEach(async () => {
  await Promise.all(stores.splice(0).map((store) => store.close()))
  for (const disk of disks.splice(0)) await disk.stop()
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

/** Both are cleaned away after the test. */
export function diskFolder(): { readonly folder: string; readonly files: FileSystem } {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-level-'))
  folders.push(folder)
  const files = nodeFileSystem()
  disks.push(files)
  return { folder, files }
}

/** Closed after the test at the latest. */
export function closing<T extends OrderedStore>(store: T): T {
  stores.push(store)
  return store
}

/** Without fsync: nothing of a test outlives its process. */
export async function copyTables(pinned: PinnedTables, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  for (const table of pinned.tables) await copyFile(pinned.pathOf(table), join(folder, nameOfTable(table.number)))
}

/** latin1, so that every byte can be written. */
export function bytes(text: string): Uint8Array {
  return Buffer.from(text, 'latin1')
}

export function text(found: Uint8Array | undefined): string | undefined {
  return found === undefined ? undefined : Buffer.from(found).toString('latin1')
}

/** `undefined`: the key is removed. */
export function operations(entries: Readonly<Record<string, string | undefined>>): StoreOperation[] {
  return Object.entries(entries).map(([key, value]) => ({
    key: bytes(key),
    value: value === undefined ? undefined : bytes(value),
  }))
}

/** All entries in the store's order. */
export async function contents(store: OrderedStore): Promise<[key: string, value: string][]> {
  const view = store.snapshot()
  const found: [string, string][] = []
  for await (const page of view.scan({ pageBytes: 64 * 1024 }))
    for (const [key, value] of page) found.push([text(key) as string, text(value) as string])
  view.release()
  return found
}
