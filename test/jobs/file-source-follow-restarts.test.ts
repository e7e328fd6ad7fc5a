/** Files that are followed across failures, suspensions and other parallelisms: each line exactly once, whatever happened meanwhile. */

import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { FileSourceOptions, JobClient } from '../../src/index.ts'
import { Disk, EVERY_MS, follow } from './followed-files.ts'
import { describeJobs, type World } from './harness.ts'
import { Ledger } from './parts.ts'

const LONG = 4000

async function resume(
  world: World,
  sink: Ledger<string>,
  parallelism = 1,
  options: FileSourceOptions = {},
): Promise<JobClient> {
  return world.until(follow(world, sink, { parallelism, options }).executeAsync('follow', { resume: 'latest' }))
}

/** The job has read these lines, taken a last checkpoint, and is gone. */
async function suspended(world: World, lines: Readonly<Record<string, string>>, options: FileSourceOptions = {}) {
  const sink = new Ledger<string>()
  const disk = new Disk(world)
  for (const [path, text] of Object.entries(lines)) disk.append(path, text)
  const client = await resume(world, sink, 2, options)
  await world.advance(LONG)
  await world.until(client.suspend())
  return { sink, disk }
}

describeJobs('A file source that follows files, and its job is resumed', (newWorld) => {
  it('goes on in the middle of a line, behind what was appended meanwhile, at another parallelism', async () => {
    for (const parallelism of [1, 2, 3]) {
      const world = newWorld()
      const { sink, disk } = await suspended(world, { '/in/a': 'a1\na2', '/in/b': 'b1\n', '/in/c': 'c1\n' })
      disk.append('/in/a', '+\na3\n')
      disk.append('/in/d', 'd1\n')
      await resume(world, sink, parallelism)
      disk.append('/in/b', 'b2\n')
      await world.advance(LONG)
      expect(sink.committed.toSorted()).toEqual(['a1', 'a2+', 'a3', 'b1', 'b2', 'c1', 'd1'])
    }
  })

  it('finds files that were renamed meanwhile, and their successors', async () => {
    const world = newWorld()
    const { sink, disk } = await suspended(world, { '/in/app.log': 'a1\n' })
    disk.append('/in/app.log', 'a2\n')
    disk.rename('/in/app.log', '/in/app.log.1')
    disk.append('/in/app.log', 'b1\n')
    await resume(world, sink)
    await world.advance(LONG)
    expect(sink.committed.toSorted()).toEqual(['a1', 'a2', 'b1'])
  })

  it('forgets a file that was deleted when it had been read', async () => {
    const world = newWorld()
    const { sink, disk } = await suspended(world, { '/in/a': 'a1\n', '/in/b': 'b1\n' })
    disk.remove('/in/a')
    const client = await resume(world, sink)
    await world.advance(LONG)
    disk.append('/in/a', 'new\n')
    await world.advance(LONG)
    await world.until(client.suspend())
    await resume(world, sink)
    await world.advance(LONG)
    expect(sink.committed.toSorted()).toEqual(['a1', 'b1', 'new'])
  })

  it.each([
    ['shorter', 'is shorter than before', (disk: Disk) => disk.truncate('/in/a', 1)],
    [
      'rewritten',
      'begins with other bytes',
      (disk: Disk) => {
        disk.truncate('/in/a', 0)
        disk.append('/in/a', 'zz\nzz\n')
      },
    ],
    [
      'replaced by a copy',
      'was replaced by another file',
      (disk: Disk) => {
        disk.remove('/in/a')
        disk.append('/in/a', 'a1\na2\n')
      },
    ],
  ])('fails by its name when a file is %s', async (_, message, change) => {
    for (const closeAfter of [100, 60_000]) {
      const world = newWorld()
      const { sink, disk } = await suspended(world, { '/in/a': 'a1\n', '/in/b': 'b1\n' }, { closeAfter })
      change(disk)
      const client = await resume(world, sink, 1, { closeAfter })
      const error = await world.failure(client.getJobExecutionResult())
      expect(error.cause).toMatchObject({ code: 'SOURCE_CHANGED' })
      expect(String(error.cause)).toContain(`/in/a ${message}`)
      expect(sink.committed.toSorted()).toEqual(['a1', 'b1'])
    }
  })

  it('takes another file in the place of one that had been read for a new one', async () => {
    const world = newWorld()
    const { sink, disk } = await suspended(world, { '/in/a': 'a1\n' })
    disk.remove('/in/a')
    disk.append('/in/a', 'b1\n')
    await resume(world, sink)
    await world.advance(LONG)
    expect(sink.committed).toEqual(['a1', 'b1'])
  })

  it('fails by its name when a file was deleted that had not been read to its end', async () => {
    const world = newWorld()
    const sink = new Ledger<string>({
      write: async () => {
        await world.sleep(1000)
      },
    })
    const disk = new Disk(world)
    disk.append('/in/a', 'a1\na2\na3\na4\na5\na6\n'.repeat(2000))
    const client = await resume(world, sink)
    await world.advance(2500)
    await world.until(client.suspend())
    disk.remove('/in/a')
    const resumed = await resume(world, sink)
    const error = await world.failure(resumed.getJobExecutionResult())
    expect(String(error.cause)).toContain('/in/a was deleted')
  })

  it('fails by its name when a file was deleted that had grown, and whose turn had not come', async () => {
    const world = newWorld()
    const sink = new Ledger<string>({ write: () => world.sleep(500) })
    const disk = new Disk(world)
    disk.append('/in/a', 'a1\n')
    const client = await resume(world, sink)
    await world.advance(LONG)
    disk.append('/in/b', 'b\n'.repeat(50))
    await world.advance(LONG)
    disk.append('/in/a', 'a2\n')
    await world.advance(LONG)
    await world.until(client.suspend())
    expect(sink.committed).not.toContain('a2')
    disk.remove('/in/a')
    const resumed = await resume(world, sink)
    const error = await world.failure(resumed.getJobExecutionResult())
    expect(String(error.cause)).toContain('/in/a was deleted')
  })

  it('does not read a compressed file again that was read', async () => {
    const world = newWorld()
    const sink = new Ledger<string>()
    const disk = new Disk(world)
    disk.append('/in/a.gz', gzipSync('one\ntwo\n'))
    const client = await resume(world, sink)
    await world.advance(LONG)
    expect(sink.committed).toEqual(['one', 'two'])
    await world.until(client.suspend())
    await resume(world, sink)
    await world.advance(LONG)
    expect(sink.committed).toEqual(['one', 'two'])
  })

  it('refuses the state of a source that reads each file once', async () => {
    const world = newWorld()
    const { sink } = await suspended(world, { '/in/a': 'a1\n' })
    const env = follow(world, sink, { options: { monitorContinuously: undefined } })
    const error = await world.failure(env.execute('follow', { resume: 'latest' }))
    expect(String(error.cause ?? error)).toContain('The stored state is of a file source that followed files')
  })
})

