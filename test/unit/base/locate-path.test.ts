/** Where a path really leads, on a real disk. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { locatePath } from '../../../src/base/locate-path.ts'

let at: string
beforeEach(() => {
  at = realpathSync(mkdtempSync(join(tmpdir(), 'millrace-')))
})
afterEach(() => rmSync(at, { recursive: true }))

describe('A path', () => {
  it('that exists leads where its links lead', async () => {
    mkdirSync(`${at}/a`)
    symlinkSync(`${at}/a`, `${at}/link`)
    expect(await locatePath(`${at}/link`)).toEqual({ path: `${at}/a`, existing: `${at}/a`, owner: 'self' })
  })

  it('whose end is missing leads from where the part before it leads', async () => {
    mkdirSync(`${at}/a`)
    symlinkSync(`${at}/a`, `${at}/link`)
    const found = await locatePath(`${at}/link/b/c`)
    expect(found).toEqual({ path: `${at}/a/b/c`, existing: `${at}/a`, owner: 'self' })
  })

  it('that goes on behind a file is missing from there', async () => {
    writeFileSync(`${at}/file`, '')
    expect(await locatePath(`${at}/file/b`)).toMatchObject({ path: `${at}/file/b`, existing: `${at}/file` })
  })

  it('of which nothing exists is missing from the root', async () => {
    expect(await locatePath('/no-such-folder-here/x')).toMatchObject({ path: '/no-such-folder-here/x', existing: '/' })
    expect(await locatePath('/')).toMatchObject({ path: '/', existing: '/' })
  })

  it.each([
    ['leads nowhere', 'missing', 'ENOENT'],
    ['leads in a circle', 'link', 'ELOOP'],
  ])('with a link that %s is refused', async (_, target, systemCode) => {
    symlinkSync(`${at}/${target}`, `${at}/link`)
    for (const path of [`${at}/link`, `${at}/link/b`])
      await expect(locatePath(path)).rejects.toMatchObject({ code: 'FILE_ERROR', details: { systemCode } })
  })

  it('that is too long is refused', async () => {
    await expect(locatePath(`/${'x/'.repeat(100_000)}`)).rejects.toMatchObject({ code: 'FILE_ERROR' })
  })
})
