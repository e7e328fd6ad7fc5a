/**
 * Watches how long the steps of one subtask hold the event loop: counts the long ones, and warns with the operator where it
 * can be found. Until a step was slow it costs a comparison a step.
 */
import type { Clock } from '../base/clock.ts'
import type { Logger } from '../base/logger.ts'
import type { Operator } from '../operators/operator.ts'
import { ChainTiming } from './data/chain-timing.ts'

export interface BlockedLoopOptions {
  /** `count (1/4)` */
  readonly task: string
  /** Of the operators, from head to tail. */
  readonly names: readonly string[]
  /** 0: nothing is watched. */
  readonly thresholdMs: number
  readonly clock: Clock
  readonly logger: Logger
  /** Undefined: there is none yet, or no more. */
  operators(): readonly Operator[] | undefined
}

/** Between two warnings of a subtask; and how long its operators are timed behind a slow step. */
const WARNING_EVERY_MS = 60_000
const TIMED_FOR_MS = 10_000

export class BlockedLoop {
  /** Of all steps that were too long. */
  blockedMs = 0
  maxBlockedMs = 0
  readonly #options: BlockedLoopOptions
  readonly #thresholdMs: number
  #timing: { readonly chain: ChainTiming; readonly untilMs: number } | undefined
  /** When the next warning may come: one without and one with the name of the operator. */
  readonly #mayWarnMs = { unnamed: 0, named: 0 }

  constructor(options: BlockedLoopOptions) {
    this.#options = options
    this.#thresholdMs = options.thresholdMs === 0 ? Number.POSITIVE_INFINITY : options.thresholdMs
  }

  /** Behind each step that did something. */
  stepped(startMs: number, endMs: number): void {
    const tookMs = endMs - startMs
    if (this.#timing === undefined && tookMs < this.#thresholdMs) return
    const slowest = this.#timing?.chain.slowest(tookMs)
    if (tookMs >= this.#thresholdMs) this.#blocked(tookMs, endMs, slowest)
    if (this.#timing !== undefined && endMs >= this.#timing.untilMs) this.stop()
  }

  /** The chain is as it was. */
  stop(): void {
    this.#timing?.chain.stop()
    this.#timing = undefined
  }

  #blocked(tookMs: number, nowMs: number, slowest: number | undefined): void {
    const { names } = this.#options
    this.blockedMs += tookMs
    this.maxBlockedMs = Math.max(this.maxBlockedMs, tookMs)
    const name = names.length === 1 ? names[0] : slowest === undefined ? undefined : names[slowest]
    this.#warn(tookMs, nowMs, name)
    // A name that may not be told yet is not worth what timing costs each record.
    if (name === undefined && nowMs >= this.#mayWarnMs.named) this.#findOperator(nowMs)
  }

  #findOperator(nowMs: number): void {
    const operators = this.#options.operators()
    if (operators === undefined) return
    const chain = new ChainTiming(operators, () => this.#options.clock.monotonic())
    this.#timing = { chain, untilMs: nowMs + TIMED_FOR_MS }
  }

  #warn(tookMs: number, nowMs: number, name: string | undefined): void {
    const kind = name === undefined ? 'unnamed' : 'named'
    if (nowMs < this.#mayWarnMs[kind]) return
    this.#mayWarnMs[kind] = nowMs + WARNING_EVERY_MS
    // Whoever knows the name needs no second warning without it.
    if (name !== undefined) this.#mayWarnMs.unnamed = nowMs + WARNING_EVERY_MS
    const { task, names, logger } = this.#options
    const where =
      name === undefined ? `in one of ${names.map((one) => `"${one}"`).join(', ')}` : `in operator "${name}"`
    logger.warn(
      `Task "${task}" held the event loop for ${Math.round(tookMs)} ms ${where}: meanwhile no other task, timer or request of the process was served.`,
    )
  }
}
