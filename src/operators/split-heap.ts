/** A binary heap of the splits of one reader by watermark. Each split knows its place, so that it can be taken out and moved. */

/** What stands in a heap: in one at a time. */
export interface HeapSplit {
  watermark: number
  /** In its heap; what it holds outside of one means nothing. */
  heapIndex: number
}

export class SplitHeap<S extends HeapSplit> {
  readonly #splits: S[] = []
  readonly #isBefore: (one: number, other: number) => boolean

  /** `isBefore` compares watermarks: what is before all others is on top. */
  constructor(isBefore: (one: number, other: number) => boolean) {
    this.#isBefore = isBefore
  }

  get size(): number {
    return this.#splits.length
  }

  peek(): S | undefined {
    return this.#splits[0]
  }

  add(split: S): void {
    this.#splits.push(split)
    this.#rise(split, this.#splits.length - 1)
  }

  /** It must be in the heap. */
  remove(split: S): void {
    const last = this.#splits.pop() as S
    if (last === split) return
    this.#place(last, split.heapIndex)
  }

  /** The watermark of this split has changed. It must be in the heap. */
  moved(split: S): void {
    this.#place(split, split.heapIndex)
  }

  #place(split: S, place: number): void {
    const parent = this.#splits[(place - 1) >>> 1]
    if (place > 0 && parent !== undefined && this.#isBefore(split.watermark, parent.watermark)) this.#rise(split, place)
    else this.#sink(split, place)
  }

  #rise(split: S, from: number): void {
    const splits = this.#splits
    let place = from
    while (place > 0) {
      const above = (place - 1) >>> 1
      const parent = splits[above] as S
      if (!this.#isBefore(split.watermark, parent.watermark)) break
      splits[place] = parent
      parent.heapIndex = place
      place = above
    }
    splits[place] = split
    split.heapIndex = place
  }

  #sink(split: S, from: number): void {
    const splits = this.#splits
    const { length } = splits
    let place = from
    for (;;) {
      let below = place * 2 + 1
      if (below >= length) break
      const right = splits[below + 1]
      if (right !== undefined && this.#isBefore(right.watermark, (splits[below] as S).watermark)) below++
      const child = splits[below] as S
      if (!this.#isBefore(child.watermark, split.watermark)) break
      splits[place] = child
      child.heapIndex = place
      place = below
    }
    splits[place] = split
    split.heapIndex = place
  }
}
