import { expect, test } from 'vitest'
import { snapshotSizes } from '../../../src/runtime/checkpoint-metrics.ts'
import type {
  CompositeHandle,
  FileHandle,
  InlineHandle,
  SharedHandle,
  SnapshotIdentity,
} from '../../../src/state/snapshot.ts'

const identity = (checkpointId: number, kind: SnapshotIdentity['kind']): SnapshotIdentity => ({
  ...{ checkpointId, operatorId: 'a'.repeat(32), subtask: 0, kind },
})
const file = (length: number, kind: SnapshotIdentity['kind']): FileHandle => ({
  ...{ type: 'file', identity: identity(7, kind), path: 'x', length, sha256: '0'.repeat(64) },
})
const shared = (checkpointId: number, epoch: number, length: number): SharedHandle => ({
  ...{ type: 'shared', identity: identity(checkpointId, 'keyed'), epoch, path: `${checkpointId}-${epoch}`, length },
  sha256: '0'.repeat(64),
})
const inline = (bytes: number, kind: SnapshotIdentity['kind']): InlineHandle => ({
  ...{ type: 'inline', identity: identity(7, kind), bytes: Buffer.alloc(bytes).toString('base64') },
})

test('the state is all that a checkpoint names; written for it is what no earlier one wrote', () => {
  const keyed: CompositeHandle = {
    ...{ type: 'composite', identity: identity(7, 'keyed'), backend: 'leveldb', index: inline(5, 'keyed') },
    parts: [shared(6, 1, 1000), shared(7, 1, 200), shared(7, 2, 30)],
  }
  expect(snapshotSizes([{ operatorId: 'a', keyed, operator: inline(4, 'operator') }], 2)).toEqual({
    ...{ stateBytes: 5 + 1000 + 200 + 30 + 4, checkpointedBytes: 5 + 30 + 4, persistedBytes: 0 },
  })
})

test('records in flight are part of the state, and counted on their own', () => {
  const channels = { handle: file(300, 'channels'), edges: [] }
  const states = [
    { operatorId: 'a', channels, operator: file(20, 'operator') },
    { operatorId: 'b', keyed: file(1, 'keyed') },
  ]
  expect(snapshotSizes(states, 1)).toEqual({ stateBytes: 321, checkpointedBytes: 321, persistedBytes: 300 })
  expect(snapshotSizes([], 1)).toEqual({ stateBytes: 0, checkpointedBytes: 0, persistedBytes: 0 })
})
