/** The same records on both backends give the same canonical savepoint, entry for entry, and each restores the other's. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { VirtualClock } from '../../../../src/base/virtual-clock.ts'
import { ListStateDescriptor, MapStateDescriptor, ValueStateDescriptor } from '../../../../src/state/descriptors.ts'
import type { KeyedHeader } from '../../../../src/state/keyed-format.ts'
import { forEachEntry, readKeyedState } from '../../../../src/state/keyed-stream-reader.ts'
import { memoryStateBackend } from '../../../../src/state/memory/memory-state-backend.ts'
import type { KeyedStateBackend, StoredKeyedState } from '../../../../src/state/state-backend.ts'
import { snapshotOf } from '../../../../src/testing/keyed-snapshot.ts'
import { levelBackends } from './level-backends.ts'
import { KEYS } from './level-model.ts'

const MAX_PARALLELISM = 8
const WHOLE = { first: 0, last: MAX_PARALLELISM - 1 }
const TTL = { ttl: 50 } as const
const VALUE = new ValueStateDescriptor<unknown>('v', { ttl: TTL })
const LIST = new ListStateDescriptor<number>('l', { ttl: { ...TTL, cleanupFullSnapshot: true } })
const PLAIN_LIST = new ListStateDescriptor<number>('p')
const MAP = new MapStateDescriptor<string, number>('m')
const TTL_MAP = new MapStateDescriptor<string, number>('t', { ttl: { ...TTL, updateType: 'OnReadAndWrite' } })

type Step = readonly [what: number, key: number, value: number]

/** One after the other, on a clock that moves. Gives what each step read. */
function run(backend: KeyedStateBackend, clock: VirtualClock, steps: readonly Step[]): readonly unknown[] {
  return steps.map(([what, key, value]) => {
    backend.setCurrentKey(KEYS[key % KEYS.length])
    switch (what) {
      case 0:
        return backend.getState(VALUE).update(value)
      case 1:
        return backend.getListState(LIST).add(value)
      case 2:
        return void backend.getMapState(MAP).set(`${value % 5}`, value)
      case 3:
        return backend.getMapState(MAP).delete(`${value % 5}`)
      case 7:
        return void backend.getMapState(TTL_MAP).set(`${value % 5}`, value)
      case 8:
        return [backend.getMapState(TTL_MAP).delete(`${value % 5}`), backend.getMapState(TTL_MAP).has(`${value % 4}`)]
      case 9:
        return [...backend.getMapState(TTL_MAP)]
      case 11:
        return void backend.getListState(PLAIN_LIST).addAll([value, value + 1])
      case 12:
        return [...backend.getListState(PLAIN_LIST).get()]
      case 10:
        return changedWhileRead(backend, value)
      case 4:
        return backend.getListState(LIST).clear()
      case 5:
        return clock.advance(value % 20)
      default:
        return [backend.getState(VALUE).value(), [...backend.getListState(LIST).get()], [...backend.getMapState(MAP)]]
    }
  })
}

/** The map as an iterator shows it that meets changes: keys that go, keys that come, and keys that go and come again. */
function changedWhileRead(backend: KeyedStateBackend, value: number): readonly unknown[] {
  const map = backend.getMapState(MAP)
  const seen: unknown[] = []
  for (const [key, found] of map) {
    seen.push([key, found])
    if (seen.length > 12) break
    if (value % 2 === 0) map.delete(`${(value + seen.length) % 5}`)
    if (value % 3 === 0) map.set(`${(value * seen.length) % 7}`, value)
    if (value % 7 === 0) map.delete(key)
  }
  return seen
}

/** Of a canonical snapshot: table, key and value of each, in order. */
async function entriesOf(state: StoredKeyedState): Promise<readonly string[]> {
  const entries = new Set<string>()
  let tables: KeyedHeader['tables'] = []
  await readKeyedState(state, WHOLE, {
    header: (header) => {
      tables = header.tables
    },
    blob: (blob) =>
      forEachEntry(blob, (number, key, value) => {
        const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
        entries.add(`${blob.keyGroup} ${JSON.stringify(tables[number])} ${text(key)} ${text(value)}`)
      }),
  })
  return [...entries].sort()
}

const step = fc.tuple(fc.nat(12), fc.nat(KEYS.length - 1), fc.nat(100))

test.each([
  { what: 'small maps', partSizes: undefined },
  { what: 'maps in parts', partSizes: { mostEntries: 1, mostBytes: 1024, chunkKeys: 2 } },
])('both read the same, and write the same entries, with $what', async ({ partSizes }) => {
  const level = levelBackends({ cacheBytes: 1500, partSizes })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 200, size: 'max' }), fc.array(step), async (before, after) => {
      const clocks = [new VirtualClock(), new VirtualClock()] as const
      const options = { maxParallelism: MAX_PARALLELISM, keyGroups: WHOLE }
      const first = [
        memoryStateBackend({ ...options, clock: clocks[0] }),
        level({ ...options, clock: clocks[1] }),
      ] as const
      expect(run(first[1], clocks[1], before)).toEqual(run(first[0], clocks[0], before))
      const savepoints = [
        await snapshotOf(first[0], 1, 'canonical'),
        await snapshotOf(first[1], 1, 'canonical'),
      ] as const
      expect(await living(savepoints[1])).toEqual(await living(savepoints[0]))
      // Each goes on from what the other wrote.
      const second = [
        memoryStateBackend({ ...options, clock: clocks[0] }),
        level({ ...options, clock: clocks[1] }),
      ] as const
      await second[0].restore([savepoints[1]])
      await second[1].restore([savepoints[0]])
      expect(run(second[1], clocks[1], after)).toEqual(run(second[0], clocks[0], after))
      for (const backend of [...first, ...second]) await backend.close()
    }),
    { numRuns: Number(process.env.MILLRACE_RUNS ?? 40), ...(process.env.MILLRACE_RUNS === undefined && { seed: 2 }) },
  )
})

/** When what has expired is removed is not the same: it is not to be seen, and does not count. */
async function living(state: StoredKeyedState): Promise<readonly string[]> {
  return (await entriesOf(state)).filter((entry) => !/"name":"[vt]"/.test(entry))
}
