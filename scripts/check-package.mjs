/** What npm users get: packs the package and has publint and are-the-types-wrong look at the tarball. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root, run } from './ready.mjs'

const folder = mkdtempSync(join(tmpdir(), 'millrace-pack-'))
try {
  const packed = spawnSync('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: root, encoding: 'utf8' })
  if (packed.status !== 0) throw new Error(`npm pack failed: ${packed.stderr}`)
  const tarball = join(folder, packed.stdout.trim().split('\n').at(-1))
  run('npx', ['publint', 'run', tarball, '--strict'])
  run('npx', ['attw', tarball, '--profile', 'esm-only', '--format', 'table-flipped', '--no-emoji'])
} finally {
  rmSync(folder, { recursive: true, force: true })
}
