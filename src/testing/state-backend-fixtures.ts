/** What the claims about state backends share: how a backend is opened, and a few states. */
import type { Clock } from '../base/clock.ts'
import { VirtualClock } from '../base/virtual-clock.ts'
import type { Serializer } from '../elements/serializer.ts'
import { AggregatingStateDescriptor, ValueStateDescriptor } from '../state/descriptors.ts'
import type { KeyGroupRange } from '../state/key-group-range.ts'
import type { KeyedStateBackend, StoredKeyedState } from '../state/state-backend.ts'

export interface StateBackendCase {
  readonly claim: string
  /** Rejects when the claim does not hold. */
  run(): Promise<void>
}

/** Settles when nothing that has expired is left. */
export type CleanedUp = (clock: VirtualClock) => Promise<void>

export interface StateBackendSuiteOptions {
  /** A new, empty backend. */
  create(options: {
    readonly maxParallelism: number
    readonly keyGroups: KeyGroupRange
    /** Processing time; it stands still where a claim does not drive it. */
    readonly clock: Clock
  }): KeyedStateBackend | Promise<KeyedStateBackend>
  /** What is evicted is serialised, also when no snapshot asks for it. */
  readonly evicts?: boolean | undefined
  /** Lets work in the background that waits for more than the clock come to its end; left out: there is none. */
  readonly cleanedUp?: CleanedUp | undefined
}

/** A backend with what the snapshots hold; of all key groups, on a clock that stands at 0, unless others are given. */
export type OpenBackend = (
  states?: readonly StoredKeyedState[],
  keyGroups?: KeyGroupRange,
  maxParallelism?: number,
  clock?: Clock,
) => Promise<KeyedStateBackend>

export const MAX_PARALLELISM = 16
export const WHOLE: KeyGroupRange = { first: 0, last: MAX_PARALLELISM - 1 }
export const COUNT = new ValueStateDescriptor<number>('count')

export function opener({ create }: StateBackendSuiteOptions): OpenBackend {
  return async (states = [], keyGroups = WHOLE, maxParallelism = MAX_PARALLELISM, clock = new VirtualClock()) => {
    const backend = await create({ maxParallelism, keyGroups, clock })
    if (states.length > 0) await backend.restore(states)
    return backend
  }
}

/** Its accumulator is changed in place, as the contract allows. */
export const meanOf = new AggregatingStateDescriptor('mean', {
  createAccumulator: () => ({ sum: 0, count: 0 }),
  add(value: number, accumulator) {
    accumulator.sum += value
    accumulator.count++
    return accumulator
  },
  getResult: ({ sum, count }) => sum / count,
  merge: (a, b) => ({ sum: a.sum + b.sum, count: a.count + b.count }),
})

/** A serializer of a user that tells which version it reads. */
export function text(version: number, serialising: () => void = () => {}): Serializer<string> {
  return {
    id: 'text',
    version,
    serialize(value) {
      serialising()
      return new TextEncoder().encode(value)
    },
    deserialize: (bytes, from) => new TextDecoder().decode(bytes) + (from === version ? '' : `, of version ${from}`),
  }
}
