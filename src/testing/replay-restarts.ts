/** Replays the failures of a recorded incident against the restart supervisor. Jitter is drawn from a seed. */
import type { RestartStrategy } from '#machines/restart-strategies'
import { STRATEGY_DEFAULTS } from '#machines/restart-strategies'
import { seededRandom } from '../base/random.ts'
import { defaultStrategy, restartSupervisor } from '../runtime/control/restart-supervisor.ts'

type Options<Type extends RestartStrategy['type']> = Partial<Extract<RestartStrategy, { type: Type }>> & {
  readonly type: Type
}

/** As configured: an option left out has Flink's default. */
export type ConfiguredStrategy =
  | { readonly type: 'none' | 'off' | 'disable' }
  | Options<'fixed-delay'>
  | Options<'failure-rate'>
  | Options<'exponential-delay'>
  | { readonly type: 'default'; readonly checkpointing: boolean }

export interface RestartTrace {
  readonly strategy: ConfiguredStrategy
  readonly failuresAtMs: readonly number[]
  /** Of the jitter; 1 when left out. */
  readonly seed?: number | undefined
}

export interface RestartDecisions {
  readonly decisions: readonly {
    readonly restart: boolean
    /** From the failure to the restart; only where there is one. */
    readonly delayMs?: number | undefined
    readonly newAttempt: boolean
  }[]
}

/** For each failure the supervisor is told of it, then asked. Throws when the strategy's options are refused. */
export function replayRestarts(trace: RestartTrace): RestartDecisions {
  const decisions: RestartDecisions['decisions'][number][] = []
  const supervisor = restartSupervisor({
    id: 'job/restarts',
    strategy: complete(trace.strategy),
    random: seededRandom(trace.seed ?? 1),
    granted: ({ delayMs, newAttempt }) => decisions.push({ restart: true, delayMs, newAttempt }),
    denied: ({ newAttempt }) => decisions.push({ restart: false, newAttempt }),
    failed(cause) {
      throw cause
    },
  })
  supervisor.start()
  trace.failuresAtMs.forEach((atMs, index) => {
    supervisor.ask({ attempt: index + 1, atMs })
  })
  supervisor.stop()
  return { decisions }
}

function complete(strategy: ConfiguredStrategy): RestartStrategy {
  switch (strategy.type) {
    case 'none':
    case 'off':
    case 'disable':
      return STRATEGY_DEFAULTS.none
    case 'default':
      return defaultStrategy(strategy.checkpointing)
    case 'fixed-delay':
      return { ...STRATEGY_DEFAULTS['fixed-delay'], ...strategy }
    case 'failure-rate':
      return { ...STRATEGY_DEFAULTS['failure-rate'], ...strategy }
    case 'exponential-delay':
      return { ...STRATEGY_DEFAULTS['exponential-delay'], ...strategy }
  }
}
