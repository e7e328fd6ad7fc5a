/** Large maps and lists of the `leveldb` backend: where they go, what of them is written, and how they go away. */
import { expect, test } from 'vitest'
import { VirtualClock } from '../../../../src/base/virtual-clock.ts'
import { type Serializer, valueCodec } from '../../../../src/elements/serializer.ts'
import { ListStateDescriptor, MapStateDescriptor } from '../../../../src/state/descriptors.ts'
import { singleCodec } from '../../../../src/state/entry-codecs.ts'
import { ofHouse, partCodecs } from '../../../../src/state/level/part-codecs.ts'
import type { KeyedStateBackend, StoredKeyedState } from '../../../../src/state/state-backend.ts'
import { canonicalBytes, snapshotOf } from '../../../../src/testing/keyed-snapshot.ts'
import { levelBackends } from './level-backends.ts'

const MAX_PARALLELISM = 4
const WHOLE = { first: 0, last: MAX_PARALLELISM - 1 }
const MAP = new MapStateDescriptor<string, number>('m')
const LIST = new ListStateDescriptor<number>('l')
const PLAIN_SIZES = { mostEntries: 256, mostBytes: 16 * 1024, chunkKeys: 256 }

interface Opened {
  readonly backend: KeyedStateBackend
  readonly clock: VirtualClock
}

function opened(mostEntries: number, chunkKeys: number, cacheBytes = 0): Opened {
  const clock = new VirtualClock()
  const partSizes = { mostEntries, mostBytes: 16 * 1024, chunkKeys }
  const backend = levelBackends({ cacheBytes, partSizes })({ maxParallelism: MAX_PARALLELISM, keyGroups: WHOLE, clock })
  backend.setCurrentKey('k')
  return { backend, clock }
}

async function restored(
  from: StoredKeyedState,
  mostEntries: number,
  chunkKeys: number,
  cacheBytes = 0,
): Promise<Opened> {
  const clock = new VirtualClock()
  const partSizes = { mostEntries, mostBytes: 16 * 1024, chunkKeys }
  const create = levelBackends({ cacheBytes, partSizes })
  const backend = create({ maxParallelism: MAX_PARALLELISM, keyGroups: WHOLE, clock })
  await backend.restore([from])
  backend.setCurrentKey('k')
  return { backend, clock }
}

async function pass(clock: VirtualClock, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 10) {
    clock.advance(10)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** Of everything that the backend holds, in its own form. */
async function nativeBytes(backend: KeyedStateBackend, checkpointId: number): Promise<number> {
  const { handle } = await snapshotOf(backend, checkpointId, 'full')
  const parts = handle.type === 'composite' ? handle.parts : []
  return parts.reduce((bytes, part) => bytes + (part.type === 'inline' ? part.bytes.length : part.length), 0)
}

test('what is removed and set again while a map becomes large under an iterator comes at its new place alone', () => {
  const { backend } = opened(3, 2, 1_000_000)
  const map = backend.getMapState(MAP)
  const plain = new Map<string, number>()
  const run = (act: (one: { set(key: string, value: number): unknown; delete(key: string): boolean }) => void) => {
    act(map)
    act(plain)
  }
  run((one) => ['a', 'b', 'c'].forEach((key, place) => void one.set(key, place)))
  const [found, expected] = [map.keys(), plain.keys()]
  expect(found.next()).toEqual(expected.next())
  run((one) => {
    one.set('d', 4)
    one.delete('c')
    one.set('c', 5)
  })
  expect([...found]).toEqual(['b', 'd', 'c'])
  expect([...expected]).toEqual(['b', 'd', 'c'])
})

test('the same for an iterator whose chunk is not in the cache', () => {
  const { backend } = opened(0, 3)
  const map = backend.getMapState(MAP)
  for (const key of ['a', 'b', 'c', 'd']) map.set(key, 1)
  backend.setCurrentKey('other')
  backend.setCurrentKey('k')
  const keys = map.keys()
  expect(keys.next().value).toBe('a')
  map.delete('b')
  map.set('b', 2)
  expect([...keys]).toEqual(['c', 'd', 'b'])
})

test('a map through which entries pass takes no more room than what is in it', async () => {
  const { backend } = opened(0, 4)
  const map = backend.getMapState(MAP)
  map.set('stays', 0)
  const before = await nativeBytes(backend, 1)
  for (let i = 0; i < 500; i++) {
    backend.setCurrentKey('k')
    map.set(`passes ${i}`, i)
    map.set('is not there long', i)
    map.delete('is not there long')
    if (i >= 3) map.delete(`passes ${i - 3}`)
  }
  for (let i = 0; i < 500; i++) {
    map.set('is not there long', i)
    map.delete('is not there long')
  }
  expect([...map.keys()]).toEqual(['stays', 'passes 497', 'passes 498', 'passes 499'])
  expect(await nativeBytes(backend, 2)).toBeLessThan(before + 600)
})

test('a large map is cleared at once, and what it took goes away by and by, also behind a restore', async () => {
  // Nothing is evicted: bytes of what is no longer there would stand in tables of the store.
  const { backend, clock } = opened(0, 10, 1_000_000)
  const map = backend.getMapState(MAP)
  const list = backend.getListState(LIST)
  for (let i = 0; i < 300; i++) {
    map.set(`${i}`, i)
    list.add(i)
  }
  const full = await nativeBytes(backend, 1)
  map.clear()
  list.clear()
  map.set('new', 1)
  expect([[...map], [...list.get()]]).toEqual([[['new', 1]], []])
  await pass(clock, 100)
  const half = await snapshotOf(backend, 2, 'full')
  const next = await restored(half, 0, 10, 1_000_000)
  const again = next.backend.getMapState(MAP)
  next.backend.getListState(LIST)
  expect(await nativeBytes(next.backend, 3)).toBeGreaterThan(full / 4)
  await pass(next.clock, 500)
  expect(await nativeBytes(next.backend, 4)).toBeLessThan(full / 20)
  expect([...again]).toEqual([['new', 1]])
})

test('one changed entry of a large map is written alone', async () => {
  const { backend } = opened(256, 256)
  const map = backend.getMapState(MAP)
  for (let i = 0; i < 5000; i++) map.set(`user ${i}`, i)
  await snapshotOf(backend, 1)
  backend.checkpointCompleted(1)
  map.set('user 77', -1)
  const { handle } = await snapshotOf(backend, 2)
  const delta = (handle.type === 'composite' ? handle.parts : []).at(-1)
  expect(delta?.type === 'shared' ? delta.length : -1).toBeLessThan(100)
})

test('what a list gives shows nothing that is added later, and is still there when it was cleared in the same turn', () => {
  const { backend } = opened(0, 3)
  const list = backend.getListState(LIST)
  for (let i = 0; i < 8; i++) list.add(i)
  const found = list.get()
  list.add(8)
  expect([...found]).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
  const rest = list.get()
  list.clear()
  expect([...rest]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8])
  list.update(rest)
  expect([...list.get()]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8])
})

