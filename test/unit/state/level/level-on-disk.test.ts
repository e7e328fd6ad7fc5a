/** The backend on real LevelDB: what is evicted is read back, bases are made of table files, and nothing is left behind. */
import { existsSync, readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { OrderedStore, OrderedStores } from '../../../../src/base/ordered-store.ts'
import { VirtualClock } from '../../../../src/base/virtual-clock.ts'
import { ListStateDescriptor, ValueStateDescriptor } from '../../../../src/state/descriptors.ts'
import { keyGroupRanges } from '../../../../src/state/key-groups.ts'
import { classicStores } from '../../../../src/state/level/classic-stores.ts'
import { decodeIndex } from '../../../../src/state/level/level-index.ts'
import type { StateHandle } from '../../../../src/state/snapshot.ts'
import type { KeyedStateBackend, StoredKeyedState } from '../../../../src/state/state-backend.ts'
import { diskFolder } from './disk-folder.ts'
import { levelBackends } from './level-backends.ts'
import { JobShelf } from './shelf-of-a-job.ts'

const MAX_PARALLELISM = 16
const WHOLE = { first: 0, last: MAX_PARALLELISM - 1 }
const KEYS = 3000
const VALUE = new ValueStateDescriptor<string>('v')
const LIST = new ListStateDescriptor<number>('l')

function backendsOn(cacheBytes: number) {
  const { folder, files } = diskFolder()
  const { stores, settled } = watched(classicStores(files))
  const create = levelBackends({ cacheBytes, stores, files, folder: `${folder}/backend` })
  return {
    folder,
    settled,
    open: (keyGroups = WHOLE) => create({ maxParallelism: MAX_PARALLELISM, keyGroups, clock: new VirtualClock() }),
  }
}

/** The same stores; `settled` waits for all that they have under way. */
function watched(stores: OrderedStores): { readonly stores: OrderedStores; settled(): Promise<void> } {
  const underWay = new Set<Promise<unknown>>()
  const watch = <T>(promise: Promise<T>): Promise<T> => {
    underWay.add(promise)
    const over = () => void underWay.delete(promise)
    promise.then(over, over)
    return promise
  }
  const watchedStore = (store: OrderedStore): OrderedStore => ({
    get: (key) => store.get(key),
    write: (operations) => watch(store.write(operations)),
    snapshot: () => store.snapshot(),
    pinTables: () => store.pinTables(),
    close: () => store.close(),
  })
  return {
    stores: {
      keepsTables: stores.keepsTables,
      open: (folder, settings) => watch(stores.open(folder, settings).then(watchedStore)),
      reopen: (folder, tables, settings) => stores.reopen(folder, tables, settings).then(watchedStore),
    },
    async settled() {
      while (underWay.size > 0) await Promise.all(underWay)
    },
  }
}

function fill(backend: KeyedStateBackend, from: number, below: number, round: number): void {
  const [value, list] = [backend.getState(VALUE), backend.getListState(LIST)]
  for (let key = from; key < below; key++) {
    backend.setCurrentKey(`key ${key}`)
    value.update(`${key} in round ${round}`)
    list.add(round)
  }
}

function contents(backends: readonly { readonly backend: KeyedStateBackend }[]): readonly unknown[] {
  const found: unknown[] = []
  for (let key = 0; key < KEYS; key++)
    for (const { backend } of backends) {
      backend.setCurrentKey(`key ${key}`)
      const value = backend.getState(VALUE).value()
      if (value !== undefined) found.push([key, value, [...backend.getListState(LIST).get()]])
    }
  return found
}

async function checkpoint(backend: KeyedStateBackend, id: number, shelf: JobShelf): Promise<StoredKeyedState> {
  const frozen = backend.freeze(id, 'checkpoint')
  while (!frozen.step(100));
  const handle = await frozen.write(shelf.target(id, backend.keyGroups))
  frozen.release()
  backend.checkpointCompleted(id)
  shelf.keepOnly([handle])
  return { keyGroups: backend.keyGroups, handle, reader: shelf, mayReuse: true }
}

async function baseOf(handle: StateHandle, shelf: JobShelf): Promise<string> {
  if (handle.type !== 'composite') return 'canonical'
  return decodeIndex(await shelf.read(handle.index), handle.parts.length).base.kind
}

test('a base of table files and deltas come back, at the same parallelism and at another one', async () => {
  const shelf = new JobShelf()
  const { folder, open, settled } = backendsOn(100_000)
  const backend = open()
  fill(backend, 0, KEYS, 1)
  await settled()
  let state = await checkpoint(backend, 1, shelf)
  expect(await baseOf(state.handle, shelf)).toBe('tables')
  for (let round = 2; round < 6; round++) {
    fill(backend, round * 100, round * 100 + 50, round)
    state = await checkpoint(backend, round, shelf)
  }
  const expected = contents([{ backend }])
  expect(expected).toHaveLength(KEYS)
  await backend.close()

  const halves = keyGroupRanges(MAX_PARALLELISM, 2).map((keyGroups) => ({
    backend: backendsOn(100_000).open(keyGroups),
  }))
  for (const { backend: half } of halves) await half.restore([state])
  expect(contents(halves)).toEqual(expected)
  for (const { backend: half } of halves) await half.close()

  const again = backendsOn(100_000)
  const second = again.open()
  await second.restore([state])
  expect(contents([{ backend: second }])).toEqual(expected)
  // It goes on with the same files, which nobody writes a second time.
  const files = shelf.fileCount
  fill(second, 0, 10, 6)
  const next = await checkpoint(second, 6, shelf)
  expect(next.handle.type === 'composite' && next.handle.parts.length).toBeGreaterThan(1)
  expect(shelf.fileCount).toBeLessThanOrEqual(files + 2)
  await second.close()
  expect(existsSync(`${again.folder}/backend`)).toBe(false)
  expect(readdirSync(folder)).toEqual([])
})
