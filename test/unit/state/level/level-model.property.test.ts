/**
 * The `leveldb` backend against a plain model, over random commands: always the same ones, unless `MILLRACE_RUNS` says how
 * many lists of others there are to be.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Command, KEYS, ModelJob } from './level-model.ts'

const RUNS = process.env.MILLRACE_RUNS
const PARAMETERS = RUNS === undefined ? { numRuns: 15, seed: 1 } : { numRuns: Number(RUNS) }

const key = fc.nat(KEYS.length - 1)
const number = fc.nat(1000)
const which = fc.nat(3)

const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      type: fc.constant('update' as const),
      key,
      value: fc.oneof(number, fc.string(), fc.string({ minLength: 300, maxLength: 600 })),
    }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('clear' as const), key }) },
  { weight: 6, arbitrary: fc.record({ type: fc.constant('append' as const), key, value: number }) },
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant('set' as const),
      key,
      name: fc.constantFrom('x', 'y', 'z', '\u0000s', '\ud800'),
      value: number,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('delete' as const),
      key,
      name: fc.constantFrom('x', 'y', 'z', '\u0000s', '\ud800'),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ type: fc.constant('timer' as const), key, at: fc.option(number, { nil: undefined }) }),
  },
  { weight: 5, arbitrary: fc.record({ type: fc.constant('read' as const), key }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('turn' as const) }) },
  { weight: 8, arbitrary: fc.record({ type: fc.constant('checkpoint' as const) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant('freeze' as const),
      format: fc.constantFrom('checkpoint', 'checkpoint', 'checkpoint', 'full', 'canonical', 'native'),
    }),
  },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('step' as const), which, budget: fc.nat(10) }) },
  {
    weight: 6,
    arbitrary: fc.record({ type: fc.constant('write' as const), which, fails: fc.nat(9).map((n) => n === 0) }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('release' as const), which }) },
  { weight: 6, arbitrary: fc.record({ type: fc.constant('complete' as const), which }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('abort' as const), which }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('crash' as const),
      parallelism: fc.integer({ min: 1, max: 3 }),
      fromSavepoint: fc.boolean(),
    }),
  },
)

const counts = new Map<string, number>()

const IN_PARTS = { mostEntries: 1, mostBytes: 1024, chunkKeys: 2 }

describe.each([
  { what: 'everything evicted', cacheBytes: 0, incremental: true },
  { what: 'everything evicted, and maps in parts', cacheBytes: 0, incremental: true, partSizes: IN_PARTS },
  { what: 'some evicted, and maps in parts', cacheBytes: 4000, incremental: true, partSizes: IN_PARTS },
  { what: 'whole checkpoints, and maps in parts', cacheBytes: 2000, incremental: false, partSizes: IN_PARTS },
  { what: 'some evicted', cacheBytes: 4000, incremental: true },
  { what: 'nothing evicted', cacheBytes: 1024 * 1024, incremental: true },
  { what: 'whole checkpoints', cacheBytes: 2000, incremental: false },
])('with $what', ({ cacheBytes, incremental, partSizes }) => {
  test('the backend holds what a plain Map does, whatever is frozen, written, completed, aborted and restored', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(command, { minLength: 20, maxLength: 300, size: 'max' }), async (commands) => {
        const job = new ModelJob({ cacheBytes, incremental, partSizes })
        await job.start(1)
        for (const one of commands) await job.run(one)
        await job.check()
        await job.end()
        for (const [what, count] of job.counts) counts.set(what, (counts.get(what) ?? 0) + count)
      }),
      PARAMETERS,
    )
  }, 600_000)
})

test('the runs met what they are about', () => {
  if (RUNS !== undefined) console.log(Object.fromEntries(counts))
  for (const what of [
    'restore of checkpoint',
    'restore of canonical',
    'restore of native',
    'failed write',
    'dump and many',
    'tables and many',
  ])
    expect(counts.get(what), what).toBeGreaterThan(0)
})
