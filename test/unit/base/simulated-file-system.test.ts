import { describe, expect, test } from 'vitest'
import { systemCodeOf } from '../../../src/base/file-error.ts'
import { type Random, seededRandom } from '../../../src/base/random.ts'
import { SimulatedFileSystem, type SimulatedOperation } from '../../../src/base/simulated-file-system.ts'
import { SimulatedLocks } from '../../../src/base/simulated-locks.ts'
import { VirtualClock } from '../../../src/base/virtual-clock.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const everything: Random = { next: () => 0.999 }
const nothing: Random = { next: () => 0 }

async function written(files: SimulatedFileSystem, sync: 'file' | 'folder' | 'both' | 'none'): Promise<void> {
  const file = await files.createExclusive('/f')
  await file.append(bytes('12345678'))
  if (sync === 'file' || sync === 'both') await file.sync()
  if (sync === 'folder' || sync === 'both') await files.execute([{ type: 'syncFolder', path: '/' }])
  await file.close()
}

/** Every content that a power loss leaves of the file, over many seeds; 'gone' when its name is lost. */
async function fates(sync: Parameters<typeof written>[1], model: 'posix' | 'ordered'): Promise<Set<string>> {
  const files = new SimulatedFileSystem()
  await written(files, sync)
  const found = new Set<string>()
  for (let seed = 0; seed < 300; seed++) {
    const after = files.image({ random: seededRandom(seed), model })
    const content = await after.read('/f').catch(() => undefined)
    found.add(content === undefined ? 'gone' : new TextDecoder().decode(content).replaceAll('\0', '0'))
  }
  return found
}

describe.each(['posix', 'ordered'] as const)('after a power loss (%s)', (model) => {
  test('a file is safe when it and its folder were synced', async () => {
    expect(await fates('both', model)).toEqual(new Set(['12345678']))
  })

  test('of a file that was not synced, bytes are lost, torn or zeroed, or all there', async () => {
    const found = await fates('folder', model)
    expect(found).toContain('')
    expect(found).toContain('12345678')
    expect([...found].some((content) => /^1\d*0+$/.test(content) && content.length === 8)).toBe(true)
    expect([...found].some((content) => content.length > 0 && content.length < 8)).toBe(true)
    expect(found).not.toContain('gone')
  })

  test('a file in a folder that was not synced may be gone', async () => {
    expect(await fates('none', model)).toContain('gone')
  })
})

test('posix: syncing a file does not keep its name; ordered: it does', async () => {
  expect(await fates('file', 'posix')).toEqual(new Set(['gone', '12345678']))
  expect(await fates('file', 'ordered')).toEqual(new Set(['12345678']))
})

test('posix loses any subset of changes to folders, ordered only the latest', async () => {
  const files = new SimulatedFileSystem()
  for (const name of ['a', 'b', 'c']) await files.execute([{ type: 'writeNew', path: `/${name}`, bytes: bytes(name) }])
  await files.execute([{ type: 'syncFolder', path: '/' }])
  for (const name of ['a', 'b', 'c']) await files.execute([{ type: 'rename', from: `/${name}`, to: `/${name}2` }])
  const seen = { posix: new Set<string>(), ordered: new Set<string>() }
  for (const model of ['posix', 'ordered'] as const)
    for (let seed = 0; seed < 300; seed++) {
      const names = await files.image({ random: seededRandom(seed), model }).list('/')
      seen[model].add(names.map(({ name }) => name).join(' '))
    }
  expect(seen.posix).toContain('a b c2')
  expect(seen.ordered).not.toContain('a b c2')
  expect(seen.ordered).toContain('a2 b c')
  for (const names of [...seen.posix, ...seen.ordered])
    for (const name of ['a', 'b', 'c']) expect(names).toContain(name)
})

test('a folder that is renamed into another never stands in two places or in none', async () => {
  const files = new SimulatedFileSystem()
  await files.execute([
    { type: 'makeFolder', path: '/from/x' },
    { type: 'makeFolder', path: '/to' },
    { type: 'rename', from: '/from/x', to: '/to/x' },
  ])
  for (let seed = 0; seed < 100; seed++) {
    const after = files.image({ random: seededRandom(seed), model: 'posix' })
    expect([(await after.list('/from')).length, (await after.list('/to')).length].sort()).toEqual([0, 1])
  }
  await files.execute([{ type: 'syncFolder', path: '/to' }])
  expect(await files.crash({ random: nothing, model: 'posix' }).list('/to')).toHaveLength(1)
})

