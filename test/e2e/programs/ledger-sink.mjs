/**
 * An exactly-once sink of its own: a transaction is one file, hidden until it is committed by a rename. Its name carries
 * epoch, attempt and number, so that the names of a subtask sort in the order in which they were written.
 */
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'

export function ledgerSink(folder) {
  mkdirSync(folder, { recursive: true })
  return {
    createWriter: (context) => new LedgerWriter(folder, context),
    createCommitter: () => ({
      commit(requests) {
        for (const request of requests) {
          if (!commitTransaction(folder, request.committable)) request.alreadyCommitted()
        }
      },
      close() {},
    }),
  }
}

class LedgerWriter {
  #folder
  #context
  #lines = []
  #written = 0

  constructor(folder, context) {
    this.#folder = folder
    this.#context = context
  }

  write(row) {
    this.#lines.push(`${JSON.stringify(row)}\n`)
  }

  flush() {}

  prepareCommit() {
    if (this.#lines.length === 0) return []
    const { epoch, attempt, subtask, jobId } = this.#context
    const number = String(this.#written++).padStart(6, '0')
    const name = `tx-${String(epoch).padStart(6, '0')}-${attempt}-${number}-${subtask}-${jobId.slice(0, 8)}`
    const file = openSync(join(this.#folder, `.${name}`), 'wx')
    writeSync(file, this.#lines.join(''))
    fsyncSync(file)
    closeSync(file)
    syncFolder(this.#folder)
    this.#lines = []
    return [name]
  }

  close() {}
}

/** False: it was committed before. */
function commitTransaction(folder, name) {
  const [hidden, visible] = [join(folder, `.${name}`), join(folder, name)]
  if (!existsSync(hidden)) {
    if (existsSync(visible)) return false
    throw new Error(`transaction ${name} is neither prepared nor committed`)
  }
  renameSync(hidden, visible)
  syncFolder(folder)
  return true
}

function syncFolder(folder) {
  const handle = openSync(folder, 'r')
  fsyncSync(handle)
  closeSync(handle)
}
