/**
 * The whole way of a user with savepoints, over the public doors, on a real disk and a real LevelDB: another parallelism,
 * another state backend, incremental checkpoints, a crash, and back.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { nodeFileSystem } from '../../src/base/node-file-system.ts'
import { type JobClient, type JobEvent, RestartStrategies, StreamExecutionEnvironment } from '../../src/index.ts'
import { millrace } from '../unit/inspect/checkpoint-on-disk.ts'
import { LAST_PART } from './journey-functions.ts'
import { Bell, Gate, KEYS, SPLITS } from './journey-gate.ts'
import { declareJourney, linesIn } from './journey-parts.ts'

const folder = mkdtempSync(join(tmpdir(), 'millrace-journey-'))
afterAll(() => rmSync(folder, { recursive: true }))

const savepoints = join(folder, 'savepoints')
const LIMIT = LAST_PART + 10

interface Stage {
  readonly backend: 'hashmap' | 'leveldb'
  readonly parallelism: number
  readonly from?: string
  readonly output: string
  readonly gate: Gate
}

interface Started {
  readonly job: JobClient
  readonly events: JobEvent[]
  /** Waits for the next one of that type. */
  next<Type extends JobEvent['type']>(type: Type): Promise<JobEvent & { readonly type: Type }>
}

async function start({ backend, parallelism, from, output, gate }: Stage): Promise<Started> {
  const env = StreamExecutionEnvironment.getExecutionEnvironment({
    configuration: {
      'state.backend.type': backend,
      'state.backend.leveldb.cache-size': '8 kb',
      'execution.checkpointing.dir': join(folder, 'checkpoints'),
      'execution.checkpointing.num-retained': 100,
      // What is written for a checkpoint stays in its metadata on the heap, and is shared on disk.
      'execution.checkpointing.data-inline-threshold': backend === 'leveldb' ? 0 : '1 mb',
      'pipeline.auto-watermark-interval': '5 ms',
    },
  })
  env.setParallelism(parallelism).setMaxParallelism(32).enableCheckpointing('100 ms')
  env.setRestartStrategy(RestartStrategies.fixedDelayRestart(1, 1))
  declareJourney(env, gate, output)
  const job = await env.executeAsync('journey', { fromSavepoint: from })
  const events: JobEvent[] = []
  const heard = new Bell()
  const listen = async () => {
    for await (const event of job.events()) {
      events.push(event)
      heard.ring()
    }
  }
  const ended = listen().then(() => {
    throw new Error('the job has ended')
  })
  ended.catch(() => {})
  const next: Started['next'] = async (type) => {
    const from = events.length
    const found = () => events.slice(from).find((event) => event.type === type)
    while (found() === undefined) await Promise.race([heard.next(), ended])
    return found() as never
  }
  // From the first one on every task is RUNNING.
  await next('checkpoint.completed')
  return { job, events, next }
}

const stop = (job: JobClient, drain = false) => job.stopWithSavepoint({ drain, targetDirectory: savepoints })

async function inspect(...argv: readonly string[]): Promise<string> {
  const { code, out, err } = await millrace(nodeFileSystem(), 'inspect', ...argv)
  expect([code, err]).toEqual([0, ''])
  return out
}

/** The lines of every keyed state, sorted. */
async function entriesOf(path: string): Promise<Record<string, readonly string[]>> {
  const { operators } = JSON.parse(await inspect(path, '--json')) as {
    operators: { name: string; uid: string; keyedStates: { name: string }[] }[]
  }
  const states = operators.flatMap(({ uid, keyedStates }) => keyedStates.map(({ name }) => `${uid}/${name}`))
  const entries: Record<string, readonly string[]> = {}
  for (const state of states) entries[state] = (await inspect(path, '--state', state)).trimEnd().split('\n').toSorted()
  return entries
}