test('a process that is killed leaves what it wrote to the next one, still not durable', async () => {
  const files = new SimulatedFileSystem()
  await written(files, 'none')
  const next = files.kill()
  expect(new TextDecoder().decode(await next.read('/f'))).toBe('12345678')
  expect(await next.crash({ random: nothing, model: 'posix' }).list('/')).toEqual([])
})

test('after a kill or a crash nothing of the old process settles any more', async () => {
  for (const end of ['kill', 'crash'] as const) {
    const files = new SimulatedFileSystem()
    let settled = false
    void files.read('/f').finally(() => {
      settled = true
    })
    end === 'kill' ? files.kill() : files.crash({ random: everything, model: 'posix' })
    await files.stopped
    void files.list('/').finally(() => {
      settled = true
    })
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
    expect(settled).toBe(false)
  }
})

test('every single operation is counted and can be the last', async () => {
  const seen: string[] = []
  const files = new SimulatedFileSystem({
    interfere: ({ index, type, path }: SimulatedOperation) => void seen.push(`${index} ${type} ${path}`),
  })
  await files.execute([
    { type: 'makeFolder', path: '/a/b' },
    { type: 'writeNew', path: '/a/b/x', bytes: bytes('x') },
    { type: 'remove', path: '/a' },
  ])
  expect(seen).toEqual([
    '1 makeFolder /a',
    '2 syncFolder /',
    '3 makeFolder /a/b',
    '4 syncFolder /a',
    '5 create /a/b/x',
    '6 write /a/b/x',
    '7 sync /a/b/x',
    '8 close /a/b/x',
    '9 unlink /a/b/x',
    '10 removeFolder /a/b',
    '11 removeFolder /a',
  ])
  const stopping = new SimulatedFileSystem({ interfere: ({ index }) => (index === 6 ? { type: 'stop' } : undefined) })
  void stopping.execute([
    { type: 'makeFolder', path: '/a/b' },
    { type: 'writeNew', path: '/a/b/x', bytes: bytes('x') },
  ])
  await stopping.stopped
  expect(await stopping.another().stat('/a/b/x')).toMatchObject({ size: 0 })
})

test('an operation fails with the given code, a write after some bytes', async () => {
  const files = new SimulatedFileSystem({
    interfere: ({ type }) => (type === 'write' ? { type: 'fail', code: 'ENOSPC', bytes: 2 } : undefined),
  })
  const error = await files
    .execute([{ type: 'writeNew', path: '/x', bytes: bytes('abcd') }])
    .catch((thrown: unknown) => thrown)
  expect(systemCodeOf(error)).toBe('ENOSPC')
  expect(await files.stat('/x')).toMatchObject({ size: 2 })
})

test('after a sync that failed, a later sync claims what is not true', async () => {
  const files = new SimulatedFileSystem()
  const file = await files.createExclusive('/f')
  await files.execute([{ type: 'syncFolder', path: '/' }])
  await file.append(bytes('data'))
  files.interfere = ({ type }) => (type === 'sync' ? { type: 'fail', code: 'EIO' } : undefined)
  await expect(file.sync()).rejects.toMatchObject({ code: 'FILE_ERROR' })
  files.interfere = undefined
  await file.sync()
  for (let seed = 0; seed < 50; seed++)
    expect(
      new TextDecoder().decode(await files.image({ random: seededRandom(seed), model: 'posix' }).read('/f')),
    ).not.toBe('data')
})

test('a slow operation takes its time on the clock', async () => {
  const clock = new VirtualClock()
  const files = new SimulatedFileSystem({
    clock,
    turns: { next: (turn) => queueMicrotask(turn) },
    interfere: () => ({ type: 'delay', delayMs: 5000 }),
  })
  let listed = false
  const listing = files.list('/').then(() => {
    listed = true
  })
  clock.advance(4999)
  await new Promise((resolve) => setImmediate(resolve))
  expect(listed).toBe(false)
  clock.advance(1)
  await listing
})

test('locks: one holder a name, freed by release and by death', async () => {
  const one = new SimulatedLocks()
  const other = one.another()
  const lock = await one.tryAcquire('a')
  expect(await other.tryAcquire('a')).toBeUndefined()
  await lock?.release()
  expect(await other.tryAcquire('a')).toMatchObject({ release: expect.any(Function) })
  expect(await one.tryAcquire('a')).toBeUndefined()
  other.kill()
  expect(await one.tryAcquire('a')).toMatchObject({ release: expect.any(Function) })
})
