/** Walks the keyed state of one subtask, entry by entry, by the reader of the form that it has. */
import type { KeyGroupRange } from '../../state/key-group-range.ts'
import type { KeyedHeader } from '../../state/keyed-format.ts'
import { canonical } from '../../state/keyed-stream-reader.ts'
import { LEVELDB } from '../../state/level/checkpoint-chain.ts'
import type { StateHandle } from '../../state/snapshot.ts'
import { readingFile } from './bad-state.ts'
import { canonicalHeader, scanCanonical } from './canonical-scan.ts'
import { ALL_KEY_GROUPS, type KeyedVisitor } from './keyed-visitor.ts'
import { readLevelIndex, scanLevelLogs } from './level-scan.ts'
import type { OpenCheckpoint } from './open-checkpoint.ts'

export interface KeyedStateReader {
  /** Its tables. The files are not verified by reading them. */
  readonly header: KeyedHeader
  /** False: only its backend can tell what stands in them. */
  readonly isReadable: boolean
  /** The key groups in `own`. Rejects with STATE_CORRUPT, STATE_INCOMPATIBLE or what the checkpoint's reader has met; each names the file. */
  scan(visitor: KeyedVisitor, own?: KeyGroupRange): Promise<void>
  /** What `act` throws about bytes of this state comes out with the name of the file. */
  naming<T>(act: () => Promise<T>): Promise<T>
}

/** Rejects with STATE_CORRUPT, STATE_INCOMPATIBLE for the form of an unknown backend, or what the checkpoint's reader has met. */
export async function keyedStateReader(checkpoint: OpenCheckpoint, handle: StateHandle): Promise<KeyedStateReader> {
  const file = checkpoint.fileOf(handle.type === 'composite' ? handle.index : handle)
  const naming = <T>(act: () => Promise<T>): Promise<T> => readingFile(file, handle.identity, act)
  return naming(async () => {
    if (handle.type === 'composite' && handle.backend === LEVELDB) {
      const state = await readLevelIndex(checkpoint, handle)
      return {
        header: state.header,
        isReadable: state.logs !== undefined,
        scan: (visitor, own = ALL_KEY_GROUPS) => naming(() => scanLevelLogs(checkpoint, state, visitor, own)),
        naming,
      }
    }
    const stored = canonical(handle)
    return {
      header: await canonicalHeader(checkpoint, stored),
      isReadable: true,
      scan: (visitor, own = ALL_KEY_GROUPS) => naming(() => scanCanonical(checkpoint, stored, visitor, own)),
      naming,
    }
  })
}