type Step =
  | { readonly do: 'append'; readonly file: number; readonly text: readonly string[]; readonly cut: boolean }
  | { readonly do: 'rotate'; readonly file: number }
  | { readonly do: 'delete'; readonly file: number }
  | { readonly do: 'fail'; readonly afterLines: number }
  | { readonly do: 'resume'; readonly parallelism: number; readonly meanwhile: readonly Step[] }
  | { readonly do: 'wait'; readonly ms: number }

const file = fc.nat(3)
const change: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant('append' as const),
    file,
    text: fc.array(fc.constantFrom('', 'x', 'ä€', '\r'), { maxLength: 4 }),
    cut: fc.boolean(),
  }),
  fc.record({ do: fc.constant('rotate' as const), file }),
)
const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: change },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('delete' as const), file }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('fail' as const), afterLines: fc.nat(5) }) },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constant('resume' as const),
        parallelism: fc.integer({ min: 1, max: 3 }),
        meanwhile: fc.array(change, { maxLength: 3 }),
      }),
    },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 2500 }) }) },
  ),
  { minLength: 3, maxLength: 14 },
)

/** A writer of logs, and what a reader of them must have seen. */
class Logs {
  /** By the file's own number, whatever its name is: its lines, and the beginning of one. */
  readonly lines: string[][] = []
  readonly #names = new Map<number, number>()
  readonly #open = new Map<number, string>()
  readonly #disk: Disk

