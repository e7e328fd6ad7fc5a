/** The broadcast states that a program declared with `broadcast(...)`, as an operator gives them to its function. */
import { StreamError } from '../base/errors.ts'
import type { BroadcastState, ReadOnlyBroadcastState } from '../state/broadcast-state.ts'
import type { MapStateDescriptor } from '../state/descriptors.ts'
import { ReadOnlyView } from '../state/read-only-broadcast-state.ts'
import type { OperatorContext } from './operator.ts'

/** Of any key and value. */
export type BroadcastDescriptor = Pick<MapStateDescriptor<unknown, unknown>, 'kind' | 'name' | 'serializer' | 'ttl'>

interface Declared {
  readonly state: BroadcastState<unknown, unknown>
  readonly view: ReadOnlyBroadcastState<unknown, unknown>
}

export class BroadcastStates {
  readonly #context: OperatorContext<never>
  readonly #names: readonly string[]
  /** By the descriptor itself: found per record without a comparison. */
  readonly #declared = new Map<unknown, Declared>()

  /** Takes over what was restored. */
  constructor(context: OperatorContext<never>, descriptors: readonly BroadcastDescriptor[]) {
    this.#context = context
    this.#names = descriptors.map(({ name }) => name)
    for (const descriptor of descriptors) this.#declared.set(descriptor, this.#stateOf(descriptor))
  }

  writable<K, V>(descriptor: MapStateDescriptor<K, V>): BroadcastState<K, V> {
    return this.#find(descriptor).state as BroadcastState<K, V>
  }

  readOnly<K, V>(descriptor: MapStateDescriptor<K, V>): ReadOnlyBroadcastState<K, V> {
    return this.#find(descriptor).view as ReadOnlyBroadcastState<K, V>
  }

  /** Another descriptor of a declared name is the same state; STATE_CONFLICT where it describes another one. */
  #find(descriptor: unknown): Declared {
    const declared = this.#declared.get(descriptor)
    if (declared !== undefined) return declared
    const name = (descriptor as { readonly name?: unknown } | undefined)?.name
    if (typeof name !== 'string' || !this.#names.includes(name)) throw this.#undeclared(name)
    return this.#stateOf(descriptor as BroadcastDescriptor)
  }

  #stateOf(descriptor: BroadcastDescriptor): Declared {
    const state = this.#context.operatorState.getBroadcastState(descriptor as MapStateDescriptor<unknown, unknown>)
    return { state, view: new ReadOnlyView(state, descriptor.name) }
  }

  #undeclared(name: unknown): StreamError {
    const { operatorName } = this.#context.task
    return new StreamError('INVALID_ARGUMENT', {
      message: `getBroadcastState: operator "${operatorName}" has no broadcast state '${String(name)}'.`,
      hint: `Give its descriptor to broadcast(...), which named ${this.#names.map((known) => `'${known}'`).join(', ')}.`,
      details: { operator: operatorName, state: String(name) },
    })
  }
}
