/**
 * The folders of the buckets that one writer uses: there and durable before a file is pre-committed in them, and no number
 * of theirs is used again. Remembers only so many.
 */
import type { FileSystem } from '../../base/file-system.ts'
import { bucketFolderOperations } from './bucket-path.ts'
import { highestNumber } from './part-names.ts'

const MOST_REMEMBERED = 10_000

export class BucketFolders {
  readonly #files: FileSystem
  readonly #folder: string
  /** Those that were looked at, the oldest first. */
  readonly #known = new Set<string>()

  constructor(files: FileSystem, folder: string) {
    this.#files = files
    this.#folder = folder
  }

  isKnown(bucket: string): boolean {
    return bucket === '' || this.#known.has(bucket)
  }

  /** The highest number that a file in the bucket has, -1 when there is none. Its folder is durable afterwards. */
  async prepare(bucket: string): Promise<number> {
    await this.#files.execute(bucketFolderOperations(this.#folder, bucket))
    const entries = await this.#files.list(`${this.#folder}/${bucket}`)
    for (const oldest of this.#known) {
      if (this.#known.size < MOST_REMEMBERED) break
      this.#known.delete(oldest)
    }
    this.#known.add(bucket)
    return highestNumber(entries.map(({ name }) => name))
  }
}
