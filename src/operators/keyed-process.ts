/** process on a keyed stream: the user's function with the state and the timers of the current key. */
import { FunctionInput } from './function-input.ts'
import type { KeyedProcessFunction, RuntimeContext } from './functions.ts'
import { KeyedScope } from './keyed-scope.ts'
import type { OperatorContext, OperatorFactory } from './operator.ts'
import { lifeCycleOf, madeBy } from './rich-function.ts'

export function keyedProcessOperator<K, T, R>(
  keySelector: (value: T) => K,
  create: (context: RuntimeContext) => KeyedProcessFunction<K, T, R>,
): OperatorFactory {
  return (operatorContext) => {
    const context = operatorContext as OperatorContext<R>
    const fn = madeBy(create, context)
    const scope: KeyedScope<K, R> = new KeyedScope(context, (timestamp) => fn.onTimer?.(timestamp, view, collector))
    const { backend, view, collector, time } = scope
    const call = (value: T) => {
      backend.setCurrentKey(keySelector(value))
      return fn.processElement(value, view, collector)
    }
    const input = new FunctionInput({ context, collector, name: 'processElement', call, time })
    return { inputs: [input], ...lifeCycleOf(fn, context) }
  }
}
