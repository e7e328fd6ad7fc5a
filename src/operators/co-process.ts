/** process on connected streams without key: one function object that sees the records of both. */
import { FunctionInput } from './function-input.ts'
import type { CoProcessFunction, RuntimeContext } from './functions.ts'
import type { OperatorContext, OperatorFactory } from './operator.ts'
import { lifeCycleOf, madeBy } from './rich-function.ts'
import { combinedTime } from './two-inputs.ts'
import { UnkeyedScope } from './unkeyed-scope.ts'

export function coProcessOperator<A, B, R>(
  create: (context: RuntimeContext) => CoProcessFunction<A, B, R>,
): OperatorFactory {
  return (operatorContext) => {
    const context = operatorContext as OperatorContext<R>
    const fn = madeBy(create, context)
    const scope = new UnkeyedScope(context)
    const { view, collector } = scope
    const [time1, time2] = combinedTime(scope)
    const call1 = (value: A) => fn.processElement1(value, view, collector)
    const call2 = (value: B) => fn.processElement2(value, view, collector)
    return {
      inputs: [
        new FunctionInput({ context, collector, name: 'processElement1', call: call1, time: time1 }),
        new FunctionInput({ context, collector, name: 'processElement2', call: call2, time: time2 }),
      ],
      ...lifeCycleOf(fn, context),
    }
  }
}
