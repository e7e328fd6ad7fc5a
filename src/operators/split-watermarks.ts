/**
 * Combines the watermarks of the splits of one reader by minimum, and their idleness. Pure bookkeeping: it sees no
 * record and no clock. What a reader emits outside of any split goes through `main` and is not held back by splits.
 * There may be many thousands of splits: no call looks at all of them.
 */

import { MIN_WATERMARK } from '../elements/stream-element.ts'
import { checkedWatermark } from './assigned-timestamp.ts'
import { type HeapSplit, SplitHeap } from './split-heap.ts'
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
  /** Each split is in one of the two: the lowest watermark on top of those that hold back, the highest on top of the idle ones. */
  readonly #active = new SplitHeap<SplitWatermark>((one, other) => one < other)
  readonly #idling = new SplitHeap<SplitWatermark>((one, other) => one > other)
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
    const replaced = this.#splits.get(splitId)
    if (replaced !== undefined) this.#takeOut(replaced)
    const split = new SplitWatermark((wasIdle) => this.#changed(split, wasIdle))
    this.#splits.set(splitId, split)
    this.#active.add(split)
    this.#combine()
    return split
  }

  /** The split ended: it holds nothing back any more. */
  remove(splitId: string): void {
    const split = this.#splits.get(splitId)
    if (split === undefined) return
    this.#splits.delete(splitId)
    this.#takeOut(split)
    this.#combine()
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

  #takeOut(split: SplitWatermark): void {
    split.present = false
    if (split.idle) this.#idling.remove(split)
    else this.#active.remove(split)
  }

  #changed(split: SplitWatermark, wasIdle: boolean): void {
    this.#splitsUsed = true
    // Its output may be used after its end.
    if (split.present) this.#move(split, wasIdle)
    this.#combine()
  }

  #move(split: SplitWatermark, wasIdle: boolean): void {
    if (wasIdle === split.idle) return this.#active.moved(split)
    if (wasIdle) this.#idling.remove(split)
    else this.#active.remove(split)
    if (split.idle) this.#idling.add(split)
    else this.#active.add(split)
  }

  #combine(): void {
    if (this.#splits.size === 0) return
    const lowest = this.#active.peek()
    if (lowest !== undefined) {
      this.#showStatus()
      this.#emit(lowest.watermark)
      return
    }
    // Which of the splits went idle last must make no difference: none of them holds the others back any more.
    this.#emit(this.#idling.peek()?.watermark ?? MIN_WATERMARK)
    this.#showStatus()
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
    return this.#active.size === 0
  }

  #emit(watermark: number): void {
    if (watermark <= this.#emitted) return
    this.#emitted = watermark
    this.#output.processWatermark(watermark)
  }
}

class SplitWatermark implements WatermarkOutput, HeapSplit {
  watermark = MIN_WATERMARK
  idle = false
  /** Until it is removed, or another one of its id is added. */
  present = true
  heapIndex = 0
  readonly #changed: (wasIdle: boolean) => void

  constructor(changed: (wasIdle: boolean) => void) {
    this.#changed = changed
  }

  emitWatermark(timestamp: number): void {
    const wasIdle = this.idle
    if (checkedWatermark(timestamp) <= this.watermark && !wasIdle) return
    this.idle = false
    if (timestamp > this.watermark) this.watermark = timestamp
    this.#changed(wasIdle)
  }

  markIdle(): void {
    if (this.idle) return
    this.idle = true
    this.#changed(false)
  }

  markActive(): void {
    if (!this.idle) return
    this.idle = false
    this.#changed(true)
  }
}