test('large entries are too large by their bytes as well', async () => {
  const { backend } = opened(256, 256)
  const texts = new MapStateDescriptor<string, string>('texts')
  for (let i = 0; i < 40; i++) backend.getMapState(texts).set(`${i}`, 'x'.repeat(2000))
  // How large a row is shows when it is written.
  for (const checkpoint of [1, 2]) {
    await snapshotOf(backend, checkpoint)
    backend.checkpointCompleted(checkpoint)
    backend.getMapState(texts).set('7', 'short')
  }
  const { handle } = await snapshotOf(backend, 3)
  const delta = (handle.type === 'composite' ? handle.parts : []).at(-1)
  expect(delta?.type === 'shared' ? delta.length : -1).toBeLessThan(200)
})

test.each(['full', 'canonical'] as const)(
  'a time-to-live may come and go over what lies in parts: %s',
  async (format) => {
    const first = opened(1, 2)
    for (let i = 0; i < 7; i++) {
      first.backend.getMapState(MAP).set(`${i}`, i)
      first.backend.getListState(LIST).add(i)
    }
    const second = await restored(await snapshotOf(first.backend, 1, format), 1, 2)
    const ttlMap = new MapStateDescriptor<string, number>('m', { ttl: { ttl: 100 } })
    const ttlList = new ListStateDescriptor<number>('l', { ttl: { ttl: 100 } })
    await pass(second.clock, 50)
    const stamped = second.backend.getMapState(ttlMap)
    expect([...second.backend.getListState(ttlList).get()]).toEqual([0, 1, 2, 3, 4, 5, 6])
    expect([...stamped.keys()]).toEqual(['0', '1', '2', '3', '4', '5', '6'])
    second.clock.advance(60)
    stamped.set('3', 30)
    second.clock.advance(60)
    expect([...stamped]).toEqual([['3', 30]])
    expect([...second.backend.getListState(ttlList).get()]).toEqual([])
    const third = await restored(await snapshotOf(second.backend, 2, format), 1, 2)
    expect([...third.backend.getMapState(MAP)]).toContainEqual(['3', 30])
  },
)

test('entries of a large map that have expired go where nobody reads them', async () => {
  const { backend, clock } = opened(1, 2)
  const ttlMap = new MapStateDescriptor<string, number>('m', { ttl: { ttl: 1000 } })
  const map = backend.getMapState(ttlMap)
  for (let i = 0; i < 30; i++) {
    backend.setCurrentKey('k')
    map.set(`${i}`, i)
  }
  backend.setCurrentKey('other')
  await pass(clock, 500)
  expect(backend.keysOf('m')).toEqual(['k'])
  await pass(clock, 3000)
  expect(backend.keysOf('m')).toEqual([])
})

