/**
 * A user's own exactly-once sink: a transaction is one file, hidden until a rename commits it. Its name begins with the
 * time, so that the names of a subtask sort in the order in which they were written.
 */
import { randomUUID } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { defineSink } from 'millrace'

export function ledgerSink(folder) {
  mkdirSync(folder, { recursive: true })
  return defineSink({
    open: () => ({ lines: [], transactions: 0 }),
    write(connection, row) {
      connection.lines.push(`${JSON.stringify(row)}\n`)
    },
    prepare(connection) {
      if (connection.lines.length === 0) return undefined
      const name = `tx-${Date.now()}-${String(connection.transactions++).padStart(6, '0')}-${randomUUID()}`
      const file = openSync(join(folder, `.${name}`), 'wx')
      writeSync(file, connection.lines.join(''))
      fsyncSync(file)
      closeSync(file)
      syncFolder(folder)
      connection.lines = []
      return name
    },
    commit(_, names) {
      for (const name of names) commitTransaction(folder, name)
    },
  })
}

/** Harmless when it was committed before. */
function commitTransaction(folder, name) {
  const [hidden, visible] = [join(folder, `.${name}`), join(folder, name)]
  if (existsSync(hidden)) {
    renameSync(hidden, visible)
    syncFolder(folder)
  } else if (!existsSync(visible)) throw new Error(`transaction ${name} is neither prepared nor committed`)
}

function syncFolder(folder) {
  const handle = openSync(folder, 'r')
  fsyncSync(handle)
  closeSync(handle)
}
