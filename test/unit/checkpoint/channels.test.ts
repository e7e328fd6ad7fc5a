/** Records in flight in a checkpoint: named in its metadata, verified, and never in a savepoint. */
import { describe, expect, test } from 'vitest'
import { SimulatedDisk } from '../../../src/base/simulated-disk.ts'
import { SimulatedFileSystem } from '../../../src/base/simulated-file-system.ts'
import type { CheckpointMetadata } from '../../../src/checkpoint/checkpoint-metadata.ts'
import { decodeMetadata, encodeMetadata } from '../../../src/checkpoint/metadata-format.ts'
import { bytesWrittenFor, handlesIn, handlesOf, holdsChannels } from '../../../src/checkpoint/stored-handles.ts'
import type { InFlightEdge, StoredChannels, StoredHandle } from '../../../src/state/snapshot.ts'
import { codeOf, JOB_ID, OPERATOR, OTHER_OPERATOR, open, portsOn, prepare, store } from './job-fixture.ts'

const EDGE: InFlightEdge = {
  edge: { from: OTHER_OPERATOR, input: 0, ordinal: 0 },
  partitioner: 'hash',
  serializer: { id: 'millrace.value', version: 1 },
  records: 3,
  bytes: 40,
}

const identity = { checkpointId: 1, operatorId: OPERATOR, subtask: 0, kind: 'channels' as const }
const INLINE: StoredHandle = { type: 'inline', identity, bytes: 'AAAA' }
const channels: StoredChannels = { handle: INLINE, edges: [EDGE] }

const metadataOf = (subtask: object, kind: CheckpointMetadata['kind'] = 'checkpoint'): CheckpointMetadata => ({
  jobId: 'a'.repeat(32),
  jobName: 'job',
  epoch: 1,
  checkpointId: 1,
  kind,
  timestamp: 0,
  operators: [
    {
      operatorId: OPERATOR,
      name: 'count',
      parallelism: 1,
      maxParallelism: 128,
      subtasks: [{ index: 0, finished: false, ...subtask }],
    },
  ],
})

const versionOf = (metadata: CheckpointMetadata) => new DataView(encodeMetadata(metadata).buffer).getUint32(8)
const codeOfReading = (metadata: CheckpointMetadata) =>
  codeOf(Promise.resolve().then(() => decodeMetadata(encodeMetadata(metadata), '/chk-1/_metadata')))

describe('The metadata of a checkpoint', () => {
  test('names records in flight, edge by edge, and is of a version that no release reads which knows nothing of them', () => {
    const withSide = { ...EDGE, edge: { ...EDGE.edge, sideOutput: 'late', ordinal: 2 } }
    const metadata = metadataOf({ channels: { handle: INLINE, edges: [EDGE, withSide] } })
    expect(decodeMetadata(encodeMetadata(metadata), 'x')).toEqual(metadata)
    expect(holdsChannels(metadata)).toBe(true)
    expect([versionOf(metadata), versionOf(metadataOf({}))]).toEqual([2, 1])
  })

  test('is refused where a savepoint, or a subtask that has finished, has some', async () => {
    expect(await codeOfReading(metadataOf({ channels }))).toBe('none')
    for (const kind of ['savepoint', 'synchronousSavepoint'] as const)
      expect(await codeOfReading(metadataOf({ channels }, kind))).toBe('CHECKPOINT_DAMAGED')
    expect(await codeOfReading(metadataOf({ channels, finished: true }))).toBe('CHECKPOINT_DAMAGED')
  })

  test('is refused where anything of them has another form', async () => {
    const shared = { type: 'shared', identity, epoch: 1, path: 'file', length: 1, sha256: 'a'.repeat(64) }
    const wrong: readonly object[] = [
      { handle: shared, edges: [EDGE] },
      { handle: INLINE },
      ...[{ records: 0 }, { bytes: -1 }, { partitioner: 'sideways' }, { edge: { ...EDGE.edge, from: 'x' } }].map(
        (change) => ({ handle: INLINE, edges: [{ ...EDGE, ...change }] }),
      ),
    ]
    for (const one of wrong)
      expect(await codeOfReading(metadataOf({ channels: one })), JSON.stringify(one)).toBe('CHECKPOINT_DAMAGED')
  })

  test('lists their handle among all others, of the place in which it stands', () => {
    const metadata = metadataOf({ channels })
    expect([...handlesOf(metadata)]).toEqual([{ handle: INLINE, expected: identity }])
    expect(handlesIn({ channels })).toEqual([INLINE])
  })
})

