/**
 * The lock port: one holder a name on this host. The kernel frees the lock when its holder dies, however it dies.
 * It says nothing about other hosts; the fence of the checkpoint directory does.
 */
import { createServer } from 'node:net'

export interface Locks {
  /** A held lock, or undefined when another process of this host holds the name. */
  tryAcquire(name: string): Promise<Lock | undefined>
}

export interface Lock {
  release(): Promise<void>
}

/** Locks by abstract unix sockets on Linux; by a named pipe on Windows; by a socket file in the temporary folder elsewhere. */
export function systemLocks(): Locks {
  return {
    tryAcquire: (name) =>
      new Promise((resolve, reject) => {
        const server = createServer((socket) => socket.destroy())
        server.once('error', (error: NodeJS.ErrnoException) => {
          if (error.code === 'EADDRINUSE') resolve(undefined)
          else reject(error)
        })
        server.listen({ path: socketPath(name) }, () => {
          server.unref()
          resolve({ release: () => new Promise((done) => server.close(() => done())) })
        })
      }),
  }
}

function socketPath(name: string): string {
  if (process.platform === 'linux') return `\0millrace-${name}`
  if (process.platform === 'win32') return `\\\\.\\pipe\\millrace-${name}`
  return `/tmp/millrace-${name}.sock`
}
