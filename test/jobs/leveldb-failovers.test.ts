/** Attempts that begin at one checkpoint and write different values, as LevelDB does it: under the same numbers of files. */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { fileError } from '../../src/base/file-error.ts'
import type { FileOperation, FileSystem, WriteHandle } from '../../src/base/file-system.ts'
import { defineSource, RestartStrategies, ValueStateDescriptor, WatermarkStrategy } from '../../src/index.ts'
import { realDisk } from './on-real-disk.ts'
import { Ledger } from './parts.ts'

const FAILOVERS = 30
const KEYS = 150
/** One round of all keys is more than may be kept of what changed: such attempts write table files of their own, others a delta. */
const LARGE_BYTES = 8000
const SMALL_BYTES = 800
const LARGE_EVERY = 5
const BATCH = 30

/** What the test knows of the job while it runs. */
class Course {
  attempt = 0
  /** Of completed checkpoints, in order, and in which attempt. */
  readonly completed: number[] = []
  /** The attempt has begun to write a checkpoint: its function throws. */
  isWriting = false
  /** By name of a shared file, its hash when it was first seen; and what was seen to be otherwise later. */
  readonly #hashes = new Map<string, string>()
  readonly changed: string[] = []

  get sharedFiles(): number {
    return this.#hashes.size
  }

  /** Every attempt from the second to the one that may end well begins at checkpoint 1 and fails. */
  get mustFail(): boolean {
    return this.completed.length > 0 && this.attempt < FAILOVERS
  }

  look(checkpoints: string): void {
    for (const job of readdirSync(checkpoints)) {
      const shared = join(checkpoints, job, 'shared')
      for (const name of existsSync(shared) ? readdirSync(shared) : []) {
        const hash = createHash('sha256')
          .update(readFileSync(join(shared, name)))
          .digest('hex')
        const before = this.#hashes.get(name) ?? hash
        if (before !== hash) this.changed.push(`${name} in attempt ${this.attempt}`)
        this.#hashes.set(name, hash)
      }
    }
  }
}

/** Looks at the shared files before and behind each step that could touch them. Every other attempt can publish nothing. */
function watched(files: FileSystem, course: Course, checkpoints: () => string): FileSystem {
  const isPublish = (one: FileOperation) => one.type === 'rename' && /\/chk-\d+$/.test(one.to)
  const touches = (one: FileOperation) =>
    one.type === 'rename' && /\/(shared|chk-\d+|deleted-\w+)(\/|$)/.test(`${one.from} ${one.to}`)
  return {
    openRead: (path) => files.openRead(path),
    createExclusive: (path) => {
      if (course.mustFail && course.attempt % 2 === 1 && /\/chk-\d+\//.test(path)) course.isWriting = true
      return unsynced(files.createExclusive(path))
    },
    read: (path) => files.read(path),
    stat: (path) => files.stat(path),
    list: (path) => files.list(path),
    gunzip: (packed, chunkBytes) => files.gunzip(packed, chunkBytes),
    async execute(operations) {
      const isWatched = operations.some(touches)
      if (isWatched) course.look(checkpoints())
      const refused = operations.find(isPublish)
      if (refused !== undefined && course.mustFail)
        throw fileError(Object.assign(new Error('refused'), { code: 'EIO' }), { operation: 'rename', path: 'chk' })
      await files.execute(operations.filter(({ type }) => type !== 'syncFolder'))
      if (refused !== undefined) course.completed.push(course.attempt)
      if (isWatched) course.look(checkpoints())
    },
  }
}

/** Nothing of this test outlives its process. */
async function unsynced(opening: Promise<WriteHandle>): Promise<WriteHandle> {
  const file = await opening
  return { append: (bytes) => file.append(bytes), sync: async () => {}, close: () => file.close() }
}

test(`${FAILOVERS} failovers from one checkpoint that write different values never overwrite a shared file`, {
  timeout: 120_000,
}, async () => {
  const course = new Course()
  const disk = realDisk((files) => watched(files, course, () => disk.checkpoints))
  const numbers = defineSource<number, number>({
    boundedness: 'bounded',
    splits: () => ['numbers'],
    start: () => 0,
    async *read(_, from) {
      // A last round behind the last failover, and three more checkpoints.
      for (let value = from; course.completed.length < 4 || value % KEYS > 0; value++) {
        if (value % BATCH === 0) await pause(8)
        yield { value, position: value + 1 }
      }
    },
  })
  const sink = new Ledger<string>()
  const env = disk.env()
  env
    .enableCheckpointing(10)
    .setRestartStrategy(RestartStrategies.fixedDelayRestart(FAILOVERS + 5, 0))
    .configure({ 'execution.checkpointing.num-retained': 2 })
    .fromSource(numbers, WatermarkStrategy.noWatermarks(), 'numbers')
    .keyBy((value) => value % KEYS)
    .process<string>((context) => {
      course.attempt = context.attemptNumber
      course.isWriting = false
      const bytes = context.attemptNumber % LARGE_EVERY === 0 ? LARGE_BYTES : SMALL_BYTES
      const state = context.getState(new ValueStateDescriptor<{ count: number; text: string }>('counts'))
      return {
        processElement(value, at, out) {
          if (course.isWriting) throw new Error(`attempt ${context.attemptNumber} ends here`)
          const count = (state.value()?.count ?? 0) + 1
          const text = `${context.attemptNumber} ${value} `.padEnd(bytes, 'x')
          state.update({ count, text })
          out.collect(`${at.getCurrentKey()}:${count}`)
        },
      }
    })
    .sinkTo(sink)
  await env.execute('failovers')

  expect(course.attempt).toBe(FAILOVERS)
  expect(course.completed[0]).toBe(0)
  expect(course.completed.slice(1).every((attempt) => attempt === FAILOVERS)).toBe(true)
  expect(course.changed).toEqual([])
  // Attempts whose files were in their place when the checkpoint failed.
  expect(course.sharedFiles).toBeGreaterThan(FAILOVERS / 2)
  const rounds = sink.committed.length / KEYS
  const expected = Array.from({ length: KEYS }, (_, key) =>
    Array.from({ length: rounds }, (_, round) => `${key}:${round + 1}`),
  ).flat()
  expect(sink.committed.toSorted()).toEqual(expected.toSorted())
  expect(readdirSync(disk.scratch)).toEqual([])
})