describe('A checkpoint with records in flight', () => {
  test('is published, verified and read back; its file counts, and one that was changed is refused', async () => {
    const files = new SimulatedFileSystem({ disk: new SimulatedDisk() })
    const job = await open(portsOn(files), '/checkpoints', { fixedJobId: JOB_ID })
    const aligned = await prepare(job, 1)
    const bytes = new Uint8Array(50_000).fill(7)
    const handle = await store(job.storage, identity, bytes)
    const metadata = withChannels(aligned, { handle, edges: [EDGE] })
    expect(bytesWrittenFor(metadata)).toBe(bytesWrittenFor(aligned) + ('length' in handle ? handle.length : 0))
    const { path } = await job.storage.publish(metadata)
    await job.storage.close()

    const resume = () => open(portsOn(files), '/checkpoints', { fixedJobId: JOB_ID, resume: 'latest' })
    const resumed = await resume()
    if (resumed.start.kind !== 'checkpoint') throw new Error(resumed.start.kind)
    const found = resumed.start.metadata.operators[0]?.subtasks[0]?.channels
    expect(found?.edges).toEqual([EDGE])
    expect(await resumed.storage.snapshotReader(resumed.start).read(found?.handle as StoredHandle)).toEqual(bytes)
    await resumed.storage.close()

    const name = (await files.list(path)).find((one) => one.name.includes('-channels-'))?.name ?? 'none'
    const changed = await files.read(`${path}/${name}`)
    changed[changed.length - 1] = 8
    await files.execute([
      { type: 'remove', path: `${path}/${name}` },
      { type: 'writeNew', path: `${path}/${name}`, bytes: changed },
    ])
    await expect(resume()).rejects.toMatchObject({ code: 'CHECKPOINT_DAMAGED', message: expect.stringContaining(name) })
  })

  test('whose handle stands at another operator is refused', async () => {
    const files = new SimulatedFileSystem({ disk: new SimulatedDisk() })
    const job = await open(portsOn(files), '/checkpoints', { fixedJobId: JOB_ID })
    const handle = await store(job.storage, { ...identity, operatorId: OTHER_OPERATOR }, new Uint8Array(10))
    await job.storage.publish(withChannels(await prepare(job, 1), { handle, edges: [EDGE] }))
    await job.storage.close()
    expect(await codeOf(open(portsOn(files), '/checkpoints', { fixedJobId: JOB_ID, resume: 'latest' }))).toBe(
      'CHECKPOINT_DAMAGED',
    )
  })

  test('that was given up leaves nothing of them', async () => {
    const files = new SimulatedFileSystem({ disk: new SimulatedDisk() })
    const job = await open(portsOn(files), '/checkpoints', { fixedJobId: JOB_ID })
    const handle = await store(job.storage, identity, new Uint8Array(50_000))
    const path = 'path' in handle ? handle.path : ''
    const folder = `${job.storage.location}/${job.jobId}/epoch-${job.epoch}/chk-1`
    const isThere = async () => (await files.list(folder)).some(({ name }) => name === path)
    expect(await isThere()).toBe(true)
    await job.storage.removeHandles(handlesIn({ channels: { handle, edges: [EDGE] } }))
    expect(await isThere().catch(() => false)).toBe(false)
    await job.storage.close()
  })
})

function withChannels(metadata: CheckpointMetadata, of: StoredChannels): CheckpointMetadata {
  return {
    ...metadata,
    operators: metadata.operators.map((operator) => ({
      ...operator,
      subtasks: operator.subtasks.map((subtask) => ({ ...subtask, channels: of })),
    })),
  }
}
