/**
 * Damage to the files of a retained incremental checkpoint, as a job with its state in real LevelDB has written it: each is
 * refused by the file's name before a record flows; nothing is restored, and nothing is different in silence.
 * MILLRACE_DAMAGES sets how many.
 */
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { type Random, randomInteger, seededRandom } from '../../src/base/random.ts'
import {
  defineSource,
  MapStateDescriptor,
  type StreamExecutionEnvironment,
  ValueStateDescriptor,
  WatermarkStrategy,
} from '../../src/index.ts'
import { type RealDisk, realDisk } from './on-real-disk.ts'
import { Ledger, range } from './parts.ts'

const DAMAGES = Number(process.env.MILLRACE_DAMAGES ?? 60)
const KEYS = 300
/** In all more than a subtask lets wait: much of it is written before the first base, which is made of LevelDB's own files. */
const TEXT_BYTES = 10_000
/** How many keys each round changes; behind each a checkpoint is taken. */
const ROUNDS = [KEYS, 20, 30]
/** With which each of LevelDB's table files ends. */
const TABLE_MAGIC = '57fb808b247547db'

/** The rounds that have begun; the round behind them asks for everything. */
class Course {
  round = 0
  records = 0
}

function declare(env: StreamExecutionEnvironment, course: Course, sink: Ledger<string>): void {
  const rounds = defineSource<number, number>({
    boundedness: 'bounded',
    splits: () => ['rounds'],
    start: () => 0,
    async *read(_, from, signal) {
      let position = 0
      for (const [round, keys] of [...ROUNDS, KEYS].entries()) {
        while (course.round < round && !signal.aborted) await pause(2)
        for (const key of range(0, keys - 1)) {
          if (signal.aborted) return
          if (position++ >= from) yield { value: round * KEYS + key, position }
        }
      }
    },
  })
  env
    .fromSource(rounds, WatermarkStrategy.noWatermarks(), 'rounds')
    .uid('rounds')
    .keyBy((value) => value % KEYS)
    .process<string>((context) => {
      const text = context.getState(new ValueStateDescriptor<string>('text'))
      const seen = context.getMapState(new MapStateDescriptor<number, string>('rounds'))
      return {
        processElement(value, at, out) {
          course.records++
          const round = Math.floor(value / KEYS)
          if (round === ROUNDS.length) out.collect(told(at.getCurrentKey(), text.value() ?? '', [...seen.keys()]))
          else {
            text.update(textOf(round, at.getCurrentKey()))
            seen.set(round, 'seen')
          }
        },
      }
    })
    .setParallelism(2)
    .uid('texts')
    .sinkTo(sink)
    .uid('sink')
}

const textOf = (round: number, key: unknown) => `${key} in round ${round} `.padEnd(TEXT_BYTES, `${key}`)
const told = (key: unknown, text: string, rounds: readonly number[]) => `${key}: ${text} ${rounds.join()}`
const expected = range(0, KEYS - 1).map((key) => {
  const rounds = ROUNDS.flatMap((keys, round) => (key < keys ? [round] : []))
  return told(key, textOf(rounds.at(-1) as number, key), rounds)
})

/** The folder of the newest checkpoint: a base of table files, and a delta for each further round. */
async function retainedCheckpoint(disk: RealDisk): Promise<string> {
  const course = new Course()
  const env = disk
    .env()
    .configure({ 'execution.checkpointing.externalized-checkpoint-retention': 'RETAIN_ON_CANCELLATION' })
  declare(env, course, new Ledger())
  const client = await env.executeAsync('texts')
  let due = 0
  for (const [round, keys] of ROUNDS.entries()) {
    course.round = round
    due += keys
    while (course.records < due) await pause(2)
    await client.triggerCheckpoint()
  }
  await client.cancel()
  const [job = ''] = readdirSync(disk.checkpoints)
  const [newest = ''] = readdirSync(join(disk.checkpoints, job)).filter((name) => name.startsWith('chk-'))
  return join(disk.checkpoints, job, newest)
}

/** Starts the job with what the checkpoint holds, and lets it end. */
async function restored(disk: RealDisk, checkpoint: string, course: Course): Promise<readonly string[]> {
  course.round = ROUNDS.length
  const sink = new Ledger<string>()
  const env = disk.env().configure({ 'execution.checkpointing.storage': 'jobmanager' })
  declare(env, course, sink)
  await env.execute('texts', { fromSavepoint: checkpoint })
  return sink.committed
}

/** Gives the names of the files that it damaged. */
function damage(kind: number, files: readonly string[], random: Random): readonly string[] {
  const [file, other] = twoOf(files, random)
  const bytes = readFileSync(file)
  const at = randomInteger(random, 0, bytes.length - 1)
  switch (kind) {
    case 0:
      bytes[at] = (bytes[at] as number) ^ (1 << randomInteger(random, 0, 7))
      writeFileSync(file, bytes)
      return [file]
    case 1:
      writeFileSync(file, bytes.subarray(0, at))
      return [file]
    case 2:
      rmSync(file)
      return [file]
    default:
      renameSync(file, `${file}.away`)
      renameSync(other, file)
      renameSync(`${file}.away`, other)
      return [file, other]
  }
}

function twoOf(files: readonly string[], random: Random): readonly [string, string] {
  const one = randomInteger(random, 0, files.length - 1)
  const other = (one + randomInteger(random, 1, files.length - 1)) % files.length
  return [files[one] as string, files[other] as string]
}

test(`each of ${DAMAGES} flips, cuts, deletions and swaps is refused by the file’s name, and nothing is restored`, {
  timeout: 600_000,
}, async () => {
  const disk = realDisk()
  const checkpoint = await retainedCheckpoint(disk)
  const shared = join(checkpoint, '..', 'shared')
  const files = [checkpoint, shared].flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)))
  const whole = new Map(files.map((file) => [file, readFileSync(file)]))
  const tables = [...whole.values()].filter((bytes) => bytes.subarray(-8).toString('hex') === TABLE_MAGIC)
  // A table file and two deltas of each subtask.
  expect(tables.length).toBeGreaterThanOrEqual(2)
  expect(readdirSync(shared).length - tables.length).toBeGreaterThanOrEqual(4)

  const random = seededRandom(11)
  const course = new Course()
  for (let count = 0; count < DAMAGES; count++) {
    const kind = count % 4
    const damaged = damage(kind, files, random)
    const refusal = await restored(disk, checkpoint, course).then(
      () => expect.fail(`damage ${count} of kind ${kind} to ${damaged} was restored`),
      (error: unknown) => error as { readonly code: string; readonly message: string },
    )
    expect(refusal.code).toMatch(/^CHECKPOINT_(DAMAGED|MISSING|FOREIGN|VERSION)$/)
    expect(damaged.some((file) => refusal.message.includes(file))).toBe(true)
    for (const file of damaged) writeFileSync(file, whole.get(file) as Buffer)
  }
  expect(course.records).toBe(0)

  expect((await restored(disk, checkpoint, course)).toSorted()).toEqual(expected.toSorted())
})
