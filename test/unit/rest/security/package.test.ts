/** What installs with the package, and what it brings: S26 and S27 of docs/SECURITY-CHECKLIST.md. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../../../..', import.meta.url))
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const own = JSON.parse(read('package.json'))
const lock = JSON.parse(read('package-lock.json'))

interface Locked {
  readonly version?: string
  readonly resolved?: string
  readonly integrity?: string
  readonly link?: boolean
  readonly dev?: boolean
  readonly hasInstallScript?: boolean
}
const locked = Object.entries<Locked>(lock.packages).filter(([path]) => path !== '')

describe('The package', () => {
  it('runs nothing when it is installed', () => {
    const atInstall = ['preinstall', 'install', 'postinstall', 'prepare', 'prepublish']
    expect(Object.keys(own.scripts).filter((name) => atInstall.includes(name))).toEqual([])
  })

  it('brings what is listed, and no tests, programs or settings of its authors', () => {
    const forUsers = /^(dist\/(machines|src)|README\.md|LICENSE|CHANGELOG\.md|docs\/[\w.]+)$/
    expect(own.files.length).toBeGreaterThan(0)
    expect(own.files.filter((name: string) => !forUsers.test(name))).toEqual([])
  })

  it('names one version of each dependency, each with a reason', () => {
    const reasons = read('docs/decisions/0002-dependencies.md')
    for (const [name, version] of Object.entries<string>(own.dependencies)) {
      expect(version, name).toMatch(/^\d+\.\d+\.\d+$/)
      expect(reasons, name).toContain(name)
    }
  })
})

describe('The lockfile', () => {
  it('takes every package from the registry, by its digest', () => {
    expect(locked.length).toBeGreaterThan(50)
    const strange = locked.filter(
      ([, { resolved, integrity, link }]) =>
        link === true ||
        !/^sha512-/.test(integrity ?? '') ||
        (resolved !== undefined && !resolved.startsWith('https://registry.npmjs.org/')),
    )
    expect(strange.map(([path]) => path)).toEqual([])
  })

  it('has one package for users with a script at its installation, which loads without it', () => {
    const scripted = locked.filter(([, { hasInstallScript, dev }]) => hasInstallScript === true && dev !== true)
    expect(scripted.map(([path]) => path)).toEqual(['node_modules/classic-level'])
    const prebuilt = readdirSync(join(root, 'node_modules/classic-level/prebuilds'))
    for (const platform of ['darwin', 'linux', 'win32'])
      expect(
        prebuilt.some((name) => name.startsWith(platform)),
        platform,
      ).toBe(true)
  })
})

describe('The sources', () => {
  it('make no code of data, and read no HTTP that only a lenient parser reads', () => {
    const forbidden =
      /\beval\(|new Function\(|insecureHTTPParser|rejectUnauthorized: (?!true)|NODE_TLS_REJECT_UNAUTHORIZED|\bv8\.deserialize\(/
    const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.ts'),
    )
    expect(files.filter((name) => forbidden.test(read(join('src', name))))).toEqual([])
  })
})
