import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { FileSystem } from '../../../../src/base/file-system.ts'
import { nameOfTable, type OrderedStores, type StoreSnapshot } from '../../../../src/base/ordered-store.ts'
import { SimulatedFileSystem } from '../../../../src/base/simulated-file-system.ts'
import { simulatedStores } from '../../../../src/base/simulated-ordered-stores.ts'
import { classicStores } from '../../../../src/state/level/classic-stores.ts'
import { bytes, contents, diskFolder, SETTINGS, text } from './disk-folder.ts'

/** Few and short, so that they meet; each may be the beginning of another. */
const key = fc
  .array(fc.constantFrom('\0', 'a', 'b', '\\', '"', '\xff'), { minLength: 1, maxLength: 3 })
  .map((all) => all.join(''))
const value = fc.option(fc.string({ maxLength: 6 }), { nil: undefined })

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant('write'), batch: fc.array(fc.tuple(key, value), { maxLength: 12 }) }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('view') }) },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('scan'),
      from: fc.option(key, { nil: undefined }),
      below: fc.option(key, { nil: undefined }),
      pageBytes: fc.integer({ min: 1, max: 40 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('release') }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('pin') }) },
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

/** Everything that a caller sees of these steps, as text. */
async function transcript(stores: OrderedStores, files: FileSystem, folder: string, steps: readonly Step[]) {
  const told: unknown[] = []
  let store = await stores.open(`${folder}/0`, SETTINGS)
  let views: StoreSnapshot[] = []
  for (const [at, step] of steps.entries()) {
    switch (step.type) {
      case 'write': {
        const { batch } = step as Extract<Step, { readonly batch: unknown }>
        await store.write(
          batch.map(([key, value]) => ({ key: bytes(key), value: value === undefined ? value : bytes(value) })),
        )
        told.push(batch.map(([key]) => text(store.get(bytes(key)))))
        break
      }
      case 'view':
        views.push(store.snapshot())
        break
      case 'release':
        views.pop()?.release()
        break
      case 'scan': {
        const { from, below, pageBytes } = step as Extract<Step, { readonly pageBytes: number }>
        const range = { from: maybe(from), below: maybe(below), pageBytes }
        for (const view of views) {
          // How many entries make a page is the store's own affair.
          for await (const page of view.scan(range)) told.push(...page.map((entry) => entry.map(text).join('=')))
          told.push('end of scan')
        }
        break
      }
      case 'pin': {
        const pinned = await store.pinTables()
        const next = `${folder}/${at + 1}`
        await files.execute([{ type: 'makeFolder', path: next }])
        for (const table of pinned.tables)
          await files.execute([
            { type: 'link', from: pinned.pathOf(table), to: `${next}/${nameOfTable(table.number)}` },
          ])
        told.push(pinned.lastSequence)
        for (const view of views.splice(0)) view.release()
        await pinned.release()
        await store.close()
        store = await stores.reopen(next, pinned, SETTINGS)
      }
    }
  }
  for (const view of views) view.release()
  views = []
  told.push(await contents(store))
  await store.close()
  return told
}

function maybe(key: string | undefined): Uint8Array | undefined {
  return key === undefined ? undefined : bytes(key)
}

test('LevelDB and the simulated stores answer the same, whatever is asked of them', async () => {
  const { folder, files } = diskFolder()
  let run = 0
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const simulated = new SimulatedFileSystem()
      const expected = await transcript(simulatedStores({ files: simulated }), simulated, '/store', steps)
      expect(await transcript(classicStores(files), files, `${folder}/${run++}`, steps)).toEqual(expected)
    }),
    { numRuns: 25, seed: 1 },
  )
})
