/** What the `leveldb` backend does when its store or a serializer fails, when the store hangs, and when too much changes. */
import { expect, test } from 'vitest'
import { silentLogger } from '../../../../src/base/logger.ts'
import { SimulatedFileSystem } from '../../../../src/base/simulated-file-system.ts'
import { type SimulatedStoreFaults, simulatedStores } from '../../../../src/base/simulated-ordered-stores.ts'
import { VirtualClock } from '../../../../src/base/virtual-clock.ts'
import { ValueStateDescriptor } from '../../../../src/state/descriptors.ts'
import { decodeIndex } from '../../../../src/state/level/level-index.ts'
import type { SnapshotFormat } from '../../../../src/state/snapshot.ts'
import type { KeyedStateBackend, StoredKeyedState } from '../../../../src/state/state-backend.ts'
import { text } from '../../../../src/testing/state-backend-fixtures.ts'
import { levelBackends, type TestStores } from './level-backends.ts'
import { JobShelf, pathsOf } from './shelf-of-a-job.ts'

const MAX_PARALLELISM = 4
const WHOLE = { first: 0, last: MAX_PARALLELISM - 1 }
const VALUE = new ValueStateDescriptor<unknown>('v')
const MIB = 1024 * 1024

function opened(faults: SimulatedStoreFaults = {}, options: Partial<TestStores> = {}) {
  const failures: Error[] = []
  const pauses: Promise<void>[] = []
  const warnings: string[] = []
  const files = new SimulatedFileSystem()
  const backend = levelBackends({
    files,
    stores: simulatedStores({ files, faults }),
    cacheBytes: 1000,
    pause: (settled) => void pauses.push(settled),
    failed: (cause) => void failures.push(cause),
    logger: { ...silentLogger, warn: (line) => void warnings.push(line) },
    ...options,
  })({ maxParallelism: MAX_PARALLELISM, keyGroups: WHOLE, clock: new VirtualClock() })
  return { backend, failures, pauses, warnings, shelf: new JobShelf() }
}

const turns = async (count = 20) => {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve))
}

function put(backend: KeyedStateBackend, keys: number, value: (key: number) => unknown): void {
  const state = backend.getState(VALUE)
  for (let key = 0; key < keys; key++) {
    backend.setCurrentKey(key)
    state.update(value(key))
  }
}

function stored(backend: KeyedStateBackend, key: unknown): unknown {
  backend.setCurrentKey(key)
  return backend.getState(VALUE).value()
}

async function snapshot(
  backend: KeyedStateBackend,
  id: number,
  shelf: JobShelf,
  format: SnapshotFormat = 'checkpoint',
): Promise<StoredKeyedState> {
  const frozen = backend.freeze(id, format)
  try {
    while (!frozen.step(100));
    const handle = await frozen.write(shelf.target(id, WHOLE))
    return { keyGroups: WHOLE, handle, reader: shelf }
  } finally {
    frozen.release()
  }
}

async function shapeOf({ handle }: StoredKeyedState, shelf: JobShelf) {
  if (handle.type !== 'composite') return 'canonical'
  const { base, deltas } = decodeIndex(await shelf.read(handle.index), handle.parts.length)
  return `${base.kind} and ${deltas.length}`
}

test('a batch that is refused fails the task, and what is not known for certain is not read', async () => {
  const { backend, failures, shelf } = opened({
    beforeWrite: () => Promise.reject(new Error('no space')),
  })
  put(backend, 10, (key) => key)
  const completed = await snapshot(backend, 1, shelf)
  put(backend, 3000, (key) => `value ${key}`)
  await turns()
  expect(failures).toHaveLength(1)
  expect(failures[0]?.message).toMatch(/no space/)
  // What waits is still there; what only the store could tell is refused.
  expect(stored(backend, 1)).toBe('value 1')
  expect(() => stored(backend, 'never seen')).toThrow(/no space/)
  await backend.close()
  const again = opened()
  await again.backend.restore([completed])
  expect(stored(again.backend, 9)).toBe(9)
  expect(stored(again.backend, 10)).toBeUndefined()
  await again.backend.close()
})

test('a store that hangs pauses the input, and everything stays readable and is in the next checkpoint', async () => {
  let goOn = () => {}
  const { backend, failures, pauses, shelf } = opened({
    beforeWrite: (count) =>
      count > 1
        ? undefined
        : new Promise((resolve) => {
            goOn = resolve
          }),
  })
  put(backend, 25_000, (key) => key)
  await turns()
  expect(pauses).toHaveLength(1)
  let over = false
  void pauses[0]?.then(() => {
    over = true
  })
  await turns()
  expect(over).toBe(false)
  expect([stored(backend, 0), stored(backend, 24_999)]).toEqual([0, 24_999])
  const snapshotted = await snapshot(backend, 1, shelf, 'canonical')
  goOn()
  await turns(200)
  expect(over).toBe(true)
  expect(failures).toEqual([])
  await backend.close()
  const again = opened({}, { cacheBytes: 64 * MIB })
  await again.backend.restore([snapshotted])
  expect([0, 1, 12_345, 24_999].map((key) => stored(again.backend, key))).toEqual([0, 1, 12_345, 24_999])
  await again.backend.close()
})