  constructor(disk: Disk) {
    this.#disk = disk
  }

  append(slot: number, texts: readonly string[], cut: boolean): void {
    const id = this.#names.get(slot) ?? this.lines.push([]) - 1
    this.#names.set(slot, id)
    const lines = this.lines[id] as string[]
    let written = ''
    let open = this.#open.get(slot) ?? ''
    for (const [index, text] of texts.entries()) {
      const more = open === '' ? `${id}:${lines.length}:${text}` : text
      open += more
      written += more
      if (cut && index === texts.length - 1) break
      lines.push(open.endsWith('\r') ? open.slice(0, -1) : open)
      open = ''
      written += '\n'
    }
    this.#open.set(slot, open)
    this.#disk.append(path(slot), written)
  }

  rotate(slot: number): void {
    const id = this.#names.get(slot)
    if (id === undefined) return
    // Whoever rotates a log begins with a whole line in the next one.
    this.finish(slot)
    this.#disk.rename(path(slot), `${path(slot)}.${id}`)
    this.#names.delete(slot)
  }

  delete(slot: number): void {
    if (!this.#names.has(slot)) return
    this.#disk.remove(path(slot))
    this.#names.delete(slot)
    this.#open.delete(slot)
  }

  finish(slot: number): void {
    if ((this.#open.get(slot) ?? '') !== '') this.append(slot, [''], false)
  }

  finishAll(): void {
    for (const slot of this.#names.keys()) this.finish(slot)
  }
}

const path = (slot: number) => `/in/${slot}.log`

describeJobs('Followed files', (newWorld) => {
  it('come exactly once and in order, whatever is written, renamed and deleted, and however often the job fails', async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.constantFrom(150, 1000, 60_000), fc.boolean(), async (script, closeAfter, ranged) => {
        const world = newWorld()
        const logs = new Logs(new Disk(world))
        const sink = new Ledger<string>()
        let linesLeft = Number.POSITIVE_INFINITY
        const onLine = () => {
          if (linesLeft-- > 0) return
          linesLeft = Number.POSITIVE_INFINITY
          throw new Error('down')
        }
        const options = { closeAfter, splitSize: ranged ? 7 : 'whole files' } as const
        const start = (parallelism: number) =>
          world.until(
            follow(world, sink, { parallelism, options, onLine }).executeAsync('follow', { resume: 'latest' }),
          )
        let client = await start(1)
        const run = async (step: Step): Promise<void> => {
          if (step.do === 'append') logs.append(step.file, step.text, step.cut)
          else if (step.do === 'rotate') logs.rotate(step.file)
          else if (step.do === 'fail') linesLeft = step.afterLines
          else if (step.do === 'wait') await world.advance(step.ms)
          else if (step.do === 'delete') {
            // Of what is deleted everything was read, and covered by a checkpoint; the path is empty for a while.
            logs.finish(step.file)
            await world.advance(LONG)
            logs.delete(step.file)
            await world.advance(4 * EVERY_MS)
          } else {
            await world.until(client.suspend())
            for (const each of step.meanwhile) await run(each)
            client = await start(step.parallelism)
          }
        }
        for (const step of script) await run(step)
        logs.finishAll()
        await world.advance(2 * LONG)
        const expected = logs.lines.flat().toSorted()
        expect(sink.committed.toSorted()).toEqual(expected)
        if (!ranged)
          for (const [id, lines] of logs.lines.entries())
            expect(sink.committed.filter((line) => line.startsWith(`${id}:`))).toEqual(lines)
        await world.until(client.cancel())
      }),
      { numRuns: 40 },
    )
  })
})
