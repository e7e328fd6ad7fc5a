/**
 * Runs batches of small file operations synchronously in a thread of its own, so that a batch costs one hop however
 * many fsyncs it holds. The thread starts with the first batch and never keeps the process alive while it is idle.
 */
import { Worker } from 'node:worker_threads'
import { type FailedOperation, fileError } from './file-error.ts'
import type { FileOperation } from './file-system.ts'

interface Waiting {
  readonly operations: readonly FileOperation[]
  readonly done: () => void
  readonly failed: (error: Error) => void
}

interface Failure {
  readonly step: number
  readonly code: string | undefined
  readonly message: string
}

export class DiskThread {
  #worker: Worker | undefined
  #nextId = 0
  readonly #waiting = new Map<number, Waiting>()
  readonly #source: string

  /** `source` is the program of the thread; tests hand in one that dies. */
  constructor(source: string = THREAD_SOURCE) {
    this.#source = source
  }

  /** Settles when all of them are done; rejects with the first failure, or when the thread dies underneath. */
  run(operations: readonly FileOperation[]): Promise<void> {
    return new Promise((done, failed) => {
      const id = this.#nextId++
      const sent = operations.map(withOwnBytes)
      const owned = sent.flatMap((operation) => (operation.type === 'writeNew' ? [operation.bytes.buffer] : []))
      try {
        this.#worker ??= this.#start()
        this.#waiting.set(id, { operations, done, failed })
        this.#worker.ref()
        this.#worker.postMessage({ id, operations: sent }, owned as ArrayBuffer[])
      } catch (thrown) {
        // Threads can run out like any other resource.
        this.#waiting.delete(id)
        failed(fileError(thrown, describe(operations[0], 0)))
      }
    })
  }

  /** Ends the thread; batches under way are rejected. The next batch starts another one. */
  async stop(): Promise<void> {
    await this.#worker?.terminate()
  }

  #start(): Worker {
    const worker = new Worker(this.#source, { eval: true, execArgv: [], name: 'millrace-disk' })
    worker.on('message', (reply: { readonly id: number; readonly failure?: Failure }) =>
      this.#settle(reply.id, reply.failure),
    )
    worker.on('error', (error) => this.#lost(worker, error.message))
    worker.on('exit', (code) => this.#lost(worker, `it ended with code ${code}`))
    return worker
  }

  #settle(id: number, failure: Failure | undefined): void {
    const waiting = this.#waiting.get(id)
    if (waiting === undefined) return
    this.#waiting.delete(id)
    if (this.#waiting.size === 0) this.#worker?.unref()
    if (failure === undefined) {
      waiting.done()
      return
    }
    const cause = Object.assign(new Error(failure.message), { code: failure.code })
    waiting.failed(fileError(cause, describe(waiting.operations[failure.step], failure.step)))
  }

  #lost(worker: Worker, why: string): void {
    if (this.#worker !== worker) return
    this.#worker = undefined
    const waiting = [...this.#waiting.values()]
    this.#waiting.clear()
    const cause = Object.assign(new Error(`the disk thread is gone: ${why}`), { code: 'THREAD_LOST' })
    for (const { operations, failed } of waiting) failed(fileError(cause, describe(operations[0], undefined)))
  }
}

/** A view is copied out of its buffer: a message would carry the whole buffer, and the caller keeps its own. */
function withOwnBytes(operation: FileOperation): FileOperation {
  return operation.type === 'writeNew' ? { ...operation, bytes: new Uint8Array(operation.bytes) } : operation
}

const VERBS: Readonly<Record<FileOperation['type'], string>> = {
  writeNew: 'write',
  makeFolder: 'make the folder',
  rename: 'rename',
  link: 'link',
  unlink: 'unlink',
  remove: 'remove',
  syncFolder: 'make durable the folder',
}

/** How an error names an operation of a batch. */
export function describe(operation: FileOperation | undefined, step: number | undefined): FailedOperation {
  if (operation === undefined) return { operation: 'run', path: '(an empty batch)', step }
  return {
    operation: VERBS[operation.type],
    path: 'from' in operation ? `${operation.from} → ${operation.to}` : operation.path,
    step,
  }
}

/**
 * The program of the thread. It is sent as text, so that it runs from compiled files and from sources alike: it may
 * use nothing but its two parameters.
 */
function diskThread(require: NodeJS.Require, port: import('node:worker_threads').MessagePort): void {
  const fs = require('node:fs') as typeof import('node:fs')
  const { dirname } = require('node:path') as typeof import('node:path')
  const { O_CREAT, O_EXCL, O_RDONLY, O_WRONLY } = fs.constants
  const createOnly = O_WRONLY | O_CREAT | O_EXCL | (fs.constants.O_NOFOLLOW ?? 0)

  const syncFolder = (path: string) => {
    // Windows has no fsync of a folder.
    if (process.platform === 'win32') return
    const fd = fs.openSync(path, O_RDONLY)
    try {
      fs.fsyncSync(fd)
    } finally {
      fs.closeSync(fd)
    }
  }

  const writeNew = (path: string, bytes: Uint8Array) => {
    const fd = fs.openSync(path, createOnly, 0o600)
    try {
      for (let done = 0; done < bytes.length; ) done += fs.writeSync(fd, bytes, done)
      fs.fsyncSync(fd)
      const { size } = fs.fstatSync(fd)
      if (size !== bytes.length)
        throw Object.assign(new Error(`EIO: ${size} of ${bytes.length} bytes arrived`), { code: 'EIO' })
    } finally {
      fs.closeSync(fd)
    }
  }

  const makeFolder = (path: string, withParents: boolean): void => {
    const parent = dirname(path)
    try {
      fs.mkdirSync(path, 0o700)
    } catch (thrown) {
      const code = (thrown as NodeJS.ErrnoException).code
      if (code === 'EEXIST' && fs.statSync(path).isDirectory()) return
      if (code !== 'ENOENT' || !withParents || parent === path) throw thrown
      makeFolder(parent, true)
      makeFolder(path, false)
      return
    }
    syncFolder(parent)
  }

  const execute = (operation: FileOperation) => {
    switch (operation.type) {
      case 'writeNew':
        return writeNew(operation.path, operation.bytes)
      case 'makeFolder':
        return makeFolder(operation.path, operation.parents !== 'mustExist')
      case 'rename':
        return fs.renameSync(operation.from, operation.to)
      case 'link':
        return fs.linkSync(operation.from, operation.to)
      case 'unlink':
        return fs.unlinkSync(operation.path)
      case 'remove':
        return fs.rmSync(operation.path, { recursive: true, force: true })
      case 'syncFolder':
        return syncFolder(operation.path)
    }
  }

  port.on('message', ({ id, operations }: { readonly id: number; readonly operations: readonly FileOperation[] }) => {
    let step = 0
    try {
      for (; step < operations.length; step++) execute(operations[step] as FileOperation)
      port.postMessage({ id })
    } catch (thrown) {
      const { code, message } = thrown as NodeJS.ErrnoException
      port.postMessage({ id, failure: { step, code, message } })
    }
  })
}

const THREAD_SOURCE = `(${diskThread.toString()})(require, require('node:worker_threads').parentPort)`
