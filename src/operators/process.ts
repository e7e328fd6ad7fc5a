/** process on a stream without key: the user's function sees each record and emits what it likes. */
import { FunctionInput } from './function-input.ts'
import type { ProcessFunction, RuntimeContext } from './functions.ts'
import type { OperatorContext, OperatorFactory } from './operator.ts'
import { lifeCycleOf, madeBy } from './rich-function.ts'
import { UnkeyedScope } from './unkeyed-scope.ts'

export function processOperator<T, R>(create: (context: RuntimeContext) => ProcessFunction<T, R>): OperatorFactory {
  return (operatorContext) => {
    const context = operatorContext as OperatorContext<R>
    const fn = madeBy(create, context)
    const scope = new UnkeyedScope(context)
    const { view, collector } = scope
    const call = (value: T) => fn.processElement(value, view, collector)
    const input = new FunctionInput({ context, collector, name: 'processElement', call, time: scope })
    return { inputs: [input], ...lifeCycleOf(fn, context) }
  }
}
