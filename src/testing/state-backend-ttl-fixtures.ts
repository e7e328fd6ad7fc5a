/** What the claims about states with a time-to-live share: one state of each kind, filled and read together. */
import type { VirtualClock } from '../base/virtual-clock.ts'
import {
  AggregatingStateDescriptor,
  ListStateDescriptor,
  MapStateDescriptor,
  ReducingStateDescriptor,
  ValueStateDescriptor,
} from '../state/descriptors.ts'
import type { KeyGroupRange } from '../state/key-group-range.ts'
import type { KeyedStateBackend, StoredKeyedState } from '../state/state-backend.ts'
import type { StateTtlConfig } from '../state/state-ttl.ts'
import { meanOf, type OpenBackend } from './state-backend-fixtures.ts'

export const TTL = { ttl: 100, cleanupInBackground: false } as const satisfies StateTtlConfig
export const VALUE = new ValueStateDescriptor<number>('v', { ttl: TTL })
export const MAP = new MapStateDescriptor<string, number>('m', { ttl: TTL })

/** One state of each kind. */
export const statesOf = (backend: KeyedStateBackend, ttl: StateTtlConfig = TTL) => statesWith(backend, ttl)
export const plainStates = (backend: KeyedStateBackend) => statesWith(backend, undefined)

function statesWith(backend: KeyedStateBackend, ttl: StateTtlConfig | undefined) {
  return {
    value: backend.getState(new ValueStateDescriptor<number>('v', { ttl })),
    list: backend.getListState(new ListStateDescriptor<number>('l', { ttl })),
    map: backend.getMapState(new MapStateDescriptor<string, number>('m', { ttl })),
    sum: backend.getReducingState(new ReducingStateDescriptor<number>('r', (a, b) => a + b, { ttl })),
    mean: backend.getAggregatingState(new AggregatingStateDescriptor('a', meanOf.aggregate, { ttl })),
  }
}

export type States = ReturnType<typeof statesWith>

export function fill({ value, list, map, sum, mean }: States, n: number): void {
  value.update(n)
  list.add(n)
  map.set(`${n}`, n)
  sum.add(n)
  mean.add(n)
}

export const read = ({ value, list, map, sum, mean }: States) => [
  value.value(),
  [...list.get()],
  Object.fromEntries(map),
  sum.get(),
  mean.get(),
]
export const NOTHING = [undefined, [], {}, undefined, undefined]

/** On a clock, with what one snapshot holds. */
export type OpenAt = (
  clock: VirtualClock,
  state?: StoredKeyedState,
  keyGroups?: KeyGroupRange,
) => Promise<KeyedStateBackend>

export const openerAt =
  (open: OpenBackend): OpenAt =>
  (clock, state, keyGroups) =>
    open(state === undefined ? [] : [state], keyGroups, undefined, clock)
