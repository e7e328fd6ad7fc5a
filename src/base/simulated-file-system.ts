/**
 * The file-system port of one simulated process. Every single operation is counted, may be failed, delayed, held or be
 * the last one, and completes through the given turns: a run is repeatable. What a disk keeps is the disk's business.
 */
import { gunzipSync } from 'node:zlib'
import type { Clock } from './clock.ts'
import { describe } from './disk-thread.ts'
import { fileError } from './file-error.ts'
import type {
  FileOperation,
  FileStatus,
  FileSystem,
  FolderEntry,
  ReadHandle,
  Unpacked,
  WriteHandle,
} from './file-system.ts'
import { DiskRefusal, type FileNode, type Node, namesOf, type PowerLoss, SimulatedDisk } from './simulated-disk.ts'
import { eventLoopTurns, type Turns } from './turns.ts'

export interface SimulatedOperation {
  /** Counted from 1 over the life of the process. */
  readonly index: number
  readonly type:
    | 'create'
    | 'write'
    | 'sync'
    | 'close'
    | 'makeFolder'
    | 'rename'
    | 'link'
    | 'unlink'
    | 'removeFolder'
    | 'syncFolder'
    | 'open'
    | 'read'
    | 'stat'
    | 'list'
  readonly path: string
  /** Of a rename or a link. */
  readonly to?: string | undefined
}

export type Interference =
  /** The disk refuses with this code (ENOSPC, EIO, EMFILE, EACCES, ...). Of a write, `bytes` arrive before that. */
  | { readonly type: 'fail'; readonly code: string; readonly bytes?: number | undefined }
  /** It takes that long on the clock. */
  | { readonly type: 'delay'; readonly delayMs: number }
  /** It waits, and takes place when the promise has resolved. */
  | { readonly type: 'hold'; readonly until: Promise<void> }
  /** The process dies before it: nothing of it settles any more. */
  | { readonly type: 'stop' }

export interface SimulatedFileSystemOptions {
  readonly disk?: SimulatedDisk | undefined
  readonly turns?: Turns | undefined
  /** Needed by delays only. */
  readonly clock?: Clock | undefined
  /** Asked before each operation. */
  readonly interfere?: ((operation: SimulatedOperation) => Interference | undefined) | undefined
}

export class SimulatedFileSystem implements FileSystem {
  readonly disk: SimulatedDisk
  /** Resolves when an interference of type `stop`, a kill or a crash has ended this process. */
  readonly stopped: Promise<void>
  interfere: SimulatedFileSystemOptions['interfere']
  readonly #turns: Turns
  readonly #clock: Clock | undefined
  #operations = 0
  #batches: Promise<void> = Promise.resolve()
  #dead = false
  #die: () => void = () => {}

  constructor(options: SimulatedFileSystemOptions = {}) {
    this.disk = options.disk ?? new SimulatedDisk()
    this.interfere = options.interfere
    this.#turns = options.turns ?? eventLoopTurns()
    this.#clock = options.clock
    this.stopped = new Promise((resolve) => {
      this.#die = resolve
    })
  }

  /** How many operations this process has begun. */
  get operations(): number {
    return this.#operations
  }

