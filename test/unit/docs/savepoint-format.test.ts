/** docs/SAVEPOINT-FORMAT.md is right and complete: a reader that knows nothing else finds everything that a job has kept. */
import { deepStrictEqual } from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { ByteWriter } from '../../../src/elements/byte-writer.ts'
import { writeExamined } from '../../../src/elements/value-writer.ts'
import * as millrace from '../../../src/index.ts'
import { mapKeyOf, keyOf as originalKeyOf } from '../../../src/state/key.ts'
import { keyGroupOf } from '../../../src/state/key-groups.ts'
import { jobs, KEYS, keepEverything, keyOf, LONG, MAX_PARALLELISM } from '../../fixtures/savepoint-jobs.mjs'
import { readSavepoint, type SavepointOperator, type SavepointTable } from './read-savepoint.mjs'
import { Bytes, keyGroupOf as documentedKeyGroupOf, originalKey, readValue } from './read-values.mjs'

const folder = mkdtempSync(join(tmpdir(), 'millrace-savepoint-'))
afterAll(() => rmSync(folder, { recursive: true }))

async function savepoint({ backend, parallelism }: (typeof jobs)[number]): Promise<string> {
  const env = millrace.StreamExecutionEnvironment.getExecutionEnvironment()
    .configure({ 'state.backend.type': backend })
    .setParallelism(parallelism)
    .setMaxParallelism(MAX_PARALLELISM)
  const settled = keepEverything(millrace, env, parallelism)
  const job = await env.executeAsync('keeps everything')
  await Promise.race([settled, job.getJobExecutionResult()])
  const path = await job.triggerSavepoint(join(folder, 'savepoints'))
  await job.cancel()
  return path
}

const ofUid = (operators: readonly SavepointOperator[], uid: string) =>
  operators.find((operator) => operator.uid === uid) as SavepointOperator

/** Of all subtasks, by the key in JSON; the key group is that of the program. */
function entriesOf({ parallelism, subtasks }: SavepointOperator, name: string): Record<string, unknown> {
  const entries: Record<string, unknown> = {}
  for (const { index, keyed = [] } of subtasks)
    for (const { key, keyGroup, value } of (keyed.find((table) => table.name === name) as SavepointTable).entries) {
      expect(keyGroup).toBe(keyGroupOf(key, MAX_PARALLELISM))
      expect(Math.floor((keyGroup * parallelism) / MAX_PARALLELISM)).toBe(index)
      entries[JSON.stringify(key)] = value
    }
  return entries
}

const byKey = (make: (n: number) => unknown) =>
  Object.fromEntries(Array.from({ length: KEYS }, (_, n) => [JSON.stringify(keyOf(n)), make(n)]))

describe('a savepoint that a job has written', () => {
  it.each(jobs)('by $name is read by who knows the page, every entry of every state', async (job) => {
    const { parallelism } = job
    const path = await savepoint(job)
    const { jobName, kind, operators } = readSavepoint(path)
    expect([jobName, kind]).toEqual(['keeps everything', 'savepoint'])
    const everything = ofUid(operators, 'everything')
    expect(entriesOf(everything, 'value')).toEqual(byKey((n) => ({ n, LONG, at: new Date(n) })))
    expect(entriesOf(everything, 'aged')).toEqual(byKey((value) => ({ value, touchedMs: expect.any(Number) })))
    expect(entriesOf(everything, 'list')).toEqual(byKey((n) => [n, n + 1]))
    expect(entriesOf(everything, 'map')).toEqual(byKey((n) => [[[n], BigInt(n)]]))
    expect(entriesOf(everything, 'greatest')).toEqual(byKey((n) => n))
    expect(entriesOf(everything, 'latest')).toEqual(byKey((n) => [n]))
    expect(entriesOf(everything, 'own')).toEqual(byKey(() => Buffer.from('TEXT')))
    expect(entriesOf(everything, 'timers/event')).toEqual(byKey((n) => [{ namespace: undefined, time: 1_000_000 + n }]))
    expect(Object.keys(entriesOf(ofUid(operators, 'reduced'), '_op_state')).sort()).toEqual([...'0123456'])
    const source = operators.find(({ coordinator }) => coordinator !== undefined) as SavepointOperator
    expect(source.coordinator?.serializer.id).toBe('millrace.value')
    const splits = source.subtasks.flatMap(({ operator = [] }) =>
      operator.filter(({ name }) => name === 'source-splits'),
    )
    expect(splits.map(({ elements }) => elements.length)).toEqual(Array(parallelism).fill(1))
    const lists = ofUid(operators, 'lists').subtasks.map(({ index, operator = [] }) => [
      index,
      Object.fromEntries(operator.map(({ name, mode, elements }) => [name, [mode, elements]])),
    ])
    expect(lists).toEqual(
      Array.from({ length: parallelism }, (_, subtask) => [
        subtask,
        {
          split: ['split', [{ subtask, at: 'split' }]],
          union: ['union', [{ subtask, at: 'union' }]],
          broadcast: ['broadcast', [[['rule'], 'the same everywhere']]],
        },
      ]),
    )
    refusesDamage(path)
  })
})

