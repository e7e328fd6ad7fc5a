/**
 * The file-system port: what the rest of the house may do with files, and the real implementation's door.
 * A path is absolute or relative to the working folder, with forward slashes. Every error of the disk is a
 * `FileError` with the system's code (ENOENT, EEXIST, ENOSPC, EIO, ...): nothing is retried and nothing is swallowed here.
 */
export interface FileSystem {
  /** Opens for reading. */
  openRead(path: string): Promise<ReadHandle>
  /** Creates a file that must not exist (EEXIST) and opens it for writing. */
  createExclusive(path: string): Promise<WriteHandle>
  /** The whole file. */
  read(path: string): Promise<Uint8Array>
  /** Undefined when there is nothing at the path. Symbolic links are followed. */
  stat(path: string): Promise<FileStatus | undefined>
  /** Names in a folder, sorted. A missing folder is ENOENT. */
  list(path: string): Promise<readonly FolderEntry[]>
  /** Runs operations one after the other, in one hop; the first that fails ends the batch and names its path. */
  execute(operations: readonly FileOperation[]): Promise<void>
  /**
   * Unpacks gzip, of several members too, in chunks of at most `chunkBytes` (64 or more). Iterated once: what `packed`
   * throws is thrown, and an error of zlib (code Z_...) when it is no gzip, is damaged, or ends in the middle; what came
   * before that may have been given or not. At a zero behind a member it ends without a word, whatever follows.
   */
  gunzip(packed: AsyncIterable<Uint8Array>, chunkBytes: number): Unpacked
  /**
   * Where an absolute path really leads, be there something or not. FILE_ERROR where that cannot be told: a link that leads
   * nowhere or in a circle, a folder that may not be looked into. Left out: there are no links and no owners.
   */
  readonly locate?: ((path: string) => Promise<LocatedPath>) | undefined
}

export interface LocatedPath {
  /** Without symbolic links; what is missing of it stands behind what exists, as it was named. */
  readonly path: string
  /** The part of it that exists. */
  readonly existing: string
  /** Of `existing`; `everybody`: a folder for temporary files, such as `/tmp`. Root counts as the owner of everything. */
  readonly owner: 'self' | 'everybody' | 'other'
}

export interface Unpacked extends AsyncIterable<Uint8Array> {
  /** At the end: how many of the packed bytes were gzip. */
  readonly bytesRead: number
}

/** The steps that change a disk. `sync` of a file and `syncFolder` are what make the steps before them durable. */
export type FileOperation =
  /** Creates a new file (EEXIST otherwise), writes all bytes and fsyncs it. */
  | { readonly type: 'writeNew'; readonly path: string; readonly bytes: Uint8Array }
  /**
   * Creates the folder and missing parents, and fsyncs the parent of each folder that was created. With
   * `parents: 'mustExist'` a missing parent is ENOENT: nobody brings back a folder that somebody else has moved away.
   */
  | { readonly type: 'makeFolder'; readonly path: string; readonly parents?: 'mustExist' | undefined }
  /** Replaces what is at `to` when it is a file; ENOTEMPTY when it is a folder with something in it. */
  | { readonly type: 'rename'; readonly from: string; readonly to: string }
  /** A hard link; EEXIST when `to` exists. */
  | { readonly type: 'link'; readonly from: string; readonly to: string }
  /** ENOENT when it is missing. */
  | { readonly type: 'unlink'; readonly path: string }
  /** Removes a file or a folder with everything in it; nothing when it is missing. */
  | { readonly type: 'remove'; readonly path: string }
  | { readonly type: 'syncFolder'; readonly path: string }

export interface WriteHandle {
  /** Appends all bytes. The array must not change until it has settled. */
  append(bytes: Uint8Array): Promise<void>
  /** What was appended is on the disk. After an error the handle is of no further use. */
  sync(): Promise<void>
  close(): Promise<void>
}

export interface ReadHandle {
  /** Up to `length` bytes from `offset`; fewer only at the end of the file. */
  read(offset: number, length: number): Promise<Uint8Array>
  stat(): Promise<FileStatus>
  close(): Promise<void>
}

export interface FileStatus {
  readonly kind: 'file' | 'folder' | 'other'
  readonly size: number
  /** Device and inode: the identity of the file behind the name. */
  readonly device: string
  readonly inode: string
  /** How many names it has: 0 when it was deleted and is still open. Undefined where nobody counts them. */
  readonly links?: number | undefined
  /** When its contents were changed last: another text after a change, no more. Undefined where nobody notes it. */
  readonly modified?: string | undefined
}

export interface FolderEntry {
  readonly name: string
  readonly kind: 'file' | 'folder' | 'other'
}
