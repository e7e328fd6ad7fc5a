/** Hosts the chart of one operator: lets it be opened, finished and closed once each. It knows no other operator. */
import { operator as machine, type OperatorFact } from '#machines/operator'
import type { Causes } from './causes.ts'
import { type ChartTap, hostChart } from './host-chart.ts'
import { whenDone } from './when-done.ts'

type Work = void | Promise<void>

export interface OperatorDeps {
  /** Names the chart: `job/count-0#1/operators/map`. */
  readonly id: string
  /** The name of the operator within its task. */
  readonly operator: string
  readonly causes: Causes
  open(): Work
  finish(): Work
  close(): Work
  /** The operator has failed with what was thrown. Told once. */
  failTask(thrown: unknown): void
  failed(cause: Error): void
  readonly tap?: ChartTap | undefined
}

export interface OperatorHost {
  start(): void
  send(fact: OperatorFact): void
  /** `created`, `restored`, `open`, `finishing`, `finished`, `closing`, `closed` or `failed`. */
  phase(): string
  stop(): void
}

export function hostOperator(deps: OperatorDeps): OperatorHost {
  const answer = (work: () => Work, fact: OperatorFact) =>
    whenDone(
      work,
      () => host.send(fact),
      (thrown) => host.send({ type: 'operator.failed', cause: deps.causes.of(thrown, 'USER_FUNCTION_FAILED') }),
    )
  const host = hostChart(machine, {
    id: deps.id,
    input: { operator: deps.operator },
    obey(order) {
      switch (order.type) {
        case 'openOperator':
          return answer(() => deps.open(), { type: 'operator.opened' })
        case 'finishOperator':
          return answer(() => deps.finish(), { type: 'operator.finished' })
        case 'closeOperator':
          return answer(() => deps.close(), { type: 'operator.closed' })
        case 'failTask':
          return deps.failTask(deps.causes.thrown(order.cause))
        default:
          return order satisfies never
      }
    },
    failed: deps.failed,
    tap: deps.tap,
  })
  return {
    start: () => host.start(),
    send: (fact) => host.send(fact),
    phase: () => host.snapshot().value as string,
    stop: () => host.stop(),
  }
}
