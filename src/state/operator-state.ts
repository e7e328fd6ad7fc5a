/**
 * The operator state of one operator of one subtask: lists in memory that belong to the subtask, not to keys. What is
 * restored has been dealt out already (`redistribution.ts`).
 */
import { StreamError } from '../base/errors.ts'
import { defaultSerializer, type Serializer } from '../elements/serializer.ts'
import type { ListState, ListStateDescriptor } from './descriptors.ts'
import type { StoredSerializer } from './keyed-table.ts'
import { encodeOperatorState, type StoredOperatorState } from './operator-state-format.ts'
import type { RedistributionMode } from './redistribution.ts'

export interface OperatorStateStore {
  /** Dealt out evenly at another parallelism; stays where it is otherwise. The same name again is the same list. */
  getListState<T>(descriptor: ListStateDescriptor<T>): ListState<T>
  /** After a restore every subtask has the elements of all, also at the same parallelism. */
  getUnionListState<T>(descriptor: ListStateDescriptor<T>): ListState<T>
  /**
   * The synchronous part of a snapshot: what the lists hold now, as one payload; undefined when there is no list at all.
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
  const lists = new Map<string, OperatorList<never>>()

  const listOf = <T>(
    { name, serializer = defaultSerializer<T>() }: ListStateDescriptor<T>,
    mode: RedistributionMode,
  ): ListState<T> => {
    const known = lists.get(name)
    if (known !== undefined) {
      refuseConflict(known, mode, serializer)
      return known as OperatorList<unknown> as OperatorList<T>
    }
    const list = new OperatorList(name, mode, serializer)
    const stored = unclaimed.get(name)
    if (stored !== undefined) list.restore(stored)
    unclaimed.delete(name)
    lists.set(name, list as OperatorList<unknown> as OperatorList<never>)
    return list
  }

  return {
    getListState: (descriptor) => listOf(descriptor, 'split'),
    getUnionListState: (descriptor) => listOf(descriptor, 'union'),
    snapshot() {
      // Every subtask holds all of a union: kept by each, an unused one would multiply with every restore.
      const kept = [...unclaimed.values()].map((state) =>
        state.mode === 'union' && subtask > 0 ? { ...state, elements: [] } : state,
      )
      const states = [...[...lists.values()].map((list) => list.stored()), ...kept]
      return states.length === 0 ? undefined : encodeOperatorState(states)
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

  restore(stored: StoredOperatorState): void {
    const { id, version } = stored.serializer
    if (stored.mode !== this.mode)
      throw incompatible(this.name, `it was stored as ${stored.mode}, the program has ${this.mode}`)
    if (id !== this.serializer.id)
      throw incompatible(this.name, `it was written by serializer '${id}', the program has '${this.serializer.id}'`)
    if (version > this.serializer.version)
      throw incompatible(
        this.name,
        `it was written by version ${version} of serializer '${id}', the program has version ${this.serializer.version}`,
      )
    this.#elements = stored.elements.map((bytes) => this.serializer.deserialize(bytes, version))
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
            message: `Element ${index} of operator state '${name}' could not be serialised: ${cause instanceof Error ? cause.message : String(cause)}`,
            hint: StreamError.is(cause) ? cause.hint : 'The serializer of this state threw.',
            details: { state: name, index },
            cause,
          })
        }
      }),
    }
  }
}

function refuseConflict(
  known: Pick<StoredOperatorState, 'name' | 'mode' | 'serializer'>,
  mode: RedistributionMode,
  serializer: StoredSerializer,
): void {
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
