/**
 * The lock port: one holder a name on this host. The kernel frees the lock when its holder dies, however it dies.
 * It says nothing about other hosts; the fence of the checkpoint directory does.
 */
import { unlink } from 'node:fs/promises'
import { connect, createServer } from 'node:net'

export interface Locks {
  /** A held lock, or undefined when another process of this host holds the name. */
  tryAcquire(name: string): Promise<Lock | undefined>
}

export interface Lock {
  release(): Promise<void>
}

/**
 * Locks by abstract unix sockets on Linux; by a named pipe on Windows; by a socket file in the temporary folder elsewhere.
 * `pathOf` is for tests: where the socket of a name is.
 */
export function systemLocks(pathOf: (name: string) => string = socketPath): Locks {
  return {
    async tryAcquire(name) {
      const path = pathOf(name)
      const lock = await listen(path)
      if (lock !== undefined || !(await isLeftOver(path))) return lock
      await unlink(path).catch(() => {
        // Somebody else has found it too, and was faster: the next try tells who has the name.
      })
      return listen(path)
    },
  }
}

function listen(path: string): Promise<Lock | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy())
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined)
      else reject(error)
    })
    server.listen({ path }, () => {
      server.unref()
      resolve({ release: () => new Promise((done) => server.close(() => done())) })
    })
  })
}

/** Where a socket is a file, the kernel frees the socket of a dead process and leaves its file: nobody answers there. */
function isLeftOver(path: string): Promise<boolean> {
  if (path.startsWith('\0') || process.platform === 'win32') return Promise.resolve(false)
  return new Promise((resolve) => {
    const socket = connect({ path })
    const answer = (leftOver: boolean) => {
      socket.destroy()
      resolve(leftOver)
    }
    socket.once('connect', () => answer(false))
    socket.once('error', (error: NodeJS.ErrnoException) => answer(error.code === 'ECONNREFUSED'))
  })
}

function socketPath(name: string): string {
  if (process.platform === 'linux') return `\0millrace-${name}`
  if (process.platform === 'win32') return `\\\\.\\pipe\\millrace-${name}`
  return `/tmp/millrace-${name}.sock`
}
