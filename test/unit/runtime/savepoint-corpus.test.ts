/** Savepoints that were written once, by this version or an earlier one, restore at any parallelism, with every value. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import * as millrace from '../../../src/index.ts'
import { declareJob, REMAINDERS, ROUND, SPLITS, WRITTEN_MS } from '../../fixtures/savepoint-corpus-job.mjs'
import { keyOf } from '../../fixtures/savepoint-jobs.mjs'

const corpus = fileURLToPath(new URL('../../fixtures/savepoints/', import.meta.url))
const HOUR_MS = 3_600_000
const folder = mkdtempSync(join(tmpdir(), 'millrace-corpus-'))
afterAll(() => rmSync(folder, { recursive: true }))

interface Kept {
  readonly name: string
  readonly path: string
  readonly parallelism: number
  readonly backends: readonly string[]
}

const kept: readonly Kept[] = readdirSync(corpus, { withFileTypes: true })
  .filter((version) => version.isDirectory())
  .flatMap(({ name: version }) =>
    readdirSync(`${corpus}${version}`).map((folder) => {
      const [backend = '', format, parallelism] = folder.split('-')
      // The native form of the heap is the canonical one.
      const backends = format === 'native' && backend === 'leveldb' ? [backend] : ['hashmap', 'leveldb']
      const path = `${corpus}${version}/${folder}`
      return { name: `${version}/${folder}`, path, parallelism: Number(parallelism), backends }
    }),
  )

interface Restored {
  readonly subtask: number
  readonly split: readonly string[]
  readonly union: readonly object[]
  readonly broadcast: readonly unknown[]
}

interface Noted {
  readonly everything: readonly { readonly n: number; readonly before: object }[]
  readonly reduced: readonly number[]
  readonly lists: readonly number[]
  readonly short: readonly number[]
  readonly restored: readonly Restored[]
  readonly 'event-time': readonly { readonly time: number; readonly key: unknown }[]
  readonly 'processing-time': readonly { readonly time: number; readonly key: unknown }[]
}

/** Starts from it, reads a second round, and is drained when everything was seen. What the job noted. */
async function restore(path: string, backend: string, parallelism: number): Promise<Noted> {
  const env = millrace.StreamExecutionEnvironment.getExecutionEnvironment({
    configuration: { 'state.backend.type': backend as 'hashmap', 'state.backend.leveldb.cache-size': '4 kb' },
  })
  // Without checkpoints a job of which a part has finished takes no savepoint.
  env.setParallelism(parallelism).enableCheckpointing('1 h')
  const noted: Record<string, unknown[]> = { short: [] }
  let left = 3 * ROUND + ROUND
  const job = await new Promise<millrace.JobClient>((resolve, reject) => {
    let started: millrace.JobClient | undefined
    const isOver = () => left === 0 && started !== undefined && resolve(started)
    declareJob(millrace, env, {
      rounds: 2,
      note(what, held) {
        noted[what] = [...(noted[what] ?? []), held]
        if (what !== 'restored') left--
        isOver()
      },
    })
    env.executeAsync('corpus', { fromSavepoint: path }).then((client) => {
      started = client
      client.getJobExecutionResult().catch(reject)
      isOver()
    }, reject)
  })
  await job.stopWithSavepoint({ drain: true, targetDirectory: folder })
  return noted as unknown as Noted
}

const range = (count: number, from = 0) => Array.from({ length: count }, (_, n) => from + n)

/** What the operator held of the key of `n` behind the first round. */
const held = (n: number) => ({
  value: { n, at: new Date(n), big: BigInt(n), bytes: Uint8Array.of(n) },
  own: `TEXT ${n}`,
  list: [n, { again: n }],
  map: [
    [[n], `entry ${n}`],
    ['same', n],
  ],
  greatest: n,
  average: n,
  aged: n,
  agedList: [n],
  agedMap: [[n, 'aged']],
  gone: undefined,
})

const byText = (a: unknown, b: unknown) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)

function expectEverything(noted: Noted, stored: number, parallelism: number): void {
  expect(noted.everything.toSorted((a, b) => a.n - b.n)).toEqual(
    range(ROUND, ROUND).map((n) => ({ n, before: held(n - ROUND) })),
  )
  for (const [domain, firstMs] of [
    ['event-time', 1_000_000],
    ['processing-time', WRITTEN_MS + HOUR_MS],
  ] as const)
    expect(noted[domain].toSorted((a, b) => a.time - b.time)).toEqual(
      range(ROUND).map((n) => ({ time: firstMs + n, key: keyOf(n) })),
    )
  expect(noted.reduced).toHaveLength(ROUND)
  expect(noted.reduced).toEqual(expect.arrayContaining([...finalSums]))
  expect(noted.lists.toSorted((a, b) => a - b)).toEqual(range(ROUND, ROUND))
  // It had finished, and is not run again.
  expect(noted.short).toEqual([])
  expectLists(noted.restored, stored, parallelism)
}

/** Of each remainder, all of both rounds. */
const finalSums = range(REMAINDERS).map((remainder) =>
  range(2 * ROUND)
    .filter((n) => n % REMAINDERS === remainder)
    .reduce((sum, n) => sum + n, 0),
)

/** Split lists are dealt out, union lists are given whole to each, broadcast state is the same everywhere. */
function expectLists(restored: readonly Restored[], stored: number, parallelism: number): void {
  expect(restored).toHaveLength(parallelism)
  const all = range(stored).flatMap((subtask) => [`first of ${subtask}`, `second of ${subtask}`])
  expect(restored.flatMap(({ split }) => split).toSorted()).toEqual(all.toSorted())
  for (const { split, union, broadcast } of restored) {
    expect(split.length).toBeGreaterThanOrEqual(Math.floor(all.length / parallelism))
    expect(union.toSorted(byText)).toEqual(range(stored).map((subtask) => ({ subtask })))
    expect(broadcast).toEqual([[['rule'], 'the same everywhere']])
  }
}

it('The corpus has both backends, both formats and three parallelisms', () => {
  expect(kept.length).toBeGreaterThanOrEqual(12)
  expect(SPLITS).toBe(3)
})

describe.concurrent.each(kept)('The savepoint $name', ({ path, parallelism: stored, backends }) => {
  for (const backend of backends)
    for (const parallelism of [1, 2, 3])
      it.concurrent(`restores on ${backend} at ${parallelism}`, async () => {
        expectEverything(await restore(path, backend, parallelism), stored, parallelism)
      })
})
