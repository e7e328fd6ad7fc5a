/**
 * `node scripts/api-reference.mjs`: the reference of the public doors, as pages in target/api-reference, from the
 * docstrings. With --check it writes nothing and fails where an exported symbol has none. TypeDoc and the TypeScript that
 * it needs are installed beside its settings, in scripts/api-reference.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeReady, root, run } from './ready.mjs'

const tool = join(root, 'scripts', 'api-reference')
const check = process.argv.includes('--check')

// The types of Node are needed; nothing has to be built.
if (!existsSync(join(root, 'node_modules'))) makeReady()
if (!installed()) run('npm', ['ci', '--prefix', tool, '--no-audit', '--no-fund', '--loglevel=error'])
run(process.execPath, [
  join(tool, 'node_modules', 'typedoc', 'bin', 'typedoc'),
  '--options',
  join(tool, 'typedoc.json'),
  ...(check ? ['--emit', 'none', '--treatValidationWarningsAsErrors'] : ['--logLevel', 'Error']),
])
if (!check) console.log(`Open ${join(root, 'target', 'api-reference', 'index.html')}`)

/** What npm wrote down of its last installation, compared with the lockfile. */
function installed() {
  const record = join(tool, 'node_modules', '.package-lock.json')
  if (!existsSync(record)) return false
  const { packages: present } = JSON.parse(readFileSync(record, 'utf8'))
  const { packages: wanted } = JSON.parse(readFileSync(join(tool, 'package-lock.json'), 'utf8'))
  return Object.entries(wanted).every(([path, { version }]) => path === '' || present[path]?.version === version)
}
