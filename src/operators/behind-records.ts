/** Where time enters a chain: what it brings waits behind a record that is half processed downstream, and never overtakes it. */
import type { Gate, OperatorContext } from './operator.ts'

interface TimeTarget {
  processWatermark(timestamp: number): void
  processWatermarkStatus(idle: boolean): void
}

export class BehindRecords implements TimeTarget {
  readonly #target: TimeTarget
  readonly #gate: Gate
  readonly #resumeLater: OperatorContext['resumeLater']

  constructor(target: TimeTarget, gate: Gate, resumeLater: OperatorContext['resumeLater']) {
    this.#target = target
    this.#gate = gate
    this.#resumeLater = resumeLater
  }

  processWatermark(timestamp: number): void {
    if (this.#gate.insideAnElement === true) this.#resumeLater({ resume: () => this.processWatermark(timestamp) })
    else this.#target.processWatermark(timestamp)
  }

  processWatermarkStatus(idle: boolean): void {
    if (this.#gate.insideAnElement === true) this.#resumeLater({ resume: () => this.processWatermarkStatus(idle) })
    else this.#target.processWatermarkStatus(idle)
  }
}
