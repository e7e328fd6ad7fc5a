/**
 * The life of one operator in a chain. It grants each step of that life once, and reports the first failure.
 * The order among the operators of a chain is the task's business.
 */
import { setup } from 'xstate'
import type { Cause } from './cause.ts'

export interface OperatorInput {
  /** The name of the operator within its task. */
  readonly operator: string
}

export type OperatorFact =
  /** Its state is in place, and it is its turn to open. */
  | { readonly type: 'state.restored' }
  | { readonly type: 'operator.opened' }
  /** No more records: the largest watermark is through. */
  | { readonly type: 'input.ended' }
  | { readonly type: 'operator.finished' }
  | { readonly type: 'close.requested' }
  | { readonly type: 'operator.closed' }
  /** A function of the user, or the operator itself, threw. */
  | { readonly type: 'operator.failed'; readonly cause: Cause }

export type OperatorOrder =
  /** Answer operator.opened. */
  | { readonly type: 'openOperator' }
  /** Answer operator.finished. */
  | { readonly type: 'finishOperator' }
  /** Answer operator.closed. */
  | { readonly type: 'closeOperator' }
  | { readonly type: 'failTask'; readonly operator: string; readonly cause: Cause }

const operatorSetup = setup({
  types: {
    context: {} as OperatorInput,
    events: {} as OperatorFact,
    emitted: {} as OperatorOrder,
    input: {} as OperatorInput,
  },
})

const give = (order: OperatorOrder) => operatorSetup.enqueueActions(({ enqueue }) => enqueue.emit(order))

const failTask = operatorSetup.enqueueActions(({ context, event, enqueue }) => {
  if (event.type === 'operator.failed')
    enqueue.emit({ type: 'failTask', operator: context.operator, cause: event.cause })
})

const failed = { 'operator.failed': { target: 'failed', actions: failTask } } as const
const close = { 'close.requested': { target: 'closing', actions: give({ type: 'closeOperator' }) } } as const

export const operator = operatorSetup.createMachine({
  id: 'operator',
  context: ({ input }) => ({ operator: input.operator }),
  initial: 'created',
  states: {
    created: {
      on: {
        'state.restored': { target: 'restored', actions: give({ type: 'openOperator' }) },
        // Nothing was opened, so nothing is closed.
        'close.requested': 'closed',
        ...failed,
      },
    },
    restored: { on: { 'operator.opened': 'open', ...close, ...failed } },
    open: {
      on: { 'input.ended': { target: 'finishing', actions: give({ type: 'finishOperator' }) }, ...close, ...failed },
    },
    finishing: { on: { 'operator.finished': 'finished', ...close, ...failed } },
    finished: { on: { ...close, ...failed } },
    closing: { on: { 'operator.closed': 'closed', ...failed } },
    closed: {},
    // What failed is closed all the same: it may hold a connection. What that comes to changes nothing.
    failed: { on: { 'close.requested': { actions: give({ type: 'closeOperator' }) } } },
  },
})
