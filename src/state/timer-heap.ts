/** A binary heap of timers, the earliest on top. Each timer knows its place, so that it can be taken out. */
import type { Timer } from './timer-queue.ts'

export class TimerHeap {
  readonly #timers: Timer[] = []

  get size(): number {
    return this.#timers.length
  }

  peek(): Timer | undefined {
    return this.#timers[0]
  }

  add(timer: Timer): void {
    this.#timers.push(timer)
    this.#rise(timer, this.#timers.length - 1)
  }

  /** It must be in the heap. */
  remove(timer: Timer): void {
    const timers = this.#timers
    const last = timers.pop() as Timer
    if (last === timer) return
    const place = timer.heapIndex
    if (isBefore(last, timer)) this.#rise(last, place)
    else this.#sink(last, place)
  }

  #rise(timer: Timer, from: number): void {
    const timers = this.#timers
    let place = from
    while (place > 0) {
      const above = (place - 1) >>> 1
      const parent = timers[above] as Timer
      if (!isBefore(timer, parent)) break
      timers[place] = parent
      parent.heapIndex = place
      place = above
    }
    timers[place] = timer
    timer.heapIndex = place
  }

  #sink(timer: Timer, from: number): void {
    const timers = this.#timers
    const { length } = timers
    let place = from
    for (;;) {
      let below = place * 2 + 1
      if (below >= length) break
      if (below + 1 < length && isBefore(timers[below + 1] as Timer, timers[below] as Timer)) below++
      const child = timers[below] as Timer
      if (!isBefore(child, timer)) break
      timers[place] = child
      child.heapIndex = place
      place = below
    }
    timers[place] = timer
    timer.heapIndex = place
  }
}

function isBefore(one: Timer, other: Timer): boolean {
  return one.timestamp < other.timestamp || (one.timestamp === other.timestamp && one.sequence < other.sequence)
}