/** One byte of each file, at many places: refused, or not a byte that counts. */
function refusesDamage(path: string): void {
  const good = JSON.stringify(readSavepoint(path), (_, part) => (typeof part === 'bigint' ? `${part}n` : part))
  expect(good.length).toBeGreaterThan(1000)
  const names = readdirSync(path)
  expect(names.length).toBeGreaterThan(1)
  for (const name of names) {
    const bytes = readFileSync(join(path, name))
    for (let place = 0; place < 8; place++) {
      const damaged = Buffer.from(bytes)
      const at = Math.floor((place * bytes.length) / 8)
      damaged[at] = (damaged[at] as number) ^ 0x20
      writeFileSync(join(path, name), damaged)
      expect(() => readSavepoint(path), `${name}, byte ${at}`).toThrow()
    }
    writeFileSync(join(path, name), bytes)
  }
}

describe('the page', () => {
  it('tells how every value is written', () => {
    const value = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withTypedArray: true,
      withSparseArray: true,
      withNullPrototype: true,
      withBoxedValues: true,
      withUnicodeString: true,
      maxDepth: 2,
      maxKeys: 4,
      size: 'small',
    })
    fc.assert(
      fc.property(value, (given) => {
        const out = new ByteWriter(64)
        try {
          writeExamined(out, given)
        } catch {
          // NOT_SERIALIZABLE: what the default serializer refuses has no form.
          return
        }
        const input = new Bytes(out.take())
        deepStrictEqual(readValue(input), given)
        expect(input.left).toBe(0)
      }),
      { numRuns: 40 },
    )
    for (const given of [-0, 2 ** 31, -(2 ** 31), /a+/giu, new TypeError('no'), Buffer.from('x'), new ArrayBuffer(3)]) {
      const out = new ByteWriter(64)
      writeExamined(out, given)
      expect(readValue(new Bytes(out.take()))).toEqual(given)
    }
  })

  it('tells the key group of every key', () => {
    const leaf = fc.oneof(
      fc.string(),
      fc.string({ unit: 'binary' }),
      fc.constantFrom('\u0000', '\u0000c', '\u0000s', -0, Number.NaN),
      fc.double(),
      fc.integer(),
      fc.bigInt(),
      fc.bigInt({ min: -(2n ** 100n), max: 2n ** 100n }),
      fc.boolean(),
    )
    const key = fc.oneof(leaf, fc.array(leaf), fc.dictionary(fc.string(), leaf))
    fc.assert(
      fc.property(key, fc.integer({ min: 1, max: 32768 }), (given, maxParallelism) => {
        const mapKey = mapKeyOf(given)
        expect(documentedKeyGroupOf(mapKey, maxParallelism)).toBe(keyGroupOf(given, maxParallelism))
        expect(originalKey(mapKey)).toEqual(originalKeyOf(mapKey))
      }),
      { numRuns: 500 },
    )
  })

  it('names the versions that are written', () => {
    const page = readFileSync(new URL('../../../docs/SAVEPOINT-FORMAT.md', import.meta.url), 'utf8')
    const sourceOf = (path: string) => readFileSync(new URL(`../../../src/${path}`, import.meta.url), 'utf8')
    for (const [magic, path, constant] of [
      ['MLRCHKPT', 'checkpoint/metadata-format.ts', 'VERSION'],
      ['MLRCHKPT', 'checkpoint/metadata-format.ts', 'VERSION_WITHOUT_CHANNELS'],
      ['MLRSTATE', 'checkpoint/state-file.ts', 'VERSION'],
      ['MRKS', 'state/keyed-format.ts', 'KEYED_FORMAT_VERSION'],
      ['MROS', 'state/operator-state-format.ts', 'FORMAT_VERSION'],
    ] as const) {
      const version = sourceOf(path).match(new RegExp(`const ${constant} = (\\d+)`))?.[1]
      expect(page).toMatch(new RegExp(`\\| \`${magic}\` \\| ${version} \\|`))
    }
  })
})
