/**
 * process on a keyed stream connected with a broadcast one. The broadcast side has no key, and may go over all keys of a
 * keyed state.
 */

import { noCurrentKey } from '../state/current-key.ts'
import type {
  AggregatingStateDescriptor,
  ListStateDescriptor,
  MapStateDescriptor,
  ReducingStateDescriptor,
  ValueStateDescriptor,
} from '../state/descriptors.ts'
import { keyOf } from '../state/key.ts'
import type { KeyedStateBackend } from '../state/state-backend.ts'
import { readOnlyView, writableView } from './broadcast-process.ts'
import { type BroadcastDescriptor, BroadcastStates } from './broadcast-states.ts'
import { clocksOnly } from './clocks-only.ts'
import { FunctionInput } from './function-input.ts'
import type { KeyedBroadcastContext, KeyedBroadcastProcessFunction, RuntimeContext } from './functions.ts'
import { KeyedScope } from './keyed-scope.ts'
import type { OperatorContext, OperatorFactory } from './operator.ts'
import { lifeCycleOf, madeBy } from './rich-function.ts'
import { combinedTime } from './two-inputs.ts'
import { refuseResult } from './user-result.ts'

/** The second input is the broadcast side; `descriptors` are those of its states. */
export function keyedBroadcastProcessOperator<K, A, B, R>(
  keySelector: (value: A) => K,
  create: (context: RuntimeContext) => KeyedBroadcastProcessFunction<K, A, B, R>,
  descriptors: readonly BroadcastDescriptor[],
): OperatorFactory {
  const factory: OperatorFactory = (operatorContext) => {
    const context = operatorContext as OperatorContext<R>
    const states = new BroadcastStates(context, descriptors)
    const fn = madeBy(create, context)
    const scope: KeyedScope<K, R> = new KeyedScope(context, (timestamp) => fn.onTimer?.(timestamp, readOnly, collector))
    const { backend, collector } = scope
    const [time, broadcastTime] = combinedTime(scope.time)
    const readOnly = readOnlyView(scope.view, states)
    // Refused also while applyToKeyedState lends the side a key.
    const timers = clocksOnly(scope.view.timerService(), () => {
      throw noCurrentKey('A timer')
    })
    const writable: KeyedBroadcastContext<K> = {
      ...writableView({ ...scope.view, timerService: () => timers }, states),
      applyToKeyedState: (descriptor: StateDescriptor, apply: (key: K, state: never) => unknown) =>
        applyToAllKeys(backend, descriptor, apply, context.task.operatorName),
    }
    const call = (value: A) => {
      backend.setCurrentKey(keySelector(value))
      return fn.processElement(value, readOnly, collector)
    }
    const broadcastCall = (value: B) => {
      backend.clearCurrentKey()
      return fn.processBroadcastElement(value, writable, collector)
    }
    const name = 'processBroadcastElement'
    return {
      inputs: [
        new FunctionInput({ context, collector, name: 'processElement', call, time }),
        new FunctionInput({ context, collector, name, call: broadcastCall, time: broadcastTime }),
      ],
      ...lifeCycleOf(fn, context),
    }
  }
  return Object.assign(factory, { keepsKeys: true })
}

type StateDescriptor =
  | ValueStateDescriptor<unknown>
  | ListStateDescriptor<unknown>
  | MapStateDescriptor<unknown, unknown>
  | ReducingStateDescriptor<unknown>
  | AggregatingStateDescriptor<unknown, unknown, unknown>

/** The keys are those at the start: what `apply` clears and sets again is not met twice. Every change goes the way of any other, past running snapshots. */
function applyToAllKeys<K>(
  backend: KeyedStateBackend,
  descriptor: StateDescriptor,
  apply: (key: K, state: never) => unknown,
  operatorName: string,
): void {
  const state = stateOf(backend, descriptor) as never
  try {
    for (const mapKey of backend.keysOf(descriptor.name)) {
      const key = keyOf(mapKey) as K
      backend.setCurrentKey(key)
      const result = apply(key, state)
      if (result !== undefined) refuseResult(result, operatorName, 'applyToKeyedState')
    }
  } finally {
    backend.clearCurrentKey()
  }
}

function stateOf(backend: KeyedStateBackend, descriptor: StateDescriptor): unknown {
  switch (descriptor.kind) {
    case 'value':
      return backend.getState(descriptor)
    case 'list':
      return backend.getListState(descriptor)
    case 'map':
      return backend.getMapState(descriptor)
    case 'reducing':
      return backend.getReducingState(descriptor)
    case 'aggregating':
      return backend.getAggregatingState(descriptor)
    default:
      return descriptor satisfies never
  }
}
