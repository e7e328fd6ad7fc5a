/** Takes a snapshot of keyed state in one go and in memory, for tests and replays. */
import type { FrozenTables } from '../state/frozen-tables.ts'
import type { KeyGroupRange } from '../state/key-group-range.ts'
import type { MemoryStateBackend } from '../state/memory/memory-state-backend.ts'
import type { SnapshotFormat, StoredHandle } from '../state/snapshot.ts'
import type { FrozenKeyedState, KeyedStateBackend, StoredKeyedState } from '../state/state-backend.ts'
import { SnapshotShelf } from './snapshot-shelf.ts'

/** A snapshot of any backend, as it comes back at a restore. The snapshots of one backend lie on one shelf. */
export function snapshotOf(
  backend: KeyedStateBackend,
  checkpointId: number,
  format: SnapshotFormat = 'checkpoint',
): Promise<StoredKeyedState> {
  return writtenOf(backend, backend.freeze(checkpointId, format))
}

/** Serialises what is left of a frozen state of the backend, writes it and releases it. */
export async function writtenOf(backend: KeyedStateBackend, frozen: FrozenKeyedState): Promise<StoredKeyedState> {
  const { keyGroups } = backend
  const shelf = shelfOf(backend)
  try {
    while (!frozen.step(1024));
    const handle = await frozen.write(shelf.target(frozen.checkpointId, keyGroups))
    return { keyGroups, handle, reader: shelf }
  } finally {
    frozen.release()
  }
}

/** The payload of a snapshot in the canonical form. */
export async function canonicalBytes(backend: KeyedStateBackend, checkpointId: number): Promise<Uint8Array> {
  const { handle, reader } = await snapshotOf(backend, checkpointId, 'canonical')
  return reader.read(handle as StoredHandle)
}

/** Makes the snapshots to come of a backend lie where this one lies, as those of one job do. */
export function goOnFrom({ reader }: StoredKeyedState, backend: KeyedStateBackend): void {
  shelves.set(backend, reader as SnapshotShelf)
}

/** One a backend: a checkpoint may name files of an earlier one. */
const shelves = new WeakMap<KeyedStateBackend, SnapshotShelf>()

function shelfOf(backend: KeyedStateBackend): SnapshotShelf {
  const shelf = shelves.get(backend) ?? new SnapshotShelf()
  shelves.set(backend, shelf)
  return shelf
}

/** Freezes, serialises and gives the payload; nothing is waited for. */
export function keyedSnapshot(backend: MemoryStateBackend, checkpointId: number): Uint8Array {
  return finishSnapshot(backend.freeze(checkpointId))
}

/** Serialises what is left of a frozen state, gives its payload and releases it. */
export function finishSnapshot(frozen: FrozenTables): Uint8Array {
  try {
    while (!frozen.step(1024));
    const chunks: Uint8Array[] = []
    for (const chunk of frozen.payload()) chunks.push(chunk.slice())
    return new Uint8Array(Buffer.concat(chunks))
  } finally {
    frozen.release()
  }
}

/** A canonical payload as it comes back at a restore. */
export function storedBytes(bytes: Uint8Array, keyGroups: KeyGroupRange): StoredKeyedState {
  return storedInline(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64'), keyGroups)
}

export function storedInline(base64: string, keyGroups: KeyGroupRange): StoredKeyedState {
  const identity = { checkpointId: 1, operatorId: '0'.repeat(32), subtask: 0, kind: 'keyed', keyGroups } as const
  return { keyGroups, handle: { type: 'inline', identity, bytes: base64 }, reader: new SnapshotShelf() }
}
