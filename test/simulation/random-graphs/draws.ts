/**
 * What fast-check draws: numbers and choices without any relation between them, so that each can be made smaller by
 * itself. `make-plan.ts` makes a legal plan of whatever comes.
 */
import fc from 'fast-check'
import {
  BACKENDS,
  type LifePlan,
  MODES,
  type Operation,
  PARTITIONERS,
  type Partitioner,
  type SettingsPlan,
  SINK_KINDS,
  SOURCE_KINDS,
  STATES,
} from './plan.ts'
import { KEY_KINDS } from './records.ts'

/** One a process; the first is that of a process for which nothing is said. */
const parallelism = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.integer({ min: 1, max: 3 }) },
    { weight: 1, arbitrary: fc.integer({ min: 4, max: 5 }) },
  ),
  { minLength: 1, maxLength: 4 },
)
const key = fc.constantFrom(...KEY_KINDS)
const emit = fc.constantFrom('running' as const, 'end' as const)
const most = fc.integer({ min: 1, max: 3 })

const operation: fc.Arbitrary<Operation> = fc.oneof(
  fc.constant({ type: 'map' } as const),
  fc.record({ type: fc.constant('flatMap' as const), most }),
  fc.constant({ type: 'filter' } as const),
  fc.record({ type: fc.constant('reduce' as const), key }),
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('keyed' as const),
      key,
      state: fc.constantFrom(...STATES),
      emit,
      ttl: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant('window' as const), key, sizeMs: fc.integer({ min: 20, max: 200 }) }),
  },
  fc.record({ type: fc.constant('clockTimers' as const), key, delayMs: fc.integer({ min: 1, max: 60 }) }),
  { weight: 2, arbitrary: fc.constant({ type: 'chain' } as const) },
  fc.record({ type: fc.constant('buffer' as const), most: fc.integer({ min: 1, max: 6 }) }),
  fc.record({ type: fc.constant('counted' as const), list: fc.constantFrom('split' as const, 'union' as const) }),
  fc.constant({ type: 'side' } as const),
  { weight: 2, arbitrary: fc.constant({ type: 'union' } as const) },
  fc.constant({ type: 'coMap' } as const),
  fc.record({ type: fc.constant('coFlatMap' as const), most }),
  fc.constant({ type: 'coProcess' } as const),
  fc.record({ type: fc.constant('keyedCo' as const), key, emit }),
  fc.constant({ type: 'broadcastState' } as const),
  fc.record({ type: fc.constant('keyedBroadcast' as const), key }),
  fc.record({
    type: fc.constant('assign' as const),
    strategy: fc.constantFrom('bounded' as const, 'farBehind' as const, 'none' as const),
  }),
)

const partitioner: fc.Arbitrary<Partitioner> = fc.oneof(
  { weight: 3, arbitrary: fc.constant('forward' as const) },
  { weight: 9, arbitrary: fc.constantFrom(...PARTITIONERS) },
)
/** A stream, counted from the newest one. */
const input = fc.record({ back: fc.nat(7), partitioner })

export interface NodeDraw {
  readonly operation: Operation
  readonly inputs: readonly { readonly back: number; readonly partitioner: Partitioner }[]
  readonly parallelism: readonly number[]
  readonly maxParallelism: number | undefined
  readonly chaining: 'always' | 'head' | 'never'
}

const node: fc.Arbitrary<NodeDraw> = fc.record({
  operation,
  inputs: fc.array(input, { minLength: 2, maxLength: 3 }),
  parallelism,
  maxParallelism: fc.option(fc.integer({ min: 5, max: 40 }), { nil: undefined, freq: 6 }),
  chaining: fc.constantFrom('always', 'always', 'always', 'head', 'never'),
})

const source = fc.record({
  kind: fc.constantFrom(...SOURCE_KINDS, 'splits' as const, 'splits' as const, 'splits' as const),
  splits: fc.oneof(
    fc.array(fc.nat(80), { minLength: 1, maxLength: 1 }),
    fc.array(fc.nat(40), { minLength: 1, maxLength: 4 }),
  ),
  keys: fc.integer({ min: 1, max: 9 }),
  disorderMs: fc.nat(40),
  paceMs: fc.constantFrom(0, 2, 4, 8, 12),
  parallelism,
})

const sink = fc.record({
  kind: fc.constantFrom(...SINK_KINDS),
  input,
  parallelism,
  chained: fc.boolean(),
  rollAtBytes: fc.option(fc.integer({ min: 40, max: 2000 }), { nil: undefined }),
})

