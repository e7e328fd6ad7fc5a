/**
 * Combines the watermarks of the splits of one reader by minimum, and their idleness. Pure bookkeeping: it sees no
 * record and no clock. What a reader emits outside of any split goes through `main` and is not held back by splits.
 */

import { MAX_WATERMARK, MIN_WATERMARK } from '../elements/stream-element.ts'
import { checkedWatermark } from './assigned-timestamp.ts'
import type { WatermarkOutput } from './watermark-strategy.ts'

export interface CombinedWatermarkOutput {
  processWatermark(timestamp: number): void
  processWatermarkStatus(idle: boolean): void
}

export class SplitWatermarks {
  /** For records that belong to no split. */
  readonly main: WatermarkOutput
  readonly #output: CombinedWatermarkOutput
  readonly #splits = new Map<string, SplitWatermark>()
  #emitted = MIN_WATERMARK
  /** Silent: unused, and the reader had nothing else to read for too long. */
  #main: 'unused' | 'silent' | 'active' | 'idle' = 'unused'
  #splitsUsed = false
  #idle = false

  constructor(output: CombinedWatermarkOutput) {
    this.#output = output
    this.main = {
      emitWatermark: (timestamp) => {
        this.#mainBecame('active')
        this.#emit(checkedWatermark(timestamp))
      },
      markIdle: () => this.#mainBecame('idle'),
      markActive: () => this.#mainBecame('active'),
    }
  }

  /** From now on this split holds the combined watermark back until it has one of its own. */
  add(splitId: string): WatermarkOutput {
    const split = new SplitWatermark(() => {
      this.#splitsUsed = true
      this.#combine()
    })
    this.#splits.set(splitId, split)
    this.#combine()
    return split
  }

  /** The split ended: it holds nothing back any more. */
  remove(splitId: string): void {
    if (this.#splits.delete(splitId)) this.#combine()
  }

  /** Nothing came outside of splits for too long: a reader without a split is idle then. */
  silent(): void {
    if (this.#main === 'unused') this.#mainBecame('silent')
  }

  #mainBecame(status: 'silent' | 'active' | 'idle'): void {
    if (this.#main === status) return
    this.#main = status
    this.#showStatus()
  }

  #combine(): void {
    if (this.#splits.size === 0) return
    let minimum = MAX_WATERMARK
    let maximum = MIN_WATERMARK
    let active = 0
    for (const split of this.#splits.values()) {
      if (split.watermark > maximum) maximum = split.watermark
      if (split.idle) continue
      active++
      if (split.watermark < minimum) minimum = split.watermark
    }
    if (active > 0) this.#showStatus()
    // Which of the splits went idle last must make no difference: none of them holds the others back any more.
    this.#emit(active > 0 ? minimum : maximum)
    if (active === 0) this.#showStatus()
  }

  #showStatus(): void {
    const idle = this.#isIdle()
    if (idle === this.#idle) return
    this.#idle = idle
    this.#output.processWatermarkStatus(idle)
  }

  #isIdle(): boolean {
    if (this.#main === 'active') return false
    if (this.#splits.size === 0) return this.#main === 'unused' ? this.#idle : true
    // A reader that uses no output of a split: its splits say nothing.
    if (this.#main === 'idle' && !this.#splitsUsed) return true
    for (const split of this.#splits.values()) if (!split.idle) return false
    return true
  }

  #emit(watermark: number): void {
    if (watermark <= this.#emitted) return
    this.#emitted = watermark
    this.#output.processWatermark(watermark)
  }
}

class SplitWatermark implements WatermarkOutput {
  watermark = MIN_WATERMARK
  idle = false
  readonly #changed: () => void

  constructor(changed: () => void) {
    this.#changed = changed
  }

  emitWatermark(timestamp: number): void {
    if (checkedWatermark(timestamp) <= this.watermark && !this.idle) return
    if (timestamp > this.watermark) this.watermark = timestamp
    this.idle = false
    this.#changed()
  }

  markIdle(): void {
    if (this.idle) return
    this.idle = true
    this.#changed()
  }

  markActive(): void {
    if (!this.idle) return
    this.idle = false
    this.#changed()
  }
}
