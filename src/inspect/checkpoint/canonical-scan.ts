/** Walks keyed state of the canonical form, with no more than one blob of it in memory. */

import type { KeyGroupRange } from '../../state/key-group-range.ts'
import type { KeyedHeader } from '../../state/keyed-format.ts'
import { forEachEntry, readKeyedState } from '../../state/keyed-stream-reader.ts'
import type { StoredHandle } from '../../state/snapshot.ts'
import { ALL_KEY_GROUPS, type KeyedVisitor } from './keyed-visitor.ts'
import type { OpenCheckpoint } from './open-checkpoint.ts'

/** The key groups in `own`. Rejects with STATE_CORRUPT, STATE_INCOMPATIBLE, or what the checkpoint's reader has met. */
export async function scanCanonical(
  { reader }: OpenCheckpoint,
  handle: StoredHandle,
  visitor: KeyedVisitor,
  own: KeyGroupRange,
): Promise<void> {
  let current: number | undefined
  await readKeyedState({ handle, reader, keyGroups: handle.identity.keyGroups ?? ALL_KEY_GROUPS }, own, {
    header: (header) => visitor.header(header),
    async blob(blob) {
      if (current !== undefined && current !== blob.keyGroup) await visitor.keyGroupEnd(current)
      current = blob.keyGroup
      forEachEntry(blob, (tableId, key, value) => visitor.entry(blob.keyGroup, tableId, key, value))
    },
  })
  if (current !== undefined) await visitor.keyGroupEnd(current)
}

/** Thrown through the reader once the header is there. */
const ENOUGH = Symbol('the rest is not needed')

/** Without reading on: the file is not verified by this. Rejects as `scanCanonical` does. */
export async function canonicalHeader(checkpoint: OpenCheckpoint, handle: StoredHandle): Promise<KeyedHeader> {
  const found: KeyedHeader[] = []
  const header = (one: KeyedHeader) => {
    found.push(one)
    throw ENOUGH
  }
  try {
    await scanCanonical(checkpoint, handle, { header, entry: () => {}, keyGroupEnd: () => {} }, ALL_KEY_GROUPS)
  } catch (thrown) {
    if (thrown !== ENOUGH) throw thrown
  }
  return found[0] as KeyedHeader
}
