/**
 * The operator state of one operator of one subtask: lists, and maps that are broadcast, in memory; they belong to the
 * subtask, not to keys. What is restored has been dealt out already (`redistribution.ts`).
 */
import { messageOf, StreamError } from '../base/errors.ts'
import { defaultSerializer, type Serializer } from '../elements/serializer.ts'
import { type BroadcastState, OperatorMap } from './broadcast-state.ts'
import type { ListState, ListStateDescriptor, MapStateDescriptor } from './descriptors.ts'
import type { StoredSerializer } from './keyed-table.ts'
import { encodeOperatorState, type StoredOperatorState } from './operator-state-format.ts'
import type { RedistributionMode } from './redistribution.ts'
import { operatorStateInWords } from './state-in-words.ts'

export interface OperatorStateStore {
  /** Dealt out evenly at another parallelism; stays where it is otherwise. The same name again is the same list. */
  getListState<T>(descriptor: ListStateDescriptor<T>): ListState<T>
  /** After a restore every subtask has the elements of all, also at the same parallelism. */
  getUnionListState<T>(descriptor: ListStateDescriptor<T>): ListState<T>
  /** Every subtask keeps a copy, and has one of the copies after a restore, at any parallelism. */
  getBroadcastState<K, V>(descriptor: MapStateDescriptor<K, V>): BroadcastState<K, V>
  /**
   * The synchronous part of a snapshot: what the states hold now, as one payload; undefined when there is no state at all.
   * Throws NOT_SERIALIZABLE.
   */
  snapshot(): Uint8Array | undefined
}

export interface OperatorStateStoreOptions {
  /** Of this subtask. */
  readonly subtask: number
  /** This subtask's share, from `redistributeOperatorState` over the payloads of `decodeOperatorState`. */
  readonly restored?: readonly StoredOperatorState[] | undefined
}

export function operatorStateStore({ subtask, restored = [] }: OperatorStateStoreOptions): OperatorStateStore {
  const unclaimed = new Map(restored.map((state) => [state.name, state]))
  const states = new Map<string, OperatorList<never> | OperatorMap<never, never>>()

  /** The state of this name: the one that was asked for before, else a new one with what was restored of it. */
  const stateOf = <S extends OperatorList<never> | OperatorMap<never, never>>(
    { name, ttl }: Pick<MapStateDescriptor<unknown, unknown>, 'name' | 'ttl'>,
    fresh: S,
  ): S => {
    if (ttl !== undefined) throw expiring(name)
    const known = states.get(name)
    if (known !== undefined) {
      refuseConflict(known, fresh.mode, fresh.serializer)
      return known as S
    }
    const stored = unclaimed.get(name)
    if (stored !== undefined) {
      refuseIncompatible(stored, fresh)
      for (const element of stored.elements) fresh.restoreElement(element, stored.serializer.version)
    }
    unclaimed.delete(name)
    states.set(name, fresh)
    return fresh
  }
  const listOf = <T>(descriptor: ListStateDescriptor<T>, mode: 'split' | 'union'): ListState<T> => {
    const fresh = new OperatorList(descriptor.name, mode, descriptor.serializer ?? defaultSerializer<T>())
    return stateOf(
      descriptor,
      fresh as OperatorList<unknown> as OperatorList<never>,
    ) as OperatorList<unknown> as OperatorList<T>
  }

  return {
    getListState: (descriptor) => listOf(descriptor, 'split'),
    getUnionListState: (descriptor) => listOf(descriptor, 'union'),
    getBroadcastState<K, V>(descriptor: MapStateDescriptor<K, V>): BroadcastState<K, V> {
      const fresh = new OperatorMap<K, V>(descriptor.name, descriptor.serializer ?? defaultSerializer<V>())
      return stateOf(descriptor, fresh as OperatorMap<unknown, unknown> as OperatorMap<never, never>) as OperatorMap<
        unknown,
        unknown
      > as OperatorMap<K, V>
    },
    snapshot() {
      // Every subtask holds all of a union: kept by each, an unused one would multiply with every restore. Copies of a
      // broadcast state do not: a restore takes one of them.
      const kept = [...unclaimed.values()].map((state) =>
        state.mode === 'union' && subtask > 0 ? { ...state, elements: [] } : state,
      )
      const stored = [...[...states.values()].map((state) => state.stored()), ...kept]
      return stored.length === 0 ? undefined : encodeOperatorState(stored)
    },
  }
}

class OperatorList<T> implements ListState<T> {
  readonly name: string
  readonly mode: RedistributionMode
  readonly serializer: Serializer<T>
  #elements: T[] = []

  constructor(name: string, mode: RedistributionMode, serializer: Serializer<T>) {
    this.name = name
    this.mode = mode
    this.serializer = serializer
  }

  get(): Iterable<T> {
    return this.#elements.slice()
  }

  add(value: T): void {
    this.#elements.push(value)
  }

  addAll(values: Iterable<T>): void {
    this.#elements = [...this.#elements, ...values]
  }

  update(values: Iterable<T>): void {
    this.#elements = [...values]
  }

  clear(): void {
    this.#elements = []
  }

  restoreElement(bytes: Uint8Array, version: number): void {
    this.#elements.push(this.serializer.deserialize(bytes, version))
  }

  stored(): StoredOperatorState {
    const { name, mode, serializer } = this
    return {
      name,
      mode,
      serializer: { id: serializer.id, version: serializer.version },
      elements: this.#elements.map((element, index) => {
        try {
          return serializer.serialize(element)
        } catch (cause) {
          // A serializer of the user, or an element that cannot be serialised.
          throw new StreamError('NOT_SERIALIZABLE', {
            message: `Element ${index} of ${operatorStateInWords(name)} could not be serialised: ${messageOf(cause)}`,
            hint: StreamError.is(cause) ? cause.hint : 'The serializer of this state threw.',
            details: { state: name, index },
            cause,
          })
        }
      }),
    }
  }
}

type Declared = Pick<StoredOperatorState, 'name' | 'mode' | 'serializer'>

function refuseIncompatible(stored: Declared, { name, mode, serializer }: Declared): void {
  const { id, version } = stored.serializer
  if (stored.mode !== mode) throw incompatible(name, `it was stored as ${stored.mode}, the program has ${mode}`)
  if (id !== serializer.id)
    throw incompatible(name, `it was written by serializer '${id}', the program has '${serializer.id}'`)
  if (version > serializer.version)
    throw incompatible(
      name,
      `it was written by version ${version} of serializer '${id}', the program has version ${serializer.version}`,
    )
}

function refuseConflict(known: Declared, mode: RedistributionMode, serializer: StoredSerializer): void {
  if (known.mode === mode && known.serializer.id === serializer.id && known.serializer.version === serializer.version)
    return
  throw new StreamError('STATE_CONFLICT', {
    message: `Operator state '${known.name}' is declared twice, with different modes or serializers: ${known.mode} with ${known.serializer.id}, ${mode} with ${serializer.id}.`,
    hint: 'Give each state of an operator a name of its own.',
    details: { state: known.name },
  })
}

function incompatible(name: string, what: string): StreamError {
  return new StreamError('STATE_INCOMPATIBLE', {
    message: `The stored operator state '${name}' does not fit the program: ${what}.`,
    hint: 'Restore with the program that wrote it, or give the changed state another name.',
    details: { state: name },
  })
}

function expiring(name: string): StreamError {
  return new StreamError('UNSUPPORTED', {
    message: `Operator state '${name}' has a time-to-live; only keyed state expires.`,
    hint: 'Leave `ttl` out, or keep the state by key.',
    details: { state: name },
  })
}
