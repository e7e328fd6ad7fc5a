import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ProgramOptions } from '../../../src/api/program-options.ts'
import { ConfigurationReader } from '../../../src/base/config/configuration-reader.ts'
import type { Configuration } from '../../../src/base/config/options.ts'
import { readPrivateFile } from '../../../src/base/private-file.ts'
import { restServer } from '../../../src/rest/rest-server.ts'
import { portsOf, type RestServerOptions } from '../../../src/rest/rest-server-options.ts'
import { readRestSettings } from '../../../src/rest/rest-settings.ts'

function settings(
  options: RestServerOptions = {},
  configuration: Configuration = {},
  file = { text: 't0ken\n', openToOthers: false },
) {
  const program = new ProgramOptions()
  program.setAll(configuration)
  return readRestSettings(options, new ConfigurationReader([program.layer()]), async () => file)
}

describe('where a REST server listens', () => {
  it('is the loopback, on the first free port from 8081 to 8090, where nobody says otherwise', async () => {
    const { bindAddress, ports, token } = await settings()
    expect({ bindAddress, first: ports[0], last: ports.at(-1), count: ports.length, token }).toEqual({
      bindAddress: '127.0.0.1',
      first: 8081,
      last: 8090,
      count: 10,
      token: undefined,
    })
  })

  it('is what the code says, then rest.bind-port, then rest.port', async () => {
    const all = { 'rest.bind-port': '9001-9002', 'rest.port': 9100 }
    expect((await settings({ port: '9200-9201' }, all)).ports).toEqual([9200, 9201])
    expect((await settings({}, all)).ports).toEqual([9001, 9002])
    expect((await settings({}, { 'rest.port': 9100 })).ports).toEqual([9100])
    expect((await settings({ port: 0 }, all)).ports).toEqual([0])
  })

  it('is refused for a range that is none', async () => {
    await expect(settings({}, { 'rest.bind-port': '9002-9001' })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    expect([portsOf('1-2-3'), portsOf('70000'), portsOf(''), portsOf('-1'), portsOf(1.5)]).toEqual(
      Array(5).fill(undefined),
    )
  })
})

describe('a REST server on another address than the loopback', () => {
  it.each(['0.0.0.0', '192.168.1.5', '::', 'example.org', '127.0.0.1.evil'])('%s needs a token', async (host) => {
    await expect(settings({ host })).rejects.toMatchObject({ code: 'REST_UNPROTECTED' })
    await expect(settings({}, { 'rest.bind-address': host })).rejects.toMatchObject({ code: 'REST_UNPROTECTED' })
    expect((await settings({ host, token: 'abc' })).bindAddress).toBe(host)
    expect((await settings({ host, tokenFile: '/token' })).token).toBe('t0ken')
  })

  it('needs none where somebody says that he knows', async () => {
    expect((await settings({ host: '0.0.0.0', insecure: true })).token).toBeUndefined()
    expect((await settings({}, { 'rest.bind-address': '0.0.0.0', 'rest.insecure': true })).bindAddress).toBe('0.0.0.0')
  })

  it('is not taken for one where it is the loopback by another name', async () => {
    for (const host of ['localhost', 'LOCALHOST', '127.0.0.2', '::1', '[::1]'])
      expect((await settings({ host })).token).toBeUndefined()
  })
})

describe('the file of the token', () => {
  it('is refused where others have rights on it, or nothing is in it', async () => {
    const refused = { code: 'REST_UNPROTECTED' }
    await expect(settings({ tokenFile: '/t' }, {}, { text: 'x', openToOthers: true })).rejects.toMatchObject(refused)
    for (const text of ['', '\n', 'two words', 'ümlaut'])
      await expect(settings({ tokenFile: '/t' }, {}, { text, openToOthers: false })).rejects.toMatchObject(refused)
  })

  it('is named where it cannot be read', async () => {
    await expect(readRestSettings({ tokenFile: '/millrace/none' }, new ConfigurationReader([]))).rejects.toMatchObject({
      code: 'REST_UNPROTECTED',
      message: expect.stringContaining("'/millrace/none', the file of the token"),
      cause: { code: 'FILE_ERROR' },
    })
  })

  it('is read with its rights', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-token-'))
    const path = join(folder, 'token')
    await writeFile(path, 'abc\n', { mode: 0o600 })
    expect(await readPrivateFile(path)).toEqual({ text: 'abc\n', openToOthers: false })
    await chmod(path, 0o640)
    expect(await readPrivateFile(path)).toMatchObject({ openToOthers: process.platform !== 'win32' })
    await expect(readPrivateFile(join(folder, 'none'))).rejects.toMatchObject({ code: 'FILE_ERROR' })
    await rm(folder, { recursive: true })
  })
})

describe('the other settings', () => {
  it('come from the configuration, and lists have semicolons in them', async () => {
    const read = await settings(
      {},
      {
        'rest.allowed-hosts': 'Flink.Intern; other.',
        'rest.savepoint-roots': 'file:///sp;/more',
        'web.dir': '/dash/',
        'web.cancel.enable': false,
        'web.refresh-interval': '1 s',
        'rest.async.store-duration': '2 min',
        'web.access-control-allow-origin': 'https://grafana.intern',
      },
    )
    expect(read).toMatchObject({
      allowedHosts: ['flink.intern', 'other'],
      savepointRoots: ['/sp', '/more'],
      dashboard: '/dash',
      cancelEnabled: false,
      refreshIntervalMs: 1000,
      storeDurationMs: 120_000,
      allowedOrigin: 'https://grafana.intern',
    })
  })

  it('are refused under a name that is none, lest a mistyped token be no token', () => {
    const mistyped: object = { tokenfile: 'token' }
    expect(() => restServer(mistyped)).toThrow(/"tokenfile" is not legal here/)
  })

  it.each<[keyof RestServerOptions, unknown]>([
    ['port', 65_536],
    ['port', '8081-'],
    ['port', null],
    ['host', ''],
    ['token', 'two words'],
    ['tokenFile', 7],
    ['insecure', 'yes'],
    ['dashboard', ''],
    ['allowedHosts', 'localhost'],
    ['savepointRoots', [1]],
  ])('are refused at once where %s is %j', (name, value) => {
    const options: object = { [name]: value }
    expect(() => restServer(options)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
  })

  it('never show a token in an error', () => {
    expect(() => restServer({ token: 'my secret' })).toThrow(/^(?!.*secret)/s)
  })
})
