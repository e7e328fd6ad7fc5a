/** Where the checkpoints of a model job lie: files go as a job directory lets them go, and what is gone cannot be read. */
import type { KeyGroupRange } from '../../../../src/state/key-group-range.ts'
import type { SnapshotReader, SnapshotTarget, StateHandle, StoredHandle } from '../../../../src/state/snapshot.ts'

const INLINE_BYTES = 60

export class JobShelf implements SnapshotReader {
  readonly #files = new Map<string, Uint8Array>()
  #names = 0
  /** The next file that is finished fails. */
  failNext = false

  get fileCount(): number {
    return this.#files.size
  }

  target(checkpointId: number, keyGroups: KeyGroupRange): SnapshotTarget {
    const identity = { checkpointId, operatorId: '0'.repeat(32), subtask: 0, kind: 'keyed', keyGroups } as const
    return {
      open: (scope = 'own') => {
        const parts: Uint8Array[] = []
        const path = `${scope}-${checkpointId}-${this.#names++}`
        return {
          // Some streams have to be waited for.
          append: (bytes) => {
            parts.push(bytes.slice())
            return parts.length % 3 === 0 ? Promise.resolve() : undefined
          },
          finish: async (): Promise<StoredHandle> => {
            const bytes = new Uint8Array(Buffer.concat(parts))
            if (bytes.length <= INLINE_BYTES)
              return { type: 'inline', identity, bytes: Buffer.from(bytes).toString('base64') }
            if (this.failNext) {
              this.failNext = false
              throw new Error('the disk is full')
            }
            this.#files.set(path, bytes)
            const file = { identity, path, length: bytes.length, sha256: '0'.repeat(64) }
            return scope === 'own' ? { type: 'file', ...file } : { type: 'shared', epoch: 1, ...file }
          },
          abandon: async () => void this.#files.delete(path),
        }
      },
    }
  }

  async read(handle: StoredHandle): Promise<Uint8Array> {
    if (handle.type === 'inline') return new Uint8Array(Buffer.from(handle.bytes, 'base64'))
    const bytes = this.#files.get(handle.path)
    if (bytes === undefined) throw new Error(`file ${handle.path} is gone`)
    return bytes
  }

  async scan(handle: StoredHandle, take: (bytes: Uint8Array, length: number) => void | Promise<void>): Promise<void> {
    const bytes = await this.read(handle)
    for (let start = 0; start < bytes.length; start += 1000) await take(bytes.slice(start, start + 1000), bytes.length)
  }

  /** Only what these name stays. */
  keepOnly(handles: Iterable<StateHandle>): void {
    const kept = new Set<string>()
    for (const handle of handles) for (const path of pathsOf(handle)) kept.add(path)
    for (const path of this.#files.keys()) if (!kept.has(path)) this.#files.delete(path)
  }
}

export function pathsOf(handle: StateHandle): readonly string[] {
  if (handle.type === 'inline') return []
  if (handle.type !== 'composite') return [handle.path]
  return [handle.index, ...handle.parts].flatMap(pathsOf)
}
