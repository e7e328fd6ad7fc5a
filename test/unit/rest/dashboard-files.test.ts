import { describe, expect, it } from 'vitest'
import { SimulatedFileSystem } from '../../../src/base/simulated-file-system.ts'
import { readDashboard } from '../../../src/rest/dashboard-files.ts'

async function diskWith(files: Readonly<Record<string, string>>) {
  const disk = new SimulatedFileSystem()
  await disk.execute([{ type: 'makeFolder', path: '/web/assets' }])
  for (const [path, text] of Object.entries(files))
    await disk.execute([{ type: 'writeNew', path, bytes: new TextEncoder().encode(text) }])
  return disk
}

const FILES = { '/web/index.html': '<html>', '/web/main.js': 'x', '/web/assets/icon.ico': 'i', '/secret': 's' }

describe('the files of a dashboard', () => {
  it('are found by their whole names, and the root is index.html', async () => {
    const files = await readDashboard(await diskWith(FILES), '/web')
    expect(files.find('/')).toEqual(files.find('/index.html'))
    expect(files.find('/index.html')).toMatchObject({ contentType: 'text/html' })
    expect(files.find('/main.js')).toMatchObject({ contentType: 'application/javascript' })
    expect(files.find('/assets/icon.ico')).toMatchObject({ contentType: 'application/octet-stream' })
  })

  it.each(['/../secret', '/assets/../../secret', '//secret', '/secret', '/assets', '/assets/', '/main.js/', 'main.js'])(
    'are not found as %s',
    async (path) => expect((await readDashboard(await diskWith(FILES), '/web')).find(path)).toBeUndefined(),
  )

  it('are those of the start: what comes later is not served', async () => {
    const disk = await diskWith(FILES)
    const files = await readDashboard(disk, '/web')
    const before = files.find('/main.js')?.bytes
    await disk.execute([{ type: 'unlink', path: '/web/main.js' }])
    await disk.execute([{ type: 'writeNew', path: '/web/later.js', bytes: new Uint8Array(1) }])
    expect(Buffer.from(before ?? []).toString()).toBe(FILES['/web/main.js'])
    expect(files.find('/main.js')?.bytes).toEqual(before)
    expect(files.find('/later.js')).toBeUndefined()
  })

  it('are refused where there is no index.html', async () => {
    await expect(readDashboard(await diskWith({ '/web/x.html': '' }), '/web')).rejects.toMatchObject({
      code: 'REST_NOT_LISTENING',
    })
    await expect(readDashboard(await diskWith({}), '/nowhere')).rejects.toMatchObject({
      code: 'REST_NOT_LISTENING',
      cause: { code: 'FILE_ERROR' },
    })
  })
})
