/** Which directories a request may name, and that nothing is made or deleted for one that it may not. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { LocatedPath } from '../../../../src/base/file-system.ts'
import { nodeFileSystem } from '../../../../src/base/node-file-system.ts'
import { SimulatedFileSystem } from '../../../../src/base/simulated-file-system.ts'
import type { RestSettings } from '../../../../src/rest/rest-settings.ts'
import { isHidden, isSystemFolder } from '../../../../src/rest/system-folders.ts'
import { fakeJob, JOB, Operations, refusalOf } from './operations-fixture.ts'

const files = nodeFileSystem()
let at: string
beforeAll(() => {
  at = realpathSync(mkdtempSync(join(tmpdir(), 'millrace-')))
})
afterAll(async () => {
  rmSync(at, { recursive: true })
  await files.stop()
})
beforeEach(() => {
  rmSync(at, { recursive: true })
  for (const folder of ['root', 'other', 'root/savepoint-1']) mkdirSync(`${at}/${folder}`, { recursive: true })
  symlinkSync(`${at}/other`, `${at}/root/out`)
  symlinkSync(`${at}/root/savepoint-1`, `${at}/root/within`)
  writeFileSync(`${at}/root/file`, '')
})

interface Asked {
  readonly settings?: Partial<RestSettings>
  readonly configuration?: Readonly<Record<string, unknown>>
}

async function savepoint(directory: string, { settings = {}, configuration = {} }: Asked) {
  const { job, asked } = fakeJob(JOB)
  const operations = new Operations({ jobs: [job], files, settings, configuration })
  const answer = await operations.ask('POST', `/jobs/${JOB}/savepoints`, { 'target-directory': directory })
  const [, wish] = (asked[0] ?? []) as [string, { targetDirectory: string }?]
  return { answer, goesTo: wish?.targetDirectory }
}

const everything = () => readdirSync(at, { recursive: true }).toSorted()

describe('A directory for a savepoint', () => {
  it.each([
    '/etc',
    '/',
    '../..',
    'savepoints',
    '/tmp/../etc',
    'file:///etc',
    'file://host/x',
    'http://169.254.169.254',
    'nope://bucket/x',
    'file:///tmp/x%00y',
    '/tmp/x\0y',
    '/tmp/x\ny',
    '/usr/local/savepoints',
    '/new-at-the-root',
    '',
  ])('is refused by default where it is %j', async (directory) => {
    const { answer, goesTo } = await savepoint(directory, {})
    expect([answer.status, goesTo]).toEqual([400, undefined])
    expect(existsSync('/new-at-the-root')).toBe(false)
  })

  it('is refused where no disk takes a path as long, and not sent back whole', async () => {
    for (const scheme of ['', 'nope://']) {
      const { answer } = await savepoint(`${scheme}/${'x/'.repeat(50_000)}`, {})
      expect([answer.status, answer.body.errors[0].length < 2_000]).toEqual([400, true])
    }
  })

  it('of the user’s own is allowed by default, also one that does not exist yet', async () => {
    const before = everything()
    for (const directory of [`${at}/other`, `${at}/new/deeper`, `file://${at}/new`])
      expect(await savepoint(directory, {})).toMatchObject({ goesTo: directory.replace('file://', '') })
    expect(everything()).toEqual(before)
  })

  it('is refused by default where programs keep their settings', async () => {
    const { answer } = await savepoint(`${at}/.ssh/new`, {})
    expect(answer.status).toBe(400)
  })

  it.each([
    ['self', undefined],
    ['everybody', undefined],
    ['other', 400],
  ] as const)('below a folder of %s: the answer is %j', async (owner, refused) => {
    const locate = async (path: string): Promise<LocatedPath> => ({ path, existing: '/shared', owner })
    const { job, asked } = fakeJob(JOB)
    const operations = new Operations({ jobs: [job], files: Object.assign(new SimulatedFileSystem(), { locate }) })
    const answer = await operations.ask('POST', `/jobs/${JOB}/savepoints`, { 'target-directory': '/shared/x' })
    expect([answer.status, asked.length]).toEqual(refused === undefined ? [202, 1] : [400, 0])
  })

  it.each([
    ['listed', () => ({ settings: { savepointRoots: [`${at}/root`] } })],
    [
      'listed, beyond the loopback',
      () => ({ settings: { bindAddress: '0.0.0.0', savepointRoots: [`file://${at}/root`] } }),
    ],
    [
      'configured for savepoints, beyond the loopback',
      () => ({
        settings: { bindAddress: '10.0.0.1' },
        configuration: { 'execution.checkpointing.savepoint-dir': `${at}/root` },
      }),
    ],
    [
      'configured for checkpoints, beyond the loopback',
      () => ({
        settings: { bindAddress: '::' },
        configuration: { 'execution.checkpointing.dir': `file://${at}/root` },
      }),
    ],
  ] as const)('is allowed in a root that is %s, and nowhere else', async (_, options) => {
    for (const directory of ['root', 'root/new', 'root/within/x'])
      expect((await savepoint(`${at}/${directory}`, options())).answer.status, directory).toBe(202)
    const before = everything()
    for (const directory of [
      '',
      'other',
      'rooted',
      'root/out',
      'root/out/x',
      'root/../other',
      'root/out/../savepoint-1',
      'new',
    ])
      expect((await savepoint(`${at}/${directory}`, options())).answer.status, directory).toBe(400)
    expect(everything()).toEqual(before)
  })

  it('is handed on as it really is, so that what was looked at is what is written to', async () => {
    expect(await savepoint(`${at}/root/within/x`, {})).toMatchObject({ goesTo: `${at}/root/savepoint-1/x` })
  })

  it('is named in its refusal, with the option that allows it', async () => {
    const [, text] = refusalOf((await savepoint(`${at}/other`, { settings: { savepointRoots: ['/r'] } })).answer)
    expect(text).toContain(`The directory '${at}/other' of property [target-directory] is not allowed`)
    expect(text).toContain('rest.savepoint-roots')
  })

  it('that a job is configured with is a root for all', async () => {
    const configuration = { savepointDirectory: `${at}/other`, checkpointDirectory: null }
    const { job } = fakeJob(JOB, { executionGraph: () => ({ configuration }) as never })
    const settings = { savepointRoots: [`${at}/root`] }
    const operations = new Operations({ jobs: [job], files, settings })
    const answer = await operations.ask('POST', `/jobs/${JOB}/stop`, { targetDirectory: `${at}/other/x` })
    expect(answer.status).toBe(202)
  })
})

describe('A savepoint to delete', () => {
  const settings = () => ({ savepointRoots: [`${at}/root`] })

  it.each([
    ['the root of the file system', '/'],
    ['the root itself', '{at}/root'],
    ['the root by its metadata', '{at}/root/_metadata'],
    ['beside the root', '{at}/other'],
    ['a link within the root', '{at}/root/within'],
    ['a link out of the root', '{at}/root/out'],
    ['behind a link out of the root', '{at}/root/out/x'],
    ['above the root', '{at}/root/../other'],
    ['of another scheme', 's3://bucket/x'],
    ['relative', 'root/savepoint-1'],
  ])('is refused where it is %s', async (_, path) => {
    const before = everything()
    const operations = new Operations({ files, settings: settings() })
    const answer = await operations.ask('POST', '/savepoint-disposal', { 'savepoint-path': path.replace('{at}', at) })
    expect([answer.status, operations.started]).toEqual([400, 0])
    expect(everything()).toEqual(before)
  })

  it.each(['savepoint-1', 'none', 'file'])('that is none fails, and nothing is deleted: %s', async (name) => {
    const before = everything()
    const path = `file://${at}/root/${name}`
    const { body } = await new Operations({ files, settings: settings() }).run('/savepoint-disposal', {
      'savepoint-path': path,
    })
    expect(body.status).toEqual({ id: 'COMPLETED' })
    const [first, second] = body.operation['failure-cause']['stack-trace'].split('\n')
    expect(first).toBe(`org.apache.flink.util.FlinkException: Could not dispose savepoint ${path}.`)
    expect(second).toContain('Caused by: java.io.')
    expect(everything()).toEqual(before)
  })

  it.each([[{}], [{ 'savepoint-path': null }], [{ 'savepoint-path': 5 }], [[]]])('must be named: %j', async (sent) => {
    expect((await new Operations({ files }).ask('POST', '/savepoint-disposal', sent)).status).toBe(400)
  })
})

describe('A system folder', () => {
  it.each([
    '/',
    '/etc',
    '/etc/cron.d',
    '/usr/local',
    '/var/spool/x',
    '/var',
    '/dev/shm',
    '/private/etc',
    '/System/x',
    'C:/',
    'c:/Windows/x',
    'C:/Program Files/x',
  ])('is %s', (path) => expect(isSystemFolder(path)).toBe(true))

  it.each([
    '/tmp',
    '/home/u',
    '/data/x',
    '/var/lib/job/savepoints',
    '/var/tmp',
    '/private/var/folders/x',
    '/etcetera',
    'D:/savepoints',
  ])('is not %s', (path) => expect(isSystemFolder(path)).toBe(false))

  it('is something else than a hidden one', () => {
    expect([isHidden('/home/u/.ssh/x'), isHidden('/home/u/a.b'), isSystemFolder('/home/u/.ssh')]).toEqual([
      true,
      false,
      false,
    ])
  })
})
