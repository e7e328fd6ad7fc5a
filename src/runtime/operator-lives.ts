/**
 * Opens, finishes and closes the operators of one chain in Flink's order, each through the chart of its life. It knows
 * neither records nor checkpoints.
 */
import type { Operator } from '../operators/operator.ts'
import type { Causes } from './control/causes.ts'
import type { ChartTap } from './control/host-chart.ts'
import { hostOperator, type OperatorHost } from './control/operator.ts'
import { inOrder } from './data/operator-chain.ts'

type Work = void | Promise<void>

export interface OperatorLivesOptions {
  /** Names the charts: `count (1/4)#0/operators`. */
  readonly path: string
  readonly names: readonly string[]
  /** From head to tail. */
  readonly operators: readonly Operator[]
  readonly causes: Causes
  readonly tap: ChartTap | undefined
  /** An operator has failed; told before the call that made it fail rejects. */
  operatorFailed(name: string, thrown: unknown): void
  broken(cause: Error): void
}

interface Life {
  readonly host: OperatorHost
  /** What its opening came to, where it waits. */
  opening: Work
  /** What the chart's last order came to. */
  work: Work
  thrown: unknown
}

export class OperatorLives {
  readonly #lives: readonly Life[]
  #closed: Promise<void> | undefined

  constructor(options: OperatorLivesOptions) {
    this.#lives = options.operators.map((operator, index) => {
      const name = options.names[index] ?? ''
      const life: Life = {
        opening: undefined,
        work: undefined,
        thrown: undefined,
        host: hostOperator({
          id: `${options.path}/${index}-${name}`,
          operator: name,
          causes: options.causes,
          tap: options.tap,
          open: () => (life.opening = life.work = operator.open?.()),
          finish: () => (life.work = operator.finish?.()),
          close: () => (life.work = operator.close?.()),
          failTask: (thrown) => {
            life.thrown = thrown
            options.operatorFailed(name, thrown)
          },
          failed: (cause) => options.broken(cause),
        }),
      }
      life.host.start()
      return life
    })
  }

  /** From tail to head: whoever is written into is open first. */
  open(): Work {
    return inOrder([...this.#lives].reverse().map((life) => () => step(life, 'state.restored')))
  }

  /** From head to tail: what one emits at its end, the next still processes. */
  finish(): Work {
    return inOrder(this.#lives.map((life) => () => step(life, 'input.ended')))
  }

  /**
   * All of them, whatever one of them throws; the first error is told at the end. Once: whoever asks again waits for the
   * same. One that is being opened is closed when that is over, for it may not live on beside its successor.
   */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    const closed = await Promise.allSettled(
      this.#lives.map(async (life) => {
        // What failed to open is closed as well; that it failed was told.
        if (life.opening instanceof Promise) await life.opening.catch(() => {})
        return step(life, 'close.requested')
      }),
    )
    for (const result of closed) if (result.status === 'rejected') throw result.reason
  }
}

/** Sends the fact and returns what the chart's order came to. Throws or rejects where the operator failed. */
function step(life: Life, type: 'state.restored' | 'input.ended' | 'close.requested'): Work {
  life.work = undefined
  const failedBefore = life.host.phase() === 'failed'
  life.host.send({ type })
  if (!failedBefore && life.host.phase() === 'failed') throw life.thrown
  return life.work
}
