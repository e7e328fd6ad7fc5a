/**
 * Makes pre-committed files visible: a link under the final name, then the pending name is removed. Nothing is ever
 * replaced, and committing again is harmless, after a crash at any point too.
 */
import { sha256 } from '../../base/digest.ts'
import { StreamError } from '../../base/errors.ts'
import type { FileOperation, FileStatus, FileSystem } from '../../base/file-system.ts'
import { parentPath } from '../../base/paths.ts'
import type { CommitRequest, Committer } from '../../operators/sink.ts'
import type { FileCommittable } from './file-committable.ts'

const READ_BYTES = 256 * 1024

export class FileCommitter implements Committer<FileCommittable> {
  readonly #files: FileSystem
  readonly #folder: string

  constructor(files: FileSystem, folder: string) {
    this.#files = files
    this.#folder = folder
  }

  async commit(requests: readonly CommitRequest<FileCommittable>[]): Promise<void> {
    const links: FileOperation[] = []
    const removals: FileOperation[] = []
    const folders = new Set<string>()
    for (const request of requests) {
      const { pending, final } = request.committable
      const state = await this.#stateOf(request)
      if (state === 'pending') links.push({ type: 'link', from: this.#path(pending), to: this.#path(final) })
      if (state === 'committed') request.alreadyCommitted()
      if (state === 'refused') continue
      removals.push({ type: 'remove', path: this.#path(pending) })
      // Both names lie in one folder, which was durable before the checkpoint was acknowledged.
      folders.add(parentPath(this.#path(final)))
    }
    if (removals.length === 0) return
    const syncs = Array.from(folders, (path): FileOperation => ({ type: 'syncFolder', path }))
    // The links are durable before the only other name is removed: a crash may lose either alone.
    await this.#files.execute([...links, ...syncs, ...removals, ...syncs])
  }

  close(): void {}

  async #stateOf(request: CommitRequest<FileCommittable>): Promise<'pending' | 'committed' | 'refused'> {
    const { pending, final, length, sha256: hash } = request.committable
    const finished = await this.#files.stat(this.#path(final))
    const waiting = await this.#files.stat(this.#path(pending))
    if (finished !== undefined) {
      // As long as the pending name is there, it tells whether the final one is this file or another with the same content.
      const mayBeThis = waiting === undefined || isSameFile(finished, waiting)
      if (mayBeThis && finished.size === length && (await this.#hash(final)) === hash) return 'committed'
      request.failed(this.#conflict(final, mayBeThis ? 'holds something else' : 'is a file of somebody else', request))
      return 'refused'
    }
    if (waiting?.size === length) return 'pending'
    // Between the two looks a process that was replaced may have committed it.
    if (waiting === undefined && (await this.#files.stat(this.#path(final))) !== undefined)
      return this.#stateOf(request)
    request.failed(
      waiting === undefined
        ? this.#missing(request)
        : this.#conflict(pending, `has ${waiting.size} bytes instead of ${length}`, request),
    )
    return 'refused'
  }

  async #hash(name: string): Promise<string> {
    const handle = await this.#files.openRead(this.#path(name))
    try {
      const digest = sha256()
      for (let offset = 0; ; ) {
        const bytes = await handle.read(offset, READ_BYTES)
        if (bytes.length === 0) return digest.hex()
        digest.update(bytes)
        offset += bytes.length
      }
    } finally {
      await handle.close()
    }
  }

  #path(name: string): string {
    return `${this.#folder}/${name}`
  }

  #missing({ committable, checkpointId }: CommitRequest<FileCommittable>): StreamError {
    return new StreamError('SINK_FILE_MISSING', {
      message: `Neither ${this.#path(committable.final)} nor its pending file ${committable.pending} exists. It holds ${committable.length} bytes of records of checkpoint ${checkpointId}.`,
      hint: 'Put the file back, or restore an older savepoint, from which its records are made again.',
      details: { folder: this.#folder, ...committable, checkpointId },
    })
  }

  #conflict(name: string, how: string, { committable, checkpointId }: CommitRequest<FileCommittable>): StreamError {
    return new StreamError('SINK_FILE_CONFLICT', {
      message: `${this.#path(name)} ${how}; it should be made visible with checkpoint ${checkpointId} and is not touched.`,
      hint: 'Move it away and start again from the last checkpoint. Give each job a directory of its own.',
      details: { folder: this.#folder, ...committable, checkpointId },
    })
  }
}

function isSameFile(one: FileStatus, other: FileStatus): boolean {
  return one.device === other.device && one.inode === other.inode
}