const few = (most: number, atMost: number) =>
  fc.array(fc.oneof(fc.nat(Math.floor(most / 10)), fc.nat(most)), { maxLength: atMost })
/** Most processes are spared it. */
const rarely = <T>(some: fc.Arbitrary<readonly T[]>): fc.Arbitrary<readonly T[]> =>
  fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: some })

/** Mostly behind a checkpoint that is completed: before it nothing can be lost. */
const moment = (most: number) =>
  fc.record({ behind: fc.oneof(fc.integer({ min: 1, max: 3 }), fc.nat(8)), nth: fc.nat(most) })

const end: fc.Arbitrary<LifePlan['end']> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constantFrom('kill' as const, 'suspend' as const), at: moment(60) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('crash' as const),
      at: moment(150),
      loss: fc.constantFrom('kill' as const, 'posix' as const, 'ordered' as const),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('stop' as const),
      at: fc.record({ behind: fc.nat(2), nth: fc.nat(20) }),
      format: fc.constantFrom('CANONICAL' as const, 'CANONICAL' as const, 'NATIVE' as const),
      swaps: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ type: 'nothing' } as const) },
)

const savepoint = fc.record({
  at: fc.record({ behind: fc.nat(3), nth: fc.nat(30) }),
  format: fc.constantFrom('CANONICAL' as const, 'NATIVE' as const),
})

const life: fc.Arbitrary<LifePlan> = fc.record({
  seed: fc.nat(1_000_000),
  link: fc.constantFrom('direct' as const, 'cloned' as const),
  throwsAt: fc.array(moment(120), { maxLength: 6 }),
  commitFailsAt: few(40, 3),
  stepsFailAt: rarely(few(150, 2)),
  diskFailsAt: rarely(few(800, 3)),
  diskWaitsAt: few(1000, 10),
  savepointsAt: rarely(fc.array(savepoint, { minLength: 1, maxLength: 2 })),
  end,
})

const settings: fc.Arbitrary<Omit<SettingsPlan, 'mode' | 'alignedTimeoutMs'>> = fc.record({
  intervalMs: fc.oneof(fc.integer({ min: 10, max: 25 }), fc.integer({ min: 10, max: 100 })),
  minPauseMs: fc.constantFrom(0, 0, 1, 20),
  concurrent: fc.integer({ min: 1, max: 3 }),
  credit: fc.integer({ min: 1, max: 8 }),
  maxParallelism: fc.integer({ min: 8, max: 128 }),
  chaining: fc.constantFrom(true, true, false),
  uids: fc.constantFrom(true, true, false),
  freeze: fc.constantFrom(false, false, false, true),
  inlineThreshold: fc.constantFrom(0, 200, 20_480),
  stepsPerTurn: fc.oneof(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 7, max: 60 })),
  restartDelayMs: fc.nat(30),
  watermarkIntervalMs: fc.constantFrom(1, 10, 200),
  backend: fc.constantFrom(...BACKENDS),
  cacheBytes: fc.constantFrom(0, 2000, 100_000),
  incremental: fc.constantFrom(true, true, true, false),
  retained: fc.integer({ min: 1, max: 3 }),
})

const overtaking = fc.record({
  mode: fc.constantFrom(...MODES),
  alignedTimeoutMs: fc.integer({ min: 1, max: 60 }),
  /** Channels that hold little are full of records as well, but of few. */
  credit: fc.integer({ min: 1, max: 48 }),
  /** Sources are as fast as they can: their records wait in the channels. */
  hurries: fc.constantFrom(true, true, false),
  /** Of the writes of each sink, over and over. */
  slowMs: fc.array(fc.nat(6), { minLength: 1, maxLength: 4 }),
})

export const draws = fc.noBias(
  fc.record({
    sources: fc.array(source, { minLength: 1, maxLength: 4 }),
    nodes: fc.array(node, { minLength: 1, maxLength: 12, size: 'max' }),
    sinks: fc.array(sink, { minLength: 1, maxLength: 4 }),
    /** How many sinks there are beside those of streams that nobody reads. */
    extraSinks: fc.nat(2),
    reads: fc.boolean(),
    rescales: fc.constantFrom(true, true, false),
    settings,
    lives: fc.array(life, { minLength: 2, maxLength: 4 }),
    overtaking,
  }),
)
export type Draw = typeof draws extends fc.Arbitrary<infer T> ? T : never
