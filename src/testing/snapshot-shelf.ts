/** Where the snapshots of tests lie: streams that keep what is appended, and the reader of what they became. */
import { sha256 } from '../base/digest.ts'
import { StreamError } from '../base/errors.ts'
import type { KeyGroupRange } from '../state/key-group-range.ts'
import type {
  SnapshotIdentity,
  SnapshotReader,
  SnapshotStream,
  SnapshotTarget,
  StoredHandle,
} from '../state/snapshot.ts'

/** A piece that `scan` gives: small, so that readers meet every border. */
const PIECE_BYTES = 100

/** A file for each stream that was finished, shared ones included; what was abandoned is not there. */
export class SnapshotShelf implements SnapshotReader {
  readonly #files = new Map<string, Uint8Array>()
  #names = 0

  /** For the keyed state of one checkpoint. */
  target(checkpointId: number, keyGroups: KeyGroupRange): SnapshotTarget {
    const operatorId = '0'.repeat(32)
    const identity: SnapshotIdentity = { checkpointId, operatorId, subtask: 0, kind: 'keyed', keyGroups }
    return { open: (scope = 'own') => this.#open(identity, scope) }
  }

  #open(identity: SnapshotIdentity, scope: 'own' | 'shared'): SnapshotStream {
    const parts: Uint8Array[] = []
    return {
      append: (bytes) => void parts.push(bytes.slice()),
      finish: () => Promise.resolve(this.#keep(identity, scope, new Uint8Array(Buffer.concat(parts)))),
      abandon: () => Promise.resolve(void parts.splice(0)),
    }
  }

  #keep(identity: SnapshotIdentity, scope: 'own' | 'shared', bytes: Uint8Array): StoredHandle {
    const path = `${scope}-${this.#names++}`
    this.#files.set(path, bytes)
    const hash = sha256()
    hash.update(bytes)
    const file = { identity, path, length: bytes.length, sha256: hash.hex() }
    return scope === 'own' ? { type: 'file', ...file } : { type: 'shared', epoch: 1, ...file }
  }

  /** Rejects with CHECKPOINT_MISSING for what lies on another shelf. */
  read(handle: StoredHandle): Promise<Uint8Array> {
    if (handle.type === 'inline') return Promise.resolve(new Uint8Array(Buffer.from(handle.bytes, 'base64')))
    const bytes = this.#files.get(handle.path)
    return bytes === undefined ? Promise.reject(notHere(handle.path)) : Promise.resolve(bytes.slice())
  }

  async scan(
    handle: StoredHandle,
    take: (bytes: Uint8Array, payloadLength: number) => void | Promise<void>,
  ): Promise<void> {
    const bytes = await this.read(handle)
    for (let start = 0; start < bytes.length; start += PIECE_BYTES) {
      // One array for all, overwritten by the next: the contract allows it.
      const piece = bytes.slice(start, start + PIECE_BYTES)
      await take(piece, bytes.length)
      piece.fill(0xff)
    }
  }
}

function notHere(path: string): StreamError {
  return new StreamError('CHECKPOINT_MISSING', {
    message: `There is no state file '${path}' here.`,
    hint: 'Read it where it was written.',
  })
}
