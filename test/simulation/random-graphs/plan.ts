/**
 * What a random graph is: plain data, from which the job and the oracle are both made. `streams` are numbered in the order
 * in which sources and nodes bring them; whoever reads one names its number.
 */
import type { KeyKind } from './records.ts'

export const SOURCE_KINDS = ['data', 'sequence', 'splits', 'generator', 'lines', 'json', 'csv'] as const
export interface SourcePlan {
  /** `followed`: files that grow and are renamed meanwhile; it never ends. */
  readonly kind: (typeof SOURCE_KINDS)[number] | 'followed'
  readonly index: number
  /** Rows of each split; `data`, `sequence` and `generator` have one list. */
  readonly splits: readonly number[]
  readonly keys: number
  /** How far rows may be behind the newest one, in event time. */
  readonly disorderMs: number
  /** Between two rows of a `splits` source, of the clock. */
  readonly paceMs: number
  readonly parallelism: readonly number[]
}

export const PARTITIONERS = [
  'none',
  'rebalance',
  'rescale',
  'shuffle',
  'global',
  'forward',
  'broadcast',
  'custom',
  'customKey',
] as const
export type Partitioner = (typeof PARTITIONERS)[number]

export interface Input {
  readonly stream: number
  readonly partitioner: Partitioner
}

export const STATES = ['value', 'list', 'map', 'reducing', 'aggregating'] as const
export type StateKind = (typeof STATES)[number]

export type Operation =
  | { readonly type: 'map' }
  | { readonly type: 'flatMap'; readonly most: number }
  | { readonly type: 'filter' }
  | { readonly type: 'reduce'; readonly key: KeyKind }
  /** Gives what the state of the key has come to: behind each row, or at the end of time. */
  | {
      readonly type: 'keyed'
      readonly key: KeyKind
      readonly state: StateKind
      readonly emit: 'running' | 'end'
      readonly ttl: boolean
    }
  /** Per key and window of event time, what came. */
  | { readonly type: 'window'; readonly key: KeyKind; readonly sizeMs: number }
  /** Rows are set aside and taken in by timers of the clock; how much there was is told at the end of time. */
  | { readonly type: 'clockTimers'; readonly key: KeyKind; readonly delayMs: number }
  /** Rows of a split, chained in their order. */
  | { readonly type: 'chain' }
  /** Rows wait in operator state until further ones come, the last ones until all have come. */
  | { readonly type: 'buffer'; readonly most: number }
  /** Counted by subtask, in split or union state; the counts are told when all rows have come, and added up. */
  | { readonly type: 'counted'; readonly list: 'split' | 'union' }
  /** Some rows go to the side output; the others carry the timestamp that the job knows. */
  | { readonly type: 'side' }
  | { readonly type: 'union' }
  | { readonly type: 'coMap' }
  | { readonly type: 'coFlatMap'; readonly most: number }
  | { readonly type: 'coProcess' }
  | { readonly type: 'keyedCo'; readonly key: KeyKind; readonly emit: 'running' | 'end' }
  /** The second input is broadcast. */
  | { readonly type: 'broadcastState' }
  | { readonly type: 'keyedBroadcast'; readonly key: KeyKind }
  | { readonly type: 'assign'; readonly strategy: 'bounded' | 'farBehind' | 'none' }

export const OPERATION_TYPES = [
  'map',
  'flatMap',
  'filter',
  'reduce',
  'keyed',
  'window',
  'clockTimers',
  'chain',
  'buffer',
  'counted',
  'side',
  'union',
  'coMap',
  'coFlatMap',
  'coProcess',
  'keyedCo',
  'broadcastState',
  'keyedBroadcast',
  'assign',
] as const satisfies readonly Operation['type'][]

export interface NodePlan {
  readonly salt: number
  readonly operation: Operation
  readonly inputs: readonly Input[]
  /** One a process; `'as input'`: that of its input, in all of them. */
  readonly parallelism: readonly number[] | 'as input'
  readonly maxParallelism: number | undefined
  readonly chaining: 'always' | 'head' | 'never'
  /** The numbers of the streams that it brings: the main output, and the side output if there is one. */
  readonly outputs: readonly number[]
}

/** How barriers go: `alternating` ones start aligned and overtake after a time. */
export const MODES = ['aligned', 'unaligned', 'alternating'] as const
export type Mode = (typeof MODES)[number]

export const SINK_KINDS = ['ledger', 'files', 'collect', 'defined'] as const
export interface SinkPlan {
  readonly kind: (typeof SINK_KINDS)[number]
  readonly input: Input
  readonly parallelism: readonly number[]
  readonly chained: boolean
  readonly rollAtBytes: number | undefined
  /** How long a write takes, of the clock. */
  readonly slowMs: number
}

/** So many calls, operations or milliseconds behind a completed checkpoint; behind the start, where `behind` is 0. */
export interface Moment {
  readonly behind: number
  readonly nth: number
}

export const BACKENDS = ['hashmap', 'leveldb'] as const
export type Backend = (typeof BACKENDS)[number]

export interface SavepointPlan {
  readonly at: Moment
  readonly format: 'CANONICAL' | 'NATIVE'
}

/** What happens to one process, beside running the job. */
export interface LifePlan {
  readonly seed: number
  readonly link: 'direct' | 'cloned'
  /** At these calls of the user's functions for records, counted over all functions, one throws. */
  readonly throwsAt: readonly Moment[]
  /** At these calls of committers, counted from the start, one throws; an odd one asks for another try instead. */
  readonly commitFailsAt: readonly number[]
  /** The same for open, initializeState, snapshotState and prepareCommit. */
  readonly stepsFailAt: readonly number[]
  readonly diskFailsAt: readonly number[]
  readonly diskWaitsAt: readonly number[]
  /** Taken while the job runs on; nobody starts from them. */
  readonly savepointsAt: readonly SavepointPlan[]
  readonly end:
    | { readonly type: 'kill' | 'suspend'; readonly at: Moment }
    | { readonly type: 'crash'; readonly at: Moment; readonly loss: 'kill' | 'posix' | 'ordered' }
    /** With a savepoint, without drain. `swaps`: the next process has its state on the other backend, if any can read it. */
    | ({ readonly type: 'stop'; readonly swaps: boolean } & SavepointPlan)
    | { readonly type: 'nothing' }
}

export interface SettingsPlan {
  readonly mode: Mode
  /** Of a checkpoint that alternates. */
  readonly alignedTimeoutMs: number
  readonly intervalMs: number
  readonly minPauseMs: number
  readonly concurrent: number
  readonly credit: number
  readonly maxParallelism: number
  readonly chaining: boolean
  readonly uids: boolean
  readonly freeze: boolean
  readonly inlineThreshold: number
  readonly stepsPerTurn: number
  readonly restartDelayMs: number
  readonly watermarkIntervalMs: number
  /** Of the first process. */
  readonly backend: Backend
  readonly cacheBytes: number
  readonly incremental: boolean
  readonly retained: number
}

export interface Plan {
  readonly sources: readonly SourcePlan[]
  readonly nodes: readonly NodePlan[]
  readonly sinks: readonly SinkPlan[]
  /** The stream whose records the program itself reads, by `executeAndCollect`. */
  readonly read: number | undefined
  readonly settings: SettingsPlan
  /** The last one is left in peace. */
  readonly lives: readonly LifePlan[]
}
