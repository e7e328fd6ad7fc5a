/** The source of the frozen workloads: every record is a pure function of its index, so a split needs one number as its position. */
import { END_OF_INPUT, MORE_AVAILABLE } from 'millrace'

/** How many records a reader emits in one poll: what the Flink programs of the same workloads use. */
const BATCH = 64

/** `i = subtask, subtask + parallelism, ...` below `records`; the position is the next index. */
export function generated(records, make, batch = BATCH) {
  return {
    boundedness: 'bounded',
    createEnumerator: (context, restored) => {
      let unassigned =
        restored ??
        Array.from({ length: context.parallelism }, (_, index) => ({
          id: `${index}`,
          next: index,
          step: context.parallelism,
        }))
      return {
        start() {},
        addReader(subtask) {
          const mine = unassigned.filter((split) => Number(split.id) % context.parallelism === subtask)
          unassigned = unassigned.filter((split) => !mine.includes(split))
          context.assignSplits(subtask, mine)
          context.signalNoMoreSplits(subtask)
        },
        handleSplitRequest() {},
        addSplitsBack(splits) {
          unassigned.push(...splits)
        },
        snapshotState: () => unassigned,
        close() {},
      }
    },
    createReader: () => new GeneratedReader(records, make, batch),
  }
}

class GeneratedReader {
  #records
  #make
  #batch
  #split
  #next = 0
  #step = 1
  #ended = false
  #wake = () => {}

  constructor(records, make, batch) {
    this.#records = records
    this.#make = make
    this.#batch = batch
  }

  start() {}

  pollNext(output) {
    if (this.#split === undefined) return this.#ended ? END_OF_INPUT : 1
    const make = this.#make
    const step = this.#step
    const stop = Math.min(this.#records, this.#next + this.#batch * step)
    let index = this.#next
    for (; index < stop; index += step) output.collect(make(index))
    this.#next = index
    return index < this.#records ? MORE_AVAILABLE : END_OF_INPUT
  }

  isAvailable() {
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }

  snapshotState() {
    return this.#split === undefined ? [] : [{ ...this.#split, next: this.#next }]
  }

  addSplits([split]) {
    if (split === undefined) return
    this.#split = split
    this.#next = split.next
    this.#step = split.step
    this.#wake()
  }

  notifyNoMoreSplits() {
    this.#ended = true
    this.#wake()
  }

  close() {}
}
