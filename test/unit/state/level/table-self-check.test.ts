import { expect, test } from 'vitest'
import type { OrderedStores } from '../../../../src/base/ordered-store.ts'
import { SimulatedFileSystem } from '../../../../src/base/simulated-file-system.ts'
import { simulatedStores } from '../../../../src/base/simulated-ordered-stores.ts'
import { classicStores } from '../../../../src/state/level/classic-stores.ts'
import { tablesCanBePinned } from '../../../../src/state/level/table-self-check.ts'
import { bytes, diskFolder } from './disk-folder.ts'

test('LevelDB as it is installed here can pin its tables; the check leaves nothing behind', async () => {
  const { folder, files } = diskFolder()
  expect(await tablesCanBePinned(classicStores(files), files, folder)).toEqual({ possible: true })
  expect(await files.list(folder)).toEqual([])
})

test('the check runs once, however often it is asked for', async () => {
  const files = new SimulatedFileSystem()
  const stores = simulatedStores({ files })
  const answers = await Promise.all([1, 2].map(() => tablesCanBePinned(stores, files, '/scratch')))
  const { operations } = files
  answers.push(await tablesCanBePinned(stores, files, '/elsewhere'))
  expect(answers).toEqual(Array(3).fill({ possible: true }))
  expect(files.operations).toBe(operations)
})

/** Stores that are right but for what `wrong` replaces. */
function wrongStores(
  files: SimulatedFileSystem,
  wrong: (right: OrderedStores) => Partial<OrderedStores>,
): OrderedStores {
  const right = simulatedStores({ files })
  return { ...right, ...wrong(right) }
}

const WRONG: Readonly<Record<string, (right: OrderedStores) => Partial<OrderedStores>>> = {
  'cannot be pinned': (right) => ({
    open: async (...given) => {
      const store = await right.open(...given)
      store.pinTables = () => Promise.reject(new Error('no moment matches'))
      return store
    },
  }),
  'cannot be opened again': () => ({ reopen: () => Promise.reject(new Error('corrupt')) }),
  'hold less than was written': (right) => ({
    reopen: async (...given) => {
      const store = await right.reopen(...given)
      await store.write([{ key: bytes('z'), value: undefined }])
      return store
    },
  }),
  'hold what was written after the pin': (right) => ({
    reopen: async (...given) => {
      const store = await right.reopen(...given)
      await store.write([{ key: bytes('later'), value: bytes('later') }])
      return store
    },
  }),
}

for (const [how, wrong] of Object.entries(WRONG)) {
  test(`where tables ${how}, the check says so and why`, async () => {
    const files = new SimulatedFileSystem()
    const check = await tablesCanBePinned(wrongStores(files, wrong), files, '/scratch')
    expect(check).toEqual({ possible: false, reason: expect.any(Error) })
    expect(await files.list('/scratch')).toEqual([])
  })
}

test('stores that keep no tables are not asked', async () => {
  const files = new SimulatedFileSystem()
  expect(await tablesCanBePinned(simulatedStores(), files, '/scratch')).toMatchObject({ possible: false })
  expect(files.operations).toBe(0)
})
