/**
 * Makes a checkout ready to run: installs what the lockfile names and builds what has changed. Does nothing that is
 * done already. Needs nothing but Node and npm.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))
const built = join(root, 'dist', '.built-from')

export function makeReady() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major < 20 || (major === 20 && minor < 19))
    stop(`Millrace needs Node 20.19 or later; this is ${process.version}.`)
  if (!installed()) {
    console.log('Installing the packages that package-lock.json names ...')
    run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'])
  }
  const source = sourceHash()
  if (!existsSync(built) || readFileSync(built, 'utf8') !== source) {
    console.log('Building ...')
    run('npm', ['run', '--silent', 'build'])
    writeFileSync(built, source)
  }
}

/** Runs a program of this checkout to its end; ends this process with its status when that is not 0. */
export function run(command, args, environment = {}) {
  const { status, signal, error } = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
    env: { ...process.env, ...environment },
  })
  if (error) stop(`${command} cannot be started: ${error.message}`)
  if (status !== 0) process.exit(status ?? (signal === 'SIGINT' ? 130 : 1))
}

/** npm writes down what it has installed; compared with the lockfile, that spares an installation. */
function installed() {
  const record = join(root, 'node_modules', '.package-lock.json')
  if (!existsSync(record)) return false
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages
  const present = JSON.parse(readFileSync(record, 'utf8')).packages
  return Object.entries(wanted).every(
    ([path, entry]) => path === '' || entry.optional || present[path]?.version === entry.version,
  )
}

function sourceHash() {
  const hash = createHash('sha256')
  const add = (path) => hash.update(path).update(readFileSync(join(root, path)))
  for (const folder of ['machines', 'src']) {
    for (const name of readdirSync(join(root, folder), { recursive: true }).sort())
      if (name.endsWith('.ts')) add(join(folder, name))
  }
  for (const name of ['package.json', 'tsconfig.json', 'tsconfig.build.json', 'package-lock.json']) add(name)
  return hash.digest('hex')
}

function stop(message) {
  console.error(message)
  process.exit(1)
}