test('where tables cannot be pinned everything is written instead, and the log says so', async () => {
  const { backend, warnings, shelf } = opened({ beforePin: () => Promise.reject(new Error('unreadable manifest')) })
  put(backend, 3000, (key) => key)
  await turns()
  const snapshotted = await snapshot(backend, 1, shelf)
  expect(await shapeOf(snapshotted, shelf)).toBe('dump and 0')
  expect(warnings).toEqual([expect.stringContaining('unreadable manifest')])
  await backend.close()
})

test('a value that cannot be evicted fails the task with its state and key, and is not lost', async () => {
  const { backend, failures } = opened({}, { cacheBytes: 0 })
  const refusing = new ValueStateDescriptor<string>('s', {
    serializer: {
      ...text(1),
      serialize() {
        throw new Error('no way')
      },
    },
  })
  const state = backend.getState(refusing)
  backend.setCurrentKey('k')
  state.update('x')
  backend.setCurrentKey('other')
  expect(failures).toEqual([
    expect.objectContaining({ code: 'NOT_SERIALIZABLE', message: expect.stringMatching(/'s'.*"k".*no way/) }),
  ])
  backend.setCurrentKey('k')
  expect(state.value()).toBe('x')
  await backend.close()
})

test('when more has changed than is kept, the next checkpoint is a new base; deltas follow again', async () => {
  const { backend, shelf } = opened({}, { cacheBytes: 4 * MIB })
  const shapes: string[] = []
  const checkpoint = async (id: number) => {
    const snapshotted = await snapshot(backend, id, shelf)
    backend.checkpointCompleted(id)
    shapes.push(await shapeOf(snapshotted, shelf))
    return snapshotted
  }
  put(backend, 10, (key) => `${key}`.padEnd(300_000))
  await checkpoint(1)
  put(backend, 1, (key) => `${key} again`)
  await checkpoint(2)
  put(backend, 30, (key) => `${key}`.padEnd(300_000))
  await turns()
  await checkpoint(3)
  put(backend, 1, () => 'last')
  const snapshotted = await checkpoint(4)
  // What was not in the tables when they were pinned follows them as a delta.
  expect(shapes).toEqual(['dump and 0', 'dump and 1', 'tables and 1', 'tables and 2'])
  await backend.close()
  const again = opened()
  await again.backend.restore([snapshotted])
  expect(stored(again.backend, 0)).toBe('last')
  expect(stored(again.backend, 29)).toBe('29'.padEnd(300_000))
  await again.backend.close()
})

test('a chain has at most 16 deltas, also when bases fail: every checkpoint tries again to write one', async () => {
  const { backend, shelf } = opened({}, { cacheBytes: MIB })
  const shapes: string[] = []
  for (let id = 1; id <= 22; id++) {
    put(backend, 20, (key) => `${key} in ${id}`)
    shelf.failNext = id >= 18 && id < 21
    if (shelf.failNext) {
      await expect(snapshot(backend, id, shelf)).rejects.toThrow('the disk is full')
      backend.checkpointAborted(id)
    } else {
      shapes.push(await shapeOf(await snapshot(backend, id, shelf), shelf))
      backend.checkpointCompleted(id)
    }
  }
  expect(shapes).toEqual([
    ...Array.from({ length: 17 }, (_, deltas) => `dump and ${deltas}`),
    'dump and 0',
    'dump and 1',
  ])
  await backend.close()
})

test('a delta holds what former ones of checkpoints that were not completed held', async () => {
  const { backend, shelf } = opened({}, { cacheBytes: MIB })
  put(backend, 5, (key) => key)
  await snapshot(backend, 1, shelf)
  backend.checkpointCompleted(1)
  put(backend, 2, () => 'second')
  await snapshot(backend, 2, shelf)
  backend.checkpointAborted(2)
  put(backend, 1, () => 'third')
  const third = await snapshot(backend, 3, shelf)
  shelf.keepOnly([third.handle])
  const again = opened()
  await again.backend.restore([third])
  expect([0, 1, 2].map((key) => stored(again.backend, key))).toEqual(['third', 'second', 2])
  expect(third.handle.type === 'composite' && third.handle.parts.length).toBe(2)
  await backend.close()
  await again.backend.close()
})

test('files in the folder of one checkpoint are never named by a later one', async () => {
  const { backend, shelf } = opened({}, { cacheBytes: MIB })
  put(backend, 50, (key) => `value ${key}`)
  const native = await snapshot(backend, 1, shelf, 'native')
  await backend.close()
  const again = opened({}, { cacheBytes: MIB })
  await again.backend.restore([{ ...native, mayReuse: true }])
  put(again.backend, 1, () => 'later')
  const next = await snapshot(again.backend, 2, shelf)
  shelf.keepOnly([next.handle])
  expect(pathsOf(next.handle).filter((path) => pathsOf(native.handle).includes(path))).toEqual([])
  await again.backend.close()
})
