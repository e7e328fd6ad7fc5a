/**
 * The real file system. Batches run in a disk thread, streams, reads and unpacking on Node's own thread pool. Files are made
 * 0600 and folders 0700, exclusively and never through a symbolic link.
 */
import { constants, type Dirent } from 'node:fs'
import { type FileHandle, open, readdir, readFile, stat } from 'node:fs/promises'
import { pipeline, Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { DiskThread } from './disk-thread.ts'
import { fileError } from './file-error.ts'
import type { FileStatus, FileSystem, FolderEntry, ReadHandle, Unpacked, WriteHandle } from './file-system.ts'
import { locatePath } from './locate-path.ts'

export interface NodeFileSystem extends FileSystem {
  /** Ends the helper thread. Needed by nobody but tests: an idle thread keeps no process alive. */
  stop(): Promise<void>
}

export function nodeFileSystem(thread: DiskThread = new DiskThread()): NodeFileSystem {
  return {
    openRead: (path) => trying('open', path, async () => readHandle(path, await open(path, READ_ONLY))),
    createExclusive: (path) =>
      trying('create', path, async () => writeHandle(path, await open(path, CREATE_ONLY, 0o600))),
    read: (path) => trying('read', path, () => readFile(path)),
    async stat(path) {
      try {
        return statusOf(await stat(path, { bigint: true }))
      } catch (thrown) {
        const { code } = thrown as NodeJS.ErrnoException
        if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
        throw fileError(thrown, { operation: 'look at', path })
      }
    },
    list: (path) =>
      trying('list', path, async () => {
        const entries = await readdir(path, { withFileTypes: true })
        return entries.map((entry): FolderEntry => ({ name: entry.name, kind: kindOf(entry) })).sort(byName)
      }),
    execute: (operations) => thread.run(operations),
    gunzip,
    locate: locatePath,
    stop: () => thread.stop(),
  }
}

/** Of a pipe that has nobody at its other end, opening would hold a thread for ever. */
const READ_ONLY = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)
const CREATE_ONLY = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0)

function writeHandle(path: string, file: FileHandle): WriteHandle {
  let length = 0
  return {
    append: (bytes) =>
      trying('write', path, async () => {
        for (let done = 0; done < bytes.length; ) {
          const { bytesWritten } = await file.write(bytes, done, bytes.length - done)
          done += bytesWritten
        }
        length += bytes.length
      }),
    sync: () =>
      trying('make durable', path, async () => {
        await file.sync()
        const { size } = await file.stat()
        if (size !== length) throw Object.assign(new Error(`EIO: ${size} of ${length} bytes arrived`), { code: 'EIO' })
      }),
    close: () => trying('close', path, () => file.close()),
  }
}

function readHandle(path: string, file: FileHandle): ReadHandle {
  return {
    read: (offset, length) =>
      trying('read', path, async () => {
        const bytes = new Uint8Array(length)
        let done = 0
        while (done < length) {
          const { bytesRead } = await file.read(bytes, done, length - done, offset + done)
          if (bytesRead === 0) break
          done += bytesRead
        }
        return done === length ? bytes : bytes.subarray(0, done)
      }),
    stat: () => trying('look at', path, async () => statusOf(await file.stat({ bigint: true }))),
    close: () => trying('close', path, () => file.close()),
  }
}

function gunzip(packed: AsyncIterable<Uint8Array>, chunkBytes: number): Unpacked {
  const unpacking = createGunzip({ chunkSize: Math.max(64, chunkBytes) })
  pipeline(Readable.from(packed, { objectMode: true, highWaterMark: 1 }), unpacking, () => {
    // What went wrong ends the iteration.
  })
  return {
    [Symbol.asyncIterator]: () => unpacking[Symbol.asyncIterator](),
    get bytesRead() {
      return unpacking.bytesWritten
    },
  }
}

async function trying<T>(operation: string, path: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (thrown) {
    throw fileError(thrown, { operation, path })
  }
}

function statusOf(stats: {
  isFile(): boolean
  isDirectory(): boolean
  size: bigint
  dev: bigint
  ino: bigint
  nlink: bigint
  mtimeNs: bigint
}): FileStatus {
  return {
    kind: kindOf(stats),
    size: Number(stats.size),
    device: String(stats.dev),
    inode: String(stats.ino),
    links: Number(stats.nlink),
    modified: String(stats.mtimeNs),
  }
}

function kindOf(entry: Pick<Dirent, 'isFile' | 'isDirectory'>): FolderEntry['kind'] {
  if (entry.isFile()) return 'file'
  return entry.isDirectory() ? 'folder' : 'other'
}

function byName(one: FolderEntry, other: FolderEntry): number {
  return one.name < other.name ? -1 : 1
}
