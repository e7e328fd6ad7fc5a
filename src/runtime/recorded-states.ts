/** Wraps the states of an operator and notes each one that is asked for, so that it can be asked for again elsewhere. */
import { valueCodec } from '../elements/serializer.ts'
import type { StateKind } from '../state/descriptors.ts'
import type { StoredSerializer } from '../state/keyed-table.ts'
import type { OperatorStateStore } from '../state/operator-state.ts'
import type { RedistributionMode } from '../state/redistribution.ts'
import type { KeyedStateBackend } from '../state/state-backend.ts'
import type { StateTtl } from '../state/state-ttl.ts'
import { TTL_STAMPS } from '../state/ttl-codecs.ts'

export type DeclaredState = DeclaredKeyedState | DeclaredOperatorState

export interface DeclaredKeyedState {
  readonly type: 'keyed'
  /** A `StateKind`, or what the house keeps beside the states: `timers`. */
  readonly kind: string
  readonly name: string
  readonly serializers: readonly StoredSerializer[]
  /** Asks for the very state: throws what its answer to a restore is. */
  askOf(backend: KeyedStateBackend): void
}

export interface DeclaredOperatorState {
  readonly type: 'operator'
  readonly kind: RedistributionMode
  readonly name: string
  readonly serializers: readonly StoredSerializer[]
  askOf(store: OperatorStateStore): void
}

/** What descriptors of every kind have. */
interface Descriptor {
  readonly kind: StateKind
  readonly name: string
  readonly serializer?: Parameters<typeof valueCodec>[0] | undefined
  readonly ttl?: StateTtl | undefined
}

export class RecordedStates {
  /** Asked for twice, it is one. */
  readonly #states = new Map<string, DeclaredState>()

  all(): readonly DeclaredState[] {
    return [...this.#states.values()]
  }

  /** `backend` answers; noted is what it did not refuse. */
  keyed(backend: KeyedStateBackend): KeyedStateBackend {
    const asked = <State>(descriptor: unknown, ask: (of: KeyedStateBackend) => State): State => {
      const state = ask(backend)
      const { kind, name, serializer, ttl } = descriptor as Descriptor
      const { id, version } = valueCodec(serializer)
      const serializers = [{ id, version }, ...(ttl === undefined ? [] : [TTL_STAMPS])]
      this.#note({ type: 'keyed', kind, name, serializers, askOf: ask })
      return state
    }
    return {
      maxParallelism: backend.maxParallelism,
      keyGroups: backend.keyGroups,
      setCurrentKey: (key) => backend.setCurrentKey(key),
      currentKey: () => backend.currentKey(),
      currentMapKey: () => backend.currentMapKey(),
      clearCurrentKey: () => backend.clearCurrentKey(),
      getState: (descriptor) => asked(descriptor, (of) => of.getState(descriptor)),
      getListState: (descriptor) => asked(descriptor, (of) => of.getListState(descriptor)),
      getMapState: (descriptor) => asked(descriptor, (of) => of.getMapState(descriptor)),
      getReducingState: (descriptor) => asked(descriptor, (of) => of.getReducingState(descriptor)),
      getAggregatingState: (descriptor) => asked(descriptor, (of) => of.getAggregatingState(descriptor)),
      keysOf: (stateName) => backend.keysOf(stateName),
      keyedTable: (kind, name, codec) => {
        const table = backend.keyedTable(kind, name, codec)
        const serializers = codec.serializers.map(({ id, version }) => ({ id, version }))
        this.#note({ type: 'keyed', kind, name, serializers, askOf: (of) => void of.keyedTable(kind, name, codec) })
        return table
      },
      freeze: (checkpointId, format) => backend.freeze(checkpointId, format),
      checkpointCompleted: (checkpointId) => backend.checkpointCompleted(checkpointId),
      checkpointAborted: (checkpointId) => backend.checkpointAborted(checkpointId),
      restore: (states) => backend.restore(states),
      close: () => backend.close(),
    }
  }

  operator(store: OperatorStateStore): OperatorStateStore {
    const asked = <State>(
      kind: RedistributionMode,
      descriptor: unknown,
      ask: (of: OperatorStateStore) => State,
    ): State => {
      const state = ask(store)
      const { name, serializer } = descriptor as Descriptor
      const { id, version } = valueCodec(serializer)
      this.#note({ type: 'operator', kind, name, serializers: [{ id, version }], askOf: ask })
      return state
    }
    return {
      getListState: (descriptor) => asked('split', descriptor, (of) => of.getListState(descriptor)),
      getUnionListState: (descriptor) => asked('union', descriptor, (of) => of.getUnionListState(descriptor)),
      getBroadcastState: (descriptor) => asked('broadcast', descriptor, (of) => of.getBroadcastState(descriptor)),
      snapshot: () => store.snapshot(),
    }
  }

  #note(state: DeclaredState): void {
    this.#states.set(placeOfState(state), state)
  }
}

/** What is kept under one place is one state, whatever its kind: the users' names are one space, each of the house's kinds another. */
export function placeOfState({ type, kind, name }: Pick<DeclaredState, 'type' | 'kind' | 'name'>): string {
  if (type === 'operator') return `operator/${name}`
  return `keyed/${isHouseKind(kind) ? kind : 'state'}/${name}`
}

const USER_KINDS: ReadonlySet<string> = new Set<StateKind>(['value', 'list', 'map', 'reducing', 'aggregating'])

function isHouseKind(kind: string): boolean {
  return !USER_KINDS.has(kind)
}