  /** A second process on the same disk, without interference. */
  another(): SimulatedFileSystem {
    return new SimulatedFileSystem({ disk: this.disk, turns: this.#turns, clock: this.#clock })
  }

  /** The process dies, the system lives on: what was written stays, durable or not. Returns the next process. */
  kill(): SimulatedFileSystem {
    this.#end()
    return this.another()
  }

  /** Power loss: the process dies, and the file system is returned as it is found afterwards. */
  crash(loss: PowerLoss): SimulatedFileSystem {
    this.#end()
    return this.image(loss)
  }

  /** What a power loss at this moment would leave; this process lives on. */
  image(loss: PowerLoss): SimulatedFileSystem {
    return new SimulatedFileSystem({ disk: this.disk.afterPowerLoss(loss), turns: this.#turns, clock: this.#clock })
  }

  async openRead(path: string): Promise<ReadHandle> {
    const file = await this.#step('open', path, () => this.disk.file(path))
    return {
      read: (offset, length) =>
        this.#step('read', path, () => file.bytes.slice(offset, Math.min(file.length, offset + length))),
      stat: () => this.#step('stat', path, () => statusOf(file)),
      close: () => this.#step('close', path, () => {}),
    }
  }

  async createExclusive(path: string): Promise<WriteHandle> {
    const file = await this.#step('create', path, () => this.disk.createFile(path))
    return {
      append: (bytes) => this.#write(path, file, bytes),
      sync: () => this.#sync(path, file),
      close: () => this.#step('close', path, () => {}),
    }
  }

  async read(path: string): Promise<Uint8Array> {
    const file = await this.#step('open', path, () => this.disk.file(path))
    return this.#step('read', path, () => file.bytes.slice(0, file.length))
  }

  stat(path: string): Promise<FileStatus | undefined> {
    return this.#step('stat', path, () => {
      const node = this.disk.find(path)
      return node === undefined ? undefined : statusOf(node)
    })
  }

  list(path: string): Promise<readonly FolderEntry[]> {
    return this.#step('list', path, () =>
      [...this.disk.folder(path).live]
        .map(([name, { kind }]) => ({ name, kind }))
        .sort((one, other) => (one.name < other.name ? -1 : 1)),
    )
  }

  /** Batches run one after the other, as in the disk thread of a real process. */
  execute(operations: readonly FileOperation[]): Promise<void> {
    const done = this.#batches.then(() => this.#run(operations))
    this.#batches = done.catch(() => {
      // Whoever asked for that batch is told; the next one runs all the same.
    })
    return done
  }

  /** All at once and without the thread pool: time that stands still does not run on meanwhile. */
  gunzip(packed: AsyncIterable<Uint8Array>, chunkBytes: number): Unpacked {
    let bytesRead = 0
    async function* unpack(): AsyncGenerator<Uint8Array> {
      const chunks: Uint8Array[] = []
      for await (const chunk of packed) chunks.push(chunk)
      // Its type leaves out what `info` makes of the result.
      const unpacked: unknown = gunzipSync(Buffer.concat(chunks), { info: true })
      const { buffer, engine } = unpacked as { buffer: Uint8Array; engine: { bytesWritten: number } }
      bytesRead = engine.bytesWritten
      for (let at = 0; at < buffer.length; at += chunkBytes) yield buffer.subarray(at, at + chunkBytes)
    }
    return {
      [Symbol.asyncIterator]: unpack,
      get bytesRead() {
        return bytesRead
      },
    }
  }

  async #run(operations: readonly FileOperation[]): Promise<void> {
    for (const [step, operation] of operations.entries()) {
      try {
        await this.#execute(operation)
      } catch (thrown) {
        const cause = thrown instanceof Error ? (thrown.cause ?? thrown) : thrown
        throw fileError(cause, describe(operation, step))
      }
    }
  }

  async #execute(operation: FileOperation): Promise<void> {
    const disk = this.disk
    switch (operation.type) {
      case 'writeNew': {
        const { path, bytes } = operation
        const file = await this.#step('create', path, () => disk.createFile(path))
        await this.#write(path, file, bytes)
        await this.#sync(path, file)
        return this.#step('close', path, () => {})
      }
      case 'makeFolder':
        return this.#makeFolder(operation.path, operation.parents !== 'mustExist')
      case 'rename':
        return this.#step('rename', operation.from, () => disk.rename(operation.from, operation.to), operation.to)
      case 'link':
        return this.#step('link', operation.from, () => disk.link(operation.from, operation.to), operation.to)
      case 'unlink':
        return this.#step('unlink', operation.path, () => disk.unlink(operation.path))
      case 'remove':
        return this.#remove(operation.path)
      case 'syncFolder':
        return this.#step('syncFolder', operation.path, () => disk.syncFolder(operation.path))
    }
  }

  #write(path: string, file: FileNode, bytes: Uint8Array): Promise<void> {
    return this.#step(
      'write',
      path,
      () => this.disk.append(file, bytes),
      undefined,
      (arrived) => this.disk.append(file, bytes.subarray(0, arrived)),
    )
  }

  /** A sync that failed has dropped the bytes: a second one would claim what is not true. */
  #sync(path: string, file: FileNode): Promise<void> {
    return this.#step(
      'sync',
      path,
      () => this.disk.syncFile(file),
      undefined,
      () => {
        file.poisoned = true
      },
    )
  }

  async #makeFolder(path: string, withParents: boolean): Promise<void> {
    const parent = `/${namesOf(path).slice(0, -1).join('/')}`
    if (withParents && this.disk.find(parent) === undefined) await this.#makeFolder(parent, true)
    const made = await this.#step('makeFolder', path, () => this.disk.makeFolder(path))
    if (made) await this.#step('syncFolder', parent, () => this.disk.syncFolder(parent))
  }

  async #remove(path: string): Promise<void> {
    const node = this.disk.find(path)
    if (node === undefined) return
    if (node.kind === 'file') return this.#step('unlink', path, () => this.disk.unlink(path))
    for (const name of [...node.live.keys()].sort()) await this.#remove(`${path}/${name}`)
    await this.#step('removeFolder', path, () => this.disk.removeEmptyFolder(path))
  }

  async #step<T>(
    type: SimulatedOperation['type'],
    path: string,
    act: () => T,
    to?: string,
    partly?: (bytes: number) => void,
  ): Promise<T> {
    if (this.#dead) return never()
    const operation = { index: ++this.#operations, type, path, ...(to === undefined ? {} : { to }) }
    const interference = this.interfere?.(operation)
    if (interference?.type === 'stop') this.#end()
    if (interference?.type === 'hold') await interference.until
    if (interference?.type === 'delay') await this.#delay(interference.delayMs)
    await new Promise<void>((resolve) => this.#turns.next(resolve))
    if (this.#dead) return never()
    try {
      if (interference?.type !== 'fail') return act()
      partly?.(interference.bytes ?? 0)
      throw new DiskRefusal(interference.code)
    } catch (thrown) {
      throw fileError(thrown, { operation: type, path })
    }
  }

  #delay(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.#clock === undefined) resolve()
      else this.#clock.setTimer(delayMs, resolve)
    })
  }

  #end(): void {
    this.#dead = true
    this.#die()
  }
}

/** What a dead process waits for. */
function never<T>(): Promise<T> {
  return new Promise(() => {})
}

function statusOf(node: Node): FileStatus {
  return {
    kind: node.kind,
    size: node.kind === 'file' ? node.length : 0,
    device: 'simulated',
    inode: String(node.inode),
    links: node.kind === 'file' ? node.links : 1,
    modified: node.kind === 'file' ? String(node.writes) : '0',
  }
}