describe('A job with every kind of state', { timeout: 60_000 }, () => {
  it('goes from savepoint to savepoint, up and down, from backend to backend and through a crash, exactly', async () => {
    const output = join(folder, 'output')
    const gate = new Gate(Date.now() + 1000)
    gate.open(10)
    const first = await start({ backend: 'hashmap', parallelism: 4, output, gate })
    await gate.whenSeen(first.job)
    await gate.when(first.job, () => gate.ruled.size === 4)
    const onHashmap = await stop(first.job)
    expect(await first.job.getJobStatus()).toBe('FINISHED')

    const second = await start({ backend: 'leveldb', parallelism: 7, from: onHashmap, output, gate })
    gate.open(18)
    await gate.whenSeen(second.job)
    await second.next('checkpoint.completed')
    const { path } = await second.next('checkpoint.completed')
    const restarted = second.next('restart.scheduled')
    gate.failAt = { split: '3', n: 20 }
    gate.open(25)
    await restarted
    await second.next('checkpoint.completed')
    await gate.whenSeen(second.job)
    expect(JSON.parse(await inspect(path as string, '--json'))).toMatchObject({ format: 'incremental' })
    const onLeveldb = await stop(second.job)
    expect(gate.failAt).toBeUndefined()

    const third = await start({ backend: 'hashmap', parallelism: 2, from: onLeveldb, output, gate })
    gate.open(LIMIT)
    await gate.whenSeen(third.job)
    await gate.when(third.job, () => gate.woken.size === KEYS)
    await stop(third.job, true)

    const plainGate = new Gate(0)
    plainGate.open(LIMIT)
    const plain = await start({ backend: 'hashmap', parallelism: 3, output: join(folder, 'plain'), gate: plainGate })
    await plainGate.whenSeen(plain.job)
    await plainGate.when(plain.job, () => plainGate.ruled.size === 3 && plainGate.woken.size === KEYS)
    await stop(plain.job, true)
    const lines = linesIn(output)
    expect(lines).toEqual(linesIn(join(folder, 'plain')))
    expect(lines.length).toBeGreaterThan(KEYS * 11)
    expect([...gate.counts.values()].reduce((sum, count) => sum + count, 0)).toBe(lines.length)
  })

  it('leaves the same entries in the savepoints of both backends', async () => {
    const gate = new Gate()
    gate.open(10)
    const first = await start({ backend: 'hashmap', parallelism: 3, output: join(folder, 'first'), gate })
    await gate.whenSeen(first.job)
    const origin = await stop(first.job)
    const entries = await entriesOf(origin)
    expect(Object.keys(entries).toSorted()).toEqual(STATES)
    for (const lines of Object.values(entries)) expect(lines.length).toBeGreaterThanOrEqual(KEYS)

    const [onHashmap, onLeveldb] = await Promise.all([
      savepointsFrom(origin, { backend: 'hashmap', parallelism: 2 }),
      savepointsFrom(origin, { backend: 'leveldb', parallelism: 5 }),
    ])
    expect(await entriesOf(onHashmap.restored)).toEqual(entries)
    expect(await entriesOf(onLeveldb.restored)).toEqual(entries)
    const later = await entriesOf(onHashmap.later)
    expect(ageless(await entriesOf(onLeveldb.later))).toEqual(ageless(later))
    expect(ageless(later)).not.toEqual(ageless(entries))
  })
})

const STATES = [
  'aged',
  'aged-map',
  'greatest',
  'latest',
  'mean',
  'recent',
  'timers/event',
  'timers/processing',
  'windows',
]
  .map((name) => `keyed/${name}`)
  .toSorted()

/** One of what was restored, before any record, and one behind more records. */
async function savepointsFrom(from: string, { backend, parallelism }: Pick<Stage, 'backend' | 'parallelism'>) {
  const gate = new Gate()
  gate.open(10)
  const { job } = await start({ backend, parallelism, from, output: join(folder, backend), gate })
  const restored = await job.triggerSavepoint(savepoints)
  gate.open(14)
  await gate.when(job, () => gate.seen.size === SPLITS * 4 && gate.fired.size === KEYS)
  return { restored, later: await stop(job) }
}

/** Two jobs write at two times. */
function ageless(entries: Record<string, readonly string[]>): Record<string, readonly string[]> {
  const without = (line: string) => JSON.stringify({ ...JSON.parse(line), touchedMs: undefined })
  return Object.fromEntries(Object.entries(entries).map(([state, lines]) => [state, lines.map(without)]))
}
