/** Hosts the restart supervisor: asks it about a failure and hands its answer on. It draws the random number, no more. */
import { defaultStrategy, type RestartStrategy, strategyProblems } from '#machines/restart-strategies'
import { restartSupervisor as machine } from '#machines/restart-supervisor'
import { StreamError } from '../../base/errors.ts'
import type { Random } from '../../base/random.ts'
import { type ChartTap, hostChart } from './host-chart.ts'

export { defaultStrategy, type RestartStrategy }

export interface RestartSupervisorDeps {
  /** Names the chart: `job/restarts`. */
  readonly id: string
  readonly strategy: RestartStrategy
  readonly random: Random
  /** `newAttempt` is false when the failure joins a restart that is pending already. */
  granted(answer: { readonly attempt: number; readonly delayMs: number; readonly newAttempt: boolean }): void
  denied(answer: { readonly attempt: number; readonly reason: string; readonly newAttempt: boolean }): void
  failed(cause: Error): void
  readonly tap?: ChartTap | undefined
}

export interface RestartSupervisor {
  start(): void
  /** Answered by exactly one call of `granted` or `denied`, within this call. `atMs`: when the failure happened. */
  ask(failure: { readonly attempt: number; readonly atMs: number }): void
  stop(): void
}

/** Throws RESTART_STRATEGY_INVALID when an option is outside its legal range. */
export function restartSupervisor(deps: RestartSupervisorDeps): RestartSupervisor {
  checkStrategy(deps.strategy)
  const host = hostChart(machine, {
    id: deps.id,
    input: { strategy: deps.strategy },
    obey(order) {
      switch (order.type) {
        case 'grantRestart':
          return deps.granted(order)
        case 'denyRestart':
          return deps.denied(order)
        default:
          return order satisfies never
      }
    },
    failed: deps.failed,
    tap: deps.tap,
  })
  return {
    start: () => host.start(),
    ask: ({ attempt, atMs }) => host.send({ type: 'failure.reported', attempt, atMs, random: deps.random.next() }),
    stop: () => host.stop(),
  }
}

/** For setters, which refuse a bad value at once. */
export function checkStrategy(strategy: RestartStrategy): void {
  const problems = strategyProblems(strategy)
  if (problems.length === 0) return
  throw new StreamError('RESTART_STRATEGY_INVALID', {
    message: `Restart strategy ${strategy.type}: ${problems.join('; ')}.`,
    hint: 'Give the options legal values, or leave them out to get the defaults.',
    details: { strategy, problems },
  })
}
