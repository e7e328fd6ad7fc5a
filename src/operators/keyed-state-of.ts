/** The keyed state of an operator behind a keyBy; the graph gives it to every such operator. */
import { StreamError } from '../base/errors.ts'
import type { KeyedStateBackend } from '../state/state-backend.ts'
import type { OperatorContext } from './operator.ts'

/** NO_KEYED_STATE where the operator does not stand behind a keyBy. */
export function keyedStateOf(context: OperatorContext<never>): KeyedStateBackend {
  if (context.keyedState !== undefined) return context.keyedState
  const { operatorName } = context.task
  throw new StreamError('NO_KEYED_STATE', {
    message: `Operator "${operatorName}" asked for keyed state, and its stream has no key.`,
    hint: 'Call keyBy(...) before process(...), or use operator state (initializeState) instead.',
    details: { operator: operatorName },
  })
}
