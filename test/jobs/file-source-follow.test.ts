/** Files that are followed while a job runs: what is appended, renamed, deleted, cut and replaced. */
import { pbkdf2 } from 'node:crypto'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { silentLogger } from '../../src/base/logger.ts'
import { Disk, EVERY_MS, follow } from './followed-files.ts'
import { describeJobs, type World } from './harness.ts'
import { Ledger } from './parts.ts'

const LOOKS = 3 * EVERY_MS

async function following(world: World, given: Parameters<typeof follow>[2] = {}) {
  const sink = new Ledger<string>()
  const client = await world.until(follow(world, sink, given).executeAsync('follow'))
  return { sink, client, disk: new Disk(world) }
}

/** Until it resolves nothing else gets a thread. */
function fullThreadPool(): Promise<unknown> {
  const threads = Number(process.env.UV_THREADPOOL_SIZE ?? 4)
  const work = () => promisify(pbkdf2)('password', 'salt', 100_000, 64, 'sha512')
  return Promise.all(Array.from({ length: threads }, work))
}

describeJobs('A file source that follows files', (newWorld) => {
  it('brings new files, and what is appended to known ones, in folders below as well', async () => {
    const world = newWorld()
    const { sink, disk, client } = await following(world)
    await world.advance(LOOKS)
    expect(sink.written).toEqual([])
    disk.append('/in/a.log', 'one\ntwo\n')
    await world.advance(LOOKS)
    expect(sink.written).toEqual(['one', 'two'])
    disk.append('/in/a.log', 'three\n')
    disk.append('/in/deep/er/b.log', 'four\n')
    await world.advance(LOOKS)
    expect(sink.written.toSorted()).toEqual(['four', 'one', 'three', 'two'])
    await world.until(client.cancel())
    expect(world.timersLeft()).toBe(0)
  })

  it('waits for the end of a last line, however it comes', async () => {
    const world = newWorld()
    const { sink, disk } = await following(world)
    disk.append('/in/a.log', 'one\nhal')
    await world.advance(LOOKS)
    expect(sink.written).toEqual(['one'])
    disk.append('/in/a.log', 'f a line\r')
    await world.advance(LOOKS)
    expect(sink.written).toEqual(['one'])
    disk.append('/in/a.log', '\nnext')
    await world.advance(LOOKS)
    expect(sink.written).toEqual(['one', 'half a line'])
  })

  it('waits for it over closing, too', async () => {
    const world = newWorld()
    const { sink, disk } = await following(world, { options: { closeAfter: 500 } })
    disk.append('/in/a.log', 'one\nhal')
    await world.advance(2000)
    disk.append('/in/a.log', 'f\n')
    await world.advance(LOOKS)
    expect(sink.written).toEqual(['one', 'half'])
  })

  it('reads a renamed file on and not again, and the new file in its place from its start', async () => {
    const world = newWorld()
    const { sink, disk } = await following(world, { paths: '/in/app.log*' })
    disk.append('/in/app.log', 'a1\n')
    await world.advance(LOOKS)
    disk.append('/in/app.log', 'a2\n')
    disk.rename('/in/app.log', '/in/app.log.1')
    disk.append('/in/app.log', 'b1\n')
    await world.advance(LOOKS)
    disk.append('/in/app.log.1', 'a3\n')
    disk.append('/in/app.log', 'b2\n')
    await world.advance(LOOKS)
    expect(sink.written.toSorted()).toEqual(['a1', 'a2', 'a3', 'b1', 'b2'])
  })

  it('follows a chain of renames of files that were closed', async () => {
    const world = newWorld()
    const { sink, disk } = await following(world, { paths: '/in/app.log*', options: { closeAfter: 200 } })
    disk.append('/in/app.log', 'a1\n')
    await world.advance(1000)
    disk.rename('/in/app.log', '/in/app.log.1')
    disk.append('/in/app.log', 'b1\n')
    await world.advance(1000)
    disk.rename('/in/app.log.1', '/in/app.log.2')
    disk.rename('/in/app.log', '/in/app.log.1')
    disk.append('/in/app.log', 'c1\n')
    await world.advance(1000)
    disk.append('/in/app.log.1', 'b2\n')
    disk.append('/in/app.log.2', 'a2\n')
    await world.advance(1000)
    expect(sink.written.toSorted()).toEqual(['a1', 'a2', 'b1', 'b2', 'c1'])
  })

  it.each([
    ['open', 60_000],
    ['closed', 100],
  ])('reads a file on that is renamed out of the pattern within its folder: %s', async (_, closeAfter) => {
    const world = newWorld()
    const { sink, disk } = await following(world, { paths: '/in/*.log', options: { closeAfter } })
    disk.append('/in/app.log', 'a1\n')
    await world.advance(1000)
    disk.rename('/in/app.log', '/in/app.old')
    disk.append('/in/app.log', 'b1\n')
    disk.append('/in/app.old', 'a2\n')
    await world.advance(1000)
    disk.append('/in/app.old', 'a3\n')
    await world.advance(1000)
    disk.rename('/in/app.old', '/in/back.log')
    disk.append('/in/back.log', 'a4\n')
    await world.advance(1000)
    expect(sink.written.toSorted()).toEqual(['a1', 'a2', 'a3', 'a4', 'b1'])
  })

  it('finds a file that is moved to another folder of the inputs, closed or open', async () => {
    const world = newWorld()
    const { sink, disk } = await following(world, { paths: '/in/**/*.log', options: { closeAfter: 500 } })
    disk.append('/in/a/x.log', 'x1\n')
    disk.folder('/in/b')
    await world.advance(LOOKS)
    disk.rename('/in/a/x.log', '/in/b/y.log')
    await world.advance(2000)
    disk.append('/in/b/y.log', 'x2\n')
    await world.advance(LOOKS)
    expect(sink.written).toEqual(['x1', 'x2'])
  })

  it('reads to its end what is moved away while it is open, and the new file in its place', async () => {
    const world = newWorld()
    const { sink, disk } = await following(world, { paths: '/in/*.log', options: { closeAfter: 500 } })
    disk.append('/in/app.log', 'a1\n')
    disk.folder('/archive')
    await world.advance(LOOKS)
    disk.append('/in/app.log', 'a2\n')
    disk.rename('/in/app.log', '/archive/app.log')
    disk.append('/archive/app.log', 'a3\n')
    disk.append('/in/app.log', 'b1\n')
    await world.advance(2000)
    expect(sink.written.toSorted()).toEqual(['a1', 'a2', 'a3', 'b1'])
    expect(world.statuses().at(-1)).toBe('RUNNING')
  })

  it.each([
    ['open', 60_000],
    ['closed', 100],
  ])('forgets a file that is deleted, and reads another one of that name later: %s', async (_, closeAfter) => {
    const world = newWorld()
    const { sink, disk } = await following(world, { options: { closeAfter } })
    disk.append('/in/a.log', 'one\n')
    await world.advance(1000)
    disk.remove('/in/a.log')
    await world.advance(1000)
    disk.append('/in/a.log', 'uno\n')
    await world.advance(1000)
    expect(sink.written).toEqual(['one', 'uno'])
  })

  it.each([
    ['open', 60_000],
    ['closed', 100],
  ])('bears rotations that rename over the oldest file, or delete it: %s', async (_, closeAfter) => {
    const world = newWorld()
    const { sink, disk } = await following(world, { paths: '/in/app.log*', options: { closeAfter }, parallelism: 2 })
    const expected: string[] = []
    for (let round = 0; round < 6; round++) {
      disk.append('/in/app.log', `${round}: first\n`)
      await world.advance(1000)
      disk.append('/in/app.log', `${round}: last\n`)
      expected.push(`${round}: first`, `${round}: last`)
      if (round > 1 && round % 2 === 0) disk.remove('/in/app.log.2')
      if (round > 0) disk.rename('/in/app.log.1', '/in/app.log.2')
      disk.rename('/in/app.log', '/in/app.log.1')
    }
    await world.advance(1000)
    expect(sink.written.toSorted()).toEqual(expected.toSorted())
    expect(world.statuses().at(-1)).toBe('RUNNING')
  })

  it('reads what was appended to an open file before it was deleted', async () => {
    const world = newWorld()
    const { sink, disk } = await following(world)
    disk.append('/in/a.log', 'one\n')
    await world.advance(LOOKS)
    disk.append('/in/a.log', 'two\nthree')
    disk.remove('/in/a.log')
    await world.advance(LOOKS)
    expect(sink.written).toEqual(['one', 'two'])
    expect(world.statuses().at(-1)).toBe('RUNNING')
  })

  it.each([
    ['open', 60_000],
    ['closed', 100],
  ])(
    'fails by its name when a file becomes shorter, is rewritten, or is replaced by a copy: %s',
    async (_, closeAfter) => {
      const changes: readonly [string, (disk: Disk) => void][] = [
        ['is shorter than before', (disk) => disk.truncate('/in/a.log', 2)],
        [
          'begins with other bytes',
          (disk) => {
            disk.truncate('/in/a.log', 0)
            disk.append('/in/a.log', 'another line\n')
          },
        ],
        [
          'was replaced by another file',
          (disk) => {
            disk.remove('/in/a.log')
            disk.append('/in/a.log', 'one\n')
          },
        ],
      ]
      for (const [message, change] of changes) {
        const world = newWorld()
        const { disk, client } = await following(world, { options: { closeAfter } })
        disk.append('/in/a.log', 'one\n')
        await world.advance(1000)
        change(disk)
        const error = await world.failure(client.getJobExecutionResult())
        expect(error.cause).toMatchObject({ code: 'SOURCE_CHANGED' })
        expect(String(error.cause)).toContain(`/in/a.log ${message}`)
      }
    },
  )

  it('reads a compressed file once, whole, and another one of that name again', async () => {
    const world = newWorld()
    const { sink, disk } = await following(world)
    disk.append('/in/a.gz', gzipSync('one\ntwo'))
    await world.advance(1000)
    expect(sink.written).toEqual(['one', 'two'])
    disk.remove('/in/a.gz')
    disk.append('/in/a.gz', gzipSync('three\n'))
    await world.advance(1000)
    expect(sink.written).toEqual(['one', 'two', 'three'])
  })

  it('reads a compressed file in time, and ends, while the thread pool of the process is full', async () => {
    const world = newWorld()
    const { sink, disk, client } = await following(world)
    const full = fullThreadPool()
    disk.append('/in/a.gz', gzipSync('one\ntwo\n'))
    await world.advance(LOOKS)
    expect(sink.written).toEqual(['one', 'two'])
    await world.until(client.suspend())
    expect(world.statuses().at(-1)).toBe('SUSPENDED')
    await full
  })

  it('says once that a compressed file which was read has grown: what was added is not read', async () => {
    const world = newWorld()
    const warnings: string[] = []
    Object.assign(world.ports, { logger: { ...silentLogger, warn: (line: string) => void warnings.push(line) } })
    const { sink, disk } = await following(world)
    disk.append('/in/a.gz', gzipSync('one\n'))
    await world.advance(1000)
    expect(warnings).toEqual([])
    for (const text of ['two\n', 'three\n']) {
      disk.append('/in/a.gz', gzipSync(text))
      await world.advance(1000)
    }
    expect(sink.written).toEqual(['one'])
    expect(warnings).toEqual([
      expect.stringMatching(/^Compressed file \/in\/a\.gz has grown since it was found, from \d+ to \d+ bytes/),
    ])
  })

  it('does not give up a file that a single look has not found', async () => {
    const world = newWorld()
    const { sink, disk } = await following(world, { options: { closeAfter: 200 } })
    disk.folder('/away')
    disk.append('/in/a.log', 'one\n')
    await world.advance(1000)
    disk.rename('/in/a.log', '/away/a.log')
    await world.advance(EVERY_MS)
    disk.rename('/away/a.log', '/in/a.log')
    disk.append('/in/a.log', 'two\n')
    await world.advance(1000)
    expect(sink.written).toEqual(['one', 'two'])
  })

  it('reads a file under two names once', async () => {
    const world = newWorld()
    const { sink, disk } = await following(world)
    disk.append('/in/a.log', 'one\n')
    await world.until(world.files.execute([{ type: 'link', from: '/in/a.log', to: '/in/b.log' }]))
    await world.advance(LOOKS)
    await world.until(world.files.execute([{ type: 'link', from: '/in/a.log', to: '/in/c.log' }]))
    disk.append('/in/a.log', 'two\n')
    await world.advance(LOOKS)
    expect(sink.written).toEqual(['one', 'two'])
  })

  it('goes on when a folder is removed while it looks', async () => {
    const world = newWorld()
    const { sink, disk } = await following(world)
    disk.append('/in/sub/a.log', 'one\n')
    await world.advance(LOOKS)
    let armed = true
    world.files.interfere = ({ type, path }) => {
      if (type !== 'list' || path !== '/in/sub' || !armed) return undefined
      armed = false
      disk.remove('/in/sub/a.log')
      world.files.disk.removeEmptyFolder('/in/sub')
      return undefined
    }
    await world.advance(LOOKS)
    disk.append('/in/b.log', 'two\n')
    await world.advance(LOOKS)
    expect(sink.written).toEqual(['one', 'two'])
  })
})
