/** process on connected keyed streams: both inputs see the same state and the same timers of the current key. */
import { FunctionInput } from './function-input.ts'
import type { KeyedCoProcessFunction, RuntimeContext } from './functions.ts'
import { KeyedScope } from './keyed-scope.ts'
import type { OperatorContext, OperatorFactory } from './operator.ts'
import { lifeCycleOf, madeBy } from './rich-function.ts'
import { combinedTime } from './two-inputs.ts'

export function keyedCoProcessOperator<K, A, B, R>(
  firstSelector: (value: A) => K,
  secondSelector: (value: B) => K,
  create: (context: RuntimeContext) => KeyedCoProcessFunction<K, A, B, R>,
): OperatorFactory {
  return (operatorContext) => {
    const context = operatorContext as OperatorContext<R>
    const fn = madeBy(create, context)
    const scope: KeyedScope<K, R> = new KeyedScope(context, (timestamp) => fn.onTimer?.(timestamp, view, collector))
    const { backend, view, collector } = scope
    const [time1, time2] = combinedTime(scope.time)
    const call1 = (value: A) => {
      backend.setCurrentKey(firstSelector(value))
      return fn.processElement1(value, view, collector)
    }
    const call2 = (value: B) => {
      backend.setCurrentKey(secondSelector(value))
      return fn.processElement2(value, view, collector)
    }
    return {
      inputs: [
        new FunctionInput({ context, collector, name: 'processElement1', call: call1, time: time1 }),
        new FunctionInput({ context, collector, name: 'processElement2', call: call2, time: time2 }),
      ],
      ...lifeCycleOf(fn, context),
    }
  }
}