test('a read that refreshes an entry of a large map is kept, and one that has expired comes again at the end', async () => {
  const { backend, clock } = opened(1, 2)
  const ttl = { ttl: 100, updateType: 'OnReadAndWrite', cleanupInBackground: false, cleanupFullSnapshot: true } as const
  const map = backend.getMapState(new MapStateDescriptor<string, number>('m', { ttl }))
  for (const key of ['a', 'b', 'c', 'd']) map.set(key, 1)
  backend.setCurrentKey('other')
  backend.setCurrentKey('k')
  clock.advance(60)
  expect(map.get('b')).toBe(1)
  expect(map.has('d')).toBe(true)
  backend.setCurrentKey('other')
  backend.setCurrentKey('k')
  clock.advance(60)
  map.set('a', 2)
  // What has expired is left out, though nobody has removed it yet.
  const savepoint = await snapshotOf(backend, 1, 'canonical')
  expect([...map.keys()]).toEqual(['b', 'd', 'a'])
  const plain = await restored(savepoint, 1, 2)
  expect([...plain.backend.getMapState(MAP)]).toEqual([
    ['b', 1],
    ['d', 1],
    ['a', 2],
  ])
})

test('a part that is missing or stands twice fails a savepoint, and nothing is left out of it', async () => {
  const { backend } = opened(0, 2, 1_000_000)
  const map = backend.getMapState(MAP)
  for (const key of ['a', 'b', 'c']) map.set(key, 1)
  const entries = backend.keyedTable(
    'map-entries',
    'm',
    partCodecs(ofHouse(singleCodec(valueCodec<number>(undefined)))).all,
  )
  const [[key, part] = []] = [...entries.entries]
  entries.scan?.touch(key as string)
  entries.entries.set(key as string, { value: 1, chunk: 1, place: 1 })
  await expect(canonicalBytes(backend, 1)).rejects.toThrow('an entry stands in another place')
  entries.entries.delete(key as string)
  await expect(canonicalBytes(backend, 2)).rejects.toThrow('an entry is missing')
  entries.entries.set(key as string, part as { value: number; chunk: number; place: number })
  await canonicalBytes(backend, 3)
})

/** Writes numbers as text; each version in a way of its own. */
function numbersOf(version: number): Serializer<number> {
  return {
    id: 'numbers',
    version,
    serialize: (value) => new TextEncoder().encode(`${version}:${value}`),
    deserialize(bytes, written) {
      const [by, value] = new TextDecoder().decode(bytes).split(':')
      expect(Number(by)).toBe(written)
      return Number(value)
    },
  }
}

test('a large map keeps values of an older serializer until they are set, and a savepoint has them in the new one', async () => {
  const map = (version: number) => new MapStateDescriptor<string, number>('m', { serializer: numbersOf(version) })
  const first = opened(1, 2)
  for (let i = 0; i < 6; i++) first.backend.getMapState(map(1)).set(`${i}`, i)
  const second = await restored(await snapshotOf(first.backend, 1, 'full'), 1, 2)
  second.backend.getMapState(map(2)).set('3', 33)
  const expected = [0, 1, 2, 33, 4, 5]
  expect([...second.backend.getMapState(map(2)).values()]).toEqual(expected)
  const whole = opened(1000, 1000)
  for (const [key, value] of expected.entries()) whole.backend.getMapState(map(2)).set(`${key}`, value)
  expect(await entriesOf(second.backend)).toEqual(await entriesOf(whole.backend))
})

/** Behind the header of a canonical savepoint, without heads of blobs: there is one entry. */
async function entriesOf(backend: KeyedStateBackend): Promise<string> {
  return Buffer.from(await canonicalBytes(backend, 9))
    .toString('latin1')
    .split('k')
    .at(-1) as string
}

test('with the sizes that hold where none are given, a map of 256 small entries is a row and one of 257 is not', async () => {
  const sizesOf = async (entries: number) => {
    const { backend } = opened(PLAIN_SIZES.mostEntries, PLAIN_SIZES.chunkKeys)
    for (let i = 0; i < entries; i++) backend.getMapState(MAP).set(`${i}`, i)
    await snapshotOf(backend, 1)
    backend.checkpointCompleted(1)
    backend.getMapState(MAP).set('7', -7)
    const { handle } = await snapshotOf(backend, 2)
    const delta = (handle.type === 'composite' ? handle.parts : []).at(-1)
    return delta?.type === 'shared' ? delta.length : -1
  }
  expect(await sizesOf(256)).toBeGreaterThan(1000)
  expect(await sizesOf(257)).toBeLessThan(100)
})
