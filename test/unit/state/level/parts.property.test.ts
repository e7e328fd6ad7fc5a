/** Large maps and lists of the `leveldb` backend against a Map and an array, with iterators that are open while they change. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { VirtualClock } from '../../../../src/base/virtual-clock.ts'
import { ListStateDescriptor, MapStateDescriptor } from '../../../../src/state/descriptors.ts'
import type { SnapshotFormat } from '../../../../src/state/snapshot.ts'
import type { KeyedStateBackend } from '../../../../src/state/state-backend.ts'
import { snapshotOf } from '../../../../src/testing/keyed-snapshot.ts'
import { levelBackends } from './level-backends.ts'

const MAX_PARALLELISM = 4
const WHOLE = { first: 0, last: MAX_PARALLELISM - 1 }
const MAP = new MapStateDescriptor<unknown, number>('m')
const LIST = new ListStateDescriptor<number>('l')
const USER_KEYS: readonly unknown[] = [
  0,
  1,
  '1',
  1n,
  true,
  'true',
  Number.NaN,
  '',
  '\u0000p',
  [1],
  0.5,
  'ü\ud800',
  'x',
  'y',
]

type Step =
  | { readonly type: 'set' | 'delete'; readonly key: number; readonly value: number }
  | { readonly type: 'open' | 'next' | 'clear' | 'add' | 'clearList' | 'update' | 'evict'; readonly value: number }
  | { readonly type: 'pass' }
  | { readonly type: 'restore'; readonly format: SnapshotFormat }

const value = fc.nat(100)
const of = <T extends Step['type']>(type: T) => fc.record({ type: fc.constant(type), value })
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({ type: fc.constant('set' as const), key: fc.nat(USER_KEYS.length - 1), value }),
  },
  {
    weight: 8,
    arbitrary: fc.record({ type: fc.constant('delete' as const), key: fc.nat(USER_KEYS.length - 1), value }),
  },
  { weight: 3, arbitrary: of('open') },
  { weight: 12, arbitrary: of('next') },
  { weight: 1, arbitrary: of('clear') },
  { weight: 6, arbitrary: of('add') },
  { weight: 1, arbitrary: of('clearList') },
  { weight: 1, arbitrary: of('update') },
  { weight: 3, arbitrary: of('evict') },
  { weight: 1, arbitrary: fc.constant({ type: 'pass' as const }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('restore' as const),
      format: fc.constantFrom('canonical' as const, 'native' as const, 'full' as const),
    }),
  },
)

interface Iterators {
  readonly found: Iterator<unknown>
  readonly expected: Iterator<unknown>
}

class Pair {
  readonly #create: ReturnType<typeof levelBackends>
  readonly #keepsIterators: boolean
  readonly #clock = new VirtualClock()
  #backend: KeyedStateBackend
  #map = new Map<unknown, number>()
  #list: number[] = []
  #iterators: Iterators[] = []
  #snapshots = 0

  constructor(create: ReturnType<typeof levelBackends>, keepsIterators: boolean) {
    this.#create = create
    this.#keepsIterators = keepsIterators
    this.#backend = this.#open()
  }

  async run(step: Step): Promise<void> {
    const backend = this.#backend
    const map = backend.getMapState(MAP)
    const list = backend.getListState(LIST)
    switch (step.type) {
      case 'set':
        map.set(USER_KEYS[step.key], step.value)
        this.#map.set(USER_KEYS[step.key], step.value)
        break
      case 'delete':
        expect(map.delete(USER_KEYS[step.key])).toBe(this.#map.delete(USER_KEYS[step.key]))
        // A map without entries is not kept: iterators have come to their end.
        if (this.#map.size === 0) this.#map = new Map()
        break
      case 'clear':
        map.clear()
        this.#map.clear()
        this.#map = new Map()
        break
      case 'open':
        // There is no map yet into which the keys to come could go.
        this.#iterators.push({
          found: map.entries(),
          expected: this.#map.size === 0 ? [].values() : this.#map.entries(),
        })
        this.#iterators.push({ found: list.get()[Symbol.iterator](), expected: [...this.#list].values() })
        break
      case 'next': {
        const { found, expected } = this.#iterators[step.value % Math.max(1, this.#iterators.length)] ?? {}
        expect(found?.next()).toEqual(expected?.next())
        break
      }
      case 'add':
        list.add(step.value)
        this.#list.push(step.value)
        break
      case 'clearList':
        list.clear()
        this.#list = []
        break
      case 'update':
        this.#list = [...this.#list.slice(step.value % 3), step.value]
        list.update(this.#list)
        break
      case 'evict':
        if (!this.#keepsIterators) this.#iterators = []
        backend.setCurrentKey('other')
        backend.setCurrentKey('k')
        break
      case 'pass':
        // Elements of lists are there for the turn in which somebody asked for them.
        this.#iterators = []
        await passTime(this.#clock)
        break
      case 'restore':
        await this.#restore(step.format)
    }
  }

  check(): void {
    const map = this.#backend.getMapState(MAP)
    expect([...map]).toEqual([...this.#map])
    expect([...map.keys()]).toEqual([...this.#map.keys()])
    expect(map.isEmpty()).toBe(this.#map.size === 0)
    for (const key of USER_KEYS) expect([map.get(key), map.has(key)]).toEqual([this.#map.get(key), this.#map.has(key)])
    const elements = this.#backend.getListState(LIST).get()
    expect([...elements]).toEqual(this.#list)
    expect([...elements]).toEqual(this.#list)
    expect(this.#backend.keysOf('m')).toEqual(this.#map.size === 0 ? [] : ['k'])
    expect(this.#backend.keysOf('l')).toEqual(this.#list.length === 0 ? [] : ['k'])
  }

  async #restore(format: SnapshotFormat): Promise<void> {
    const stored = await snapshotOf(this.#backend, ++this.#snapshots, format)
    await this.#backend.close()
    this.#backend = this.#open()
    await this.#backend.restore([stored])
    this.#iterators = []
    this.#backend.setCurrentKey('k')
    this.check()
  }

  #open(): KeyedStateBackend {
    const backend = this.#create({ maxParallelism: MAX_PARALLELISM, keyGroups: WHOLE, clock: this.#clock })
    backend.setCurrentKey('k')
    return backend
  }

  async close(): Promise<void> {
    await this.#backend.close()
  }
}

async function passTime(clock: VirtualClock): Promise<void> {
  for (let i = 0; i < 10; i++) {
    clock.advance(10)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

test.each([
  { what: 'they become large on the way', mostEntries: 3, cacheBytes: 1500, keepsIterators: false },
  { what: 'they are always in parts, and all is evicted', mostEntries: 0, cacheBytes: 0, keepsIterators: true },
])(
  'maps and lists hold what a Map and an array do, whatever changes under their iterators: $what',
  async ({ mostEntries, cacheBytes, keepsIterators }) => {
    const create = levelBackends({ cacheBytes, partSizes: { mostEntries, mostBytes: 10_000, chunkKeys: 2 } })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 120, size: 'max' }), async (steps) => {
        const pair = new Pair(create, keepsIterators)
        for (const one of steps) await pair.run(one)
        pair.check()
        await pair.close()
      }),
      {
        numRuns: Number(process.env.MILLRACE_RUNS ?? 100),
        ...(process.env.MILLRACE_RUNS === undefined && { seed: 3 }),
      },
    )
  },
)
