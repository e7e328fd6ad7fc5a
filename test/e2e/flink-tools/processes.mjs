/** Processes of these checks: run to their end within a time, or alive until they are told to end. None is left behind. */
import { spawn } from 'node:child_process'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
export const root = join(here, '..', '..', '..')
export const COMMAND = join(root, 'dist', 'src', 'cli', 'main.js')
const STARTED_MS = 60_000
/** A process that was asked to end and has not. */
const PATIENCE_MS = 15_000

const alive = new Set()
process.on('exit', () => {
  for (const child of alive) child.kill('SIGKILL')
})

/** Resolves with exit code (null: it was killed because its time was over), stdout and stderr. */
export function run(command, args, { timeoutMs = 90_000, env = {} } = {}) {
  const child = begin(command, args, { env, stdin: 'ignore' })
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs)
  const printed = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'])
    child[stream].setEncoding('utf8').on('data', (text) => {
      printed[stream] += text
    })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => {
      clearTimeout(timer)
      resolve({ code, ...printed })
    })
  })
}

/**
 * Starts a process and waits for the first line that `found` makes something of. Gives that, and `end()`: closes its
 * standard input, waits, and kills what does not go; `ended` resolves with its exit code. Rejects when it ends before.
 */
export async function living(args, found, { env = {} } = {}) {
  const child = begin(process.execPath, args, { env, stdin: 'pipe' })
  let printed = ''
  const ended = new Promise((resolve) => child.on('close', resolve))
  const first = await new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      reject(new Error(`nothing came within ${STARTED_MS} ms: ${printed}`))
    }, STARTED_MS)
    for (const stream of [child.stdout, child.stderr])
      createInterface({ input: stream }).on('line', (line) => {
        printed += `${line}\n`
        const what = found(line)
        if (what === undefined) return
        clearTimeout(timer)
        resolve(what)
      })
    child.on('close', (code) => {
      clearTimeout(timer)
      reject(new Error(`it ended with ${code}: ${printed}`))
    })
  })
  const end = async () => {
    const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS)
    child.stdin.end()
    await ended
    clearTimeout(timer)
  }
  return { first, ended, end, printed: () => printed }
}

/** The jobs of cluster.mjs, and its server. */
export function cluster(args) {
  return living([join(here, 'cluster.mjs'), ...args], (line) =>
    line.startsWith('{"url"') ? JSON.parse(line) : undefined,
  )
}

function begin(command, args, { env, stdin }) {
  const child = spawn(command, args, { cwd: root, env: { ...process.env, ...env }, stdio: [stdin, 'pipe', 'pipe'] })
  alive.add(child)
  child.on('close', () => alive.delete(child))
  return child
}
