/** map and flatMap of connected streams: a function for each input, one output. */
import { flatMapOperator } from './flat-map.ts'
import { mapOperator } from './map.ts'
import { type OperatorFactory, oneToOne } from './operator.ts'
import { twoInputsOf } from './two-inputs.ts'

export function coMapOperator<A, B, R>(first: (value: A) => R, second: (value: B) => R): OperatorFactory {
  return oneToOne((context) => twoInputsOf(mapOperator(first)(context), mapOperator(second)(context), context))
}

export function coFlatMapOperator<A, B, R>(
  first: (value: A) => Iterable<R> & object,
  second: (value: B) => Iterable<R> & object,
): OperatorFactory {
  return (context) => twoInputsOf(flatMapOperator(first)(context), flatMapOperator(second)(context), context)
}
