/** One suite for every checkpoint storage: what a job may rely on, wherever the bytes are. */
import { describe, expect, test } from 'vitest'
import { seededIds } from '../../../src/base/ids.ts'
import { seededRandom } from '../../../src/base/random.ts'
import { SimulatedFileSystem } from '../../../src/base/simulated-file-system.ts'
import type { CheckpointStorage, FencedStorage } from '../../../src/checkpoint/checkpoint-storage.ts'
import { FileCheckpointStorage } from '../../../src/checkpoint/file-checkpoint-storage.ts'
import { MemoryCheckpointStorage } from '../../../src/checkpoint/memory-checkpoint-storage.ts'
import { codeOf, HERE, JOB_ID } from './job-fixture.ts'

const bytes = (text: string) => new TextEncoder().encode(text)

describe.each([
  ['file', () => new FileCheckpointStorage(new SimulatedFileSystem(), '/cp', seededIds(seededRandom(1)))],
  ['memory', () => new MemoryCheckpointStorage(new SimulatedFileSystem())],
])('%s storage', (_, make: () => CheckpointStorage) => {
  const begin = (storage: CheckpointStorage, epochSoFar = 0): Promise<FencedStorage> =>
    storage.fence(JOB_ID, {
      writer: { ...HERE, lock: 'l' },
      mayReplace: async () => {},
      epochSoFar: async () => epochSoFar,
    })

  const contentOf = async (storage: CheckpointStorage, location: string, name: string) => {
    const file = await storage.at(location).open(name)
    const { size } = await file.stat()
    const content = new TextDecoder().decode(await file.read(0, size))
    await file.close()
    return content
  }

  test('holds nothing at first', async () => {
    const storage = make()
    expect(await storage.listJobs()).toEqual([])
    expect(await storage.readRecord(JOB_ID)).toBeUndefined()
    expect(await storage.listCheckpoints(JOB_ID)).toEqual([])
  })

  test('a checkpoint appears as a whole, with its last object', async () => {
    const storage = make()
    const writer = await begin(storage)
    await writer.put(1, 'state', bytes('s'))
    const stream = await writer.create(1, 'large')
    await stream.append(bytes('la'))
    await stream.append(bytes('rge'))
    await stream.sync()
    await stream.close()
    expect(await storage.listCheckpoints(JOB_ID)).toEqual([])
    const { location } = await writer.publish(1, '_metadata', bytes('m'))
    expect(await storage.listCheckpoints(JOB_ID)).toEqual([{ checkpointId: 1, location }])
    expect(await storage.at(location).list()).toEqual(
      ['_metadata', 'large', 'state'].map((name) => ({ name, plain: true })),
    )
    expect([await contentOf(storage, location, 'state'), await contentOf(storage, location, 'large')]).toEqual([
      's',
      'large',
    ])
    expect(await codeOf(storage.at(location).open('no'))).toBe('FILE_ERROR')
    expect(await storage.listJobs()).toEqual([JOB_ID])
  })

  test('shared objects leave their checkpoint when it is published, and are deleted by name', async () => {
    const storage = make()
    const writer = await begin(storage)
    expect(await storage.listShared(JOB_ID)).toEqual([])
    for (const name of ['own', 'b', 'a']) await writer.put(1, name, bytes(name))
    expect(await storage.listShared(JOB_ID)).toEqual([])
    const { location } = await writer.publish(1, '_metadata', bytes('m'), ['a', 'b'])
    expect((await storage.at(location).list()).map(({ name }) => name)).toEqual(['_metadata', 'own'])
    expect((await storage.at(location).shared.list()).map(({ name }) => name)).toEqual(['a', 'b'])
    await writer.delete(1)
    expect(await storage.listShared(JOB_ID)).toEqual(['a', 'b'])
    await writer.deleteShared(['a', 'missing'])
    expect(await storage.listShared(JOB_ID)).toEqual(['b'])
    await writer.deleteShared(['b'])
    await writer.removeSharedPlace()
    await writer.removeSharedPlace()
    expect(await storage.listShared(JOB_ID)).toEqual([])
  })

  test('a checkpoint that shares what was not put is not published, and shares nothing', async () => {
    const storage = make()
    const writer = await begin(storage)
    await writer.put(1, 'a', bytes('a'))
    await expect(writer.publish(1, '_metadata', bytes('m'), ['a', 'b'])).rejects.toMatchObject({
      details: { visible: 'no' },
    })
    expect(await storage.listCheckpoints(JOB_ID)).toEqual([])
    expect(await storage.listShared(JOB_ID)).toEqual([])
  })

  test('a writer that was replaced deletes no shared object and adds none', async () => {
    const storage = make()
    const writer = await begin(storage)
    await writer.put(1, 'a', bytes('a'))
    await writer.publish(1, '_metadata', bytes('m'), ['a'])
    await writer.put(2, 'b', bytes('b'))
    await begin(storage, 1)
    expect(await codeOf(writer.deleteShared(['a']))).toBe('JOB_FENCED')
    expect(await codeOf(writer.publish(2, '_metadata', bytes('m'), ['b']))).toBe('JOB_FENCED')
    expect(await storage.listShared(JOB_ID)).toEqual(['a'])
  })

  test('checkpoints are listed by id as numbers', async () => {
    const storage = make()
    const writer = await begin(storage)
    for (const id of [10, 9, 100]) await writer.publish(id, '_metadata', bytes('m'))
    expect((await storage.listCheckpoints(JOB_ID)).map(({ checkpointId }) => checkpointId)).toEqual([9, 10, 100])
  })

  test('an id is published once', async () => {
    const storage = make()
    const writer = await begin(storage)
    const { location } = await writer.publish(1, '_metadata', bytes('first'))
    await expect(writer.publish(1, '_metadata', bytes('second'))).rejects.toMatchObject({ details: { visible: 'no' } })
    expect(await contentOf(storage, location, '_metadata')).toBe('first')
  })

  test('deleting twice, and discarding what was never prepared, is harmless', async () => {
    const storage = make()
    const writer = await begin(storage)
    await writer.publish(1, '_metadata', bytes('m'))
    await writer.delete(1)
    await writer.delete(1)
    await writer.discardPrepared(7)
    await writer.removePrepared(8, 'x')
    expect(await storage.listCheckpoints(JOB_ID)).toEqual([])
  })

  test('objects of a checkpoint that was given up are refused', async () => {
    const writer = await begin(make())
    await writer.put(1, 'a', bytes('a'))
    await writer.discardPrepared(1)
    expect(await codeOf(writer.put(1, 'b', bytes('b')))).toBe('CHECKPOINT_DISCARDED')
    expect(await codeOf(writer.create(1, 'c'))).toBe('CHECKPOINT_DISCARDED')
  })

  test('a newer epoch fences the older one off from everything', async () => {
    const storage = make()
    const old = await begin(storage)
    await old.publish(1, '_metadata', bytes('m'))
    await old.putRecord(bytes('old'))
    const young = await begin(storage, 4)
    expect([old.epoch, young.epoch]).toEqual([1, 5])
    const refused = [
      () => old.put(2, 'x', bytes('x')),
      () => old.publish(2, '_metadata', bytes('m')),
      () => old.delete(1),
      () => old.putRecord(bytes('zombie')),
      () => old.create(3, 'x'),
    ]
    for (const act of refused) expect(await codeOf(act())).toBe('JOB_FENCED')
    await old.release()
    await young.putRecord(bytes('young'))
    await young.publish(2, '_metadata', bytes('m'))
    expect(new TextDecoder().decode(await storage.readRecord(JOB_ID))).toBe('young')
    expect((await storage.listCheckpoints(JOB_ID)).map(({ checkpointId }) => checkpointId)).toEqual([1, 2])
  })
})
