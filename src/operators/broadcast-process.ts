/** process on a stream connected with a broadcast one: every subtask sees all broadcast records, and keeps what they say. */
import { type BroadcastDescriptor, BroadcastStates } from './broadcast-states.ts'
import { FunctionInput } from './function-input.ts'
import type {
  BroadcastContext,
  BroadcastProcessFunction,
  Context,
  ReadOnlyContext,
  RuntimeContext,
} from './functions.ts'
import type { OperatorContext, OperatorFactory } from './operator.ts'
import { lifeCycleOf, madeBy } from './rich-function.ts'
import { combinedTime } from './two-inputs.ts'
import { UnkeyedScope } from './unkeyed-scope.ts'

/** The second input is the broadcast side; `descriptors` are those of its states. */
export function broadcastProcessOperator<A, B, R>(
  create: (context: RuntimeContext) => BroadcastProcessFunction<A, B, R>,
  descriptors: readonly BroadcastDescriptor[],
): OperatorFactory {
  return (operatorContext) => {
    const context = operatorContext as OperatorContext<R>
    const states = new BroadcastStates(context, descriptors)
    const fn = madeBy(create, context)
    const scope = new UnkeyedScope(context)
    const { collector } = scope
    const [time, broadcastTime] = combinedTime(scope)
    const readOnly = readOnlyView(scope.view, states)
    const writable = writableView(scope.view, states)
    const call = (value: A) => fn.processElement(value, readOnly, collector)
    const broadcastCall = (value: B) => fn.processBroadcastElement(value, writable, collector)
    const name = 'processBroadcastElement'
    return {
      inputs: [
        new FunctionInput({ context, collector, name: 'processElement', call, time }),
        new FunctionInput({ context, collector, name, call: broadcastCall, time: broadcastTime }),
      ],
      ...lifeCycleOf(fn, context),
    }
  }
}

/** What is left of `view`, of which it is a copy, plus broadcast state to read. */
export function readOnlyView<V extends Context>(view: V, states: BroadcastStates): V & ReadOnlyContext {
  return { ...view, ...clocksOf(view), getBroadcastState: (descriptor) => states.readOnly(descriptor) }
}

export function writableView(view: Context, states: BroadcastStates): BroadcastContext {
  return {
    timestamp: view.timestamp,
    timerService: view.timerService,
    output: view.output,
    ...clocksOf(view),
    getBroadcastState: (descriptor) => states.writable(descriptor),
  }
}

function clocksOf(view: Context) {
  const timers = view.timerService()
  return { currentWatermark: timers.currentWatermark, currentProcessingTime: timers.currentProcessingTime }
}
