/** The `leveldb` backend where it is used against its habits: checkpoints that overlap, keys that come and go, many serializers. */
import { expect, test } from 'vitest'
import { silentLogger } from '../../../../src/base/logger.ts'
import { SimulatedFileSystem } from '../../../../src/base/simulated-file-system.ts'
import { simulatedStores } from '../../../../src/base/simulated-ordered-stores.ts'
import { VirtualClock } from '../../../../src/base/virtual-clock.ts'
import { ValueStateDescriptor } from '../../../../src/state/descriptors.ts'
import { decodeIndex } from '../../../../src/state/level/level-index.ts'
import { placeOf, type TableSchema } from '../../../../src/state/level/table-schemas.ts'
import type { FrozenKeyedState, KeyedStateBackend, StoredKeyedState } from '../../../../src/state/state-backend.ts'
import { levelBackends } from './level-backends.ts'
import { JobShelf } from './shelf-of-a-job.ts'

const MAX_PARALLELISM = 4
const WHOLE = { first: 0, last: MAX_PARALLELISM - 1 }
const VALUE = new ValueStateDescriptor<string>('v')

function opened(cacheBytes = 2000) {
  const warnings: string[] = []
  const files = new SimulatedFileSystem()
  const backend = levelBackends({
    files,
    stores: simulatedStores({ files }),
    cacheBytes,
    keepsKeys: false,
    logger: { ...silentLogger, warn: (line) => void warnings.push(line) },
  })({ maxParallelism: MAX_PARALLELISM, keyGroups: WHOLE, clock: new VirtualClock() })
  return { backend, warnings, shelf: new JobShelf() }
}

function put(backend: KeyedStateBackend, keys: number, value: (key: number) => string): void {
  const state = backend.getState(VALUE)
  for (let key = 0; key < keys; key++) {
    backend.setCurrentKey(key)
    state.update(value(key))
  }
}

const turns = async () => {
  for (let turn = 0; turn < 30; turn++) await new Promise((resolve) => setImmediate(resolve))
}

async function written(frozen: FrozenKeyedState, shelf: JobShelf): Promise<StoredKeyedState> {
  while (!frozen.step(100));
  const handle = await frozen.write(shelf.target(frozen.checkpointId, WHOLE))
  frozen.release()
  return { keyGroups: WHOLE, handle, reader: shelf }
}

async function contents(state: StoredKeyedState, keys: number): Promise<readonly (string | undefined)[]> {
  const { backend } = opened()
  await backend.restore([state])
  const read = Array.from({ length: keys }, (_, key) => {
    backend.setCurrentKey(key)
    return backend.getState(VALUE).value()
  })
  await backend.close()
  return read
}

test('two bases that are frozen one behind the other pin their tables one after the other: both are made of tables', async () => {
  const { backend, warnings, shelf } = opened()
  put(backend, 3000, (key) => `one ${key}`)
  await turns()
  const first = backend.freeze(1, 'checkpoint')
  put(backend, 10, (key) => `two ${key}`)
  const second = backend.freeze(2, 'native')
  put(backend, 3000, () => 'later')
  const states = await Promise.all([written(first, shelf), written(second, shelf)])
  expect(warnings).toEqual([])
  for (const [place, { handle }] of states.entries()) {
    if (handle.type !== 'composite') throw new RangeError('It is one file.')
    expect(decodeIndex(await shelf.read(handle.index), handle.parts.length).base.kind).toBe('tables')
    const expected = Array.from({ length: 3000 }, (_, key) => (place === 1 && key < 10 ? `two ${key}` : `one ${key}`))
    expect(await contents(states[place] as StoredKeyedState, 3000)).toEqual(expected)
  }
  await backend.close()
})

test('rows that are evicted and change again, over and over, are not all remembered until the next checkpoint', async () => {
  const { backend, shelf } = opened()
  put(backend, 10, () => 'base')
  await written(backend.freeze(1, 'checkpoint'), shelf)
  backend.checkpointCompleted(1)
  for (let round = 0; round < 200; round++) {
    put(backend, 100, (key) => `${round} ${key}`)
    if (round % 10 === 0) await turns()
  }
  const frozen = backend.freeze(2, 'checkpoint')
  let steps = 1
  while (!frozen.step(1)) steps++
  expect(steps).toBeLessThan(3000)
  const state = await written(frozen, shelf)
  expect(await contents(state, 100)).toEqual(Array.from({ length: 100 }, (_, key) => `199 ${key}`))
  await backend.close()
})

test('a state that was written with 256 lists of serializers gets no number that another has', () => {
  const schemas: TableSchema[] = []
  const serializers = (version: number) => [{ id: 'mine', version }]
  for (let version = 0; version < 256; version++) expect(placeOf(schemas, serializers(version))).toBe(version)
  expect(placeOf(schemas, serializers(7))).toBe(7)
  expect(() => placeOf(schemas, serializers(256))).toThrow(expect.objectContaining({ code: 'STATE_INCOMPATIBLE' }))
  expect(schemas).toHaveLength(256)
})

test('a base of tables that is given up while it is written is no handle, or it is whole; nothing of it stays otherwise', async () => {
  const ends = new Set<string>()
  for (let after = 0; after < 40; after += 4) {
    const { backend, shelf } = opened()
    put(backend, 3000, (key) => `one ${key}`)
    await turns()
    put(backend, 300, (key) => `two ${key}`)
    const frozen = backend.freeze(1, 'checkpoint')
    while (!frozen.step(100));
    const writing = frozen.write(shelf.target(1, WHOLE))
    writing.catch(() => {})
    for (let turn = 0; turn < after; turn++) await new Promise((resolve) => setImmediate(resolve))
    frozen.release()
    const handle = await writing.catch(() => undefined)
    ends.add(handle === undefined ? 'given up' : 'whole')
    if (handle === undefined) expect(shelf.fileCount).toBe(0)
    else {
      const expected = Array.from({ length: 3000 }, (_, key) => (key < 300 ? `two ${key}` : `one ${key}`))
      expect(await contents({ keyGroups: WHOLE, handle, reader: shelf }, 3000)).toEqual(expected)
    }
    await backend.close()
  }
  expect(ends).toEqual(new Set(['given up', 'whole']))
})

test('checkpoints of which the next begins before one is complete are deltas all the same, behind the first base', async () => {
  const { backend, shelf } = opened(64 * 1024)
  const kinds: string[] = []
  const write = async (frozen: FrozenKeyedState) => {
    const { handle } = await written(frozen, shelf)
    if (handle.type !== 'composite') throw new RangeError('It is one file.')
    const { base, deltas } = decodeIndex(await shelf.read(handle.index), handle.parts.length)
    kinds.push(`${base.kind} and ${deltas.length}`)
  }
  put(backend, 50, () => 'base')
  let before = backend.freeze(1, 'checkpoint')
  for (let id = 2; id < 7; id++) {
    put(backend, 2, () => `${id}`)
    const next = backend.freeze(id, 'checkpoint')
    await write(before)
    backend.checkpointCompleted(id - 1)
    before = next
  }
  await write(before)
  expect(kinds).toEqual(['dump and 0', 'dump and 0', 'dump and 1', 'dump and 1', 'dump and 2', 'dump and 2'])
  await backend.close()
})
