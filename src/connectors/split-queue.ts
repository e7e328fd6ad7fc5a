/** Deals out a fixed set of splits, one to each reader that asks, and tells readers when none is left. Finds no splits itself. */
import type { SourceSplit, SplitEnumerator, SplitEnumeratorContext } from '../operators/source.ts'

export interface SplitQueueState<Split> {
  /** Undefined: the splits were not found yet. */
  readonly unassigned: readonly Split[] | undefined
}

export interface SplitQueueOptions<Split extends SourceSplit> {
  readonly context: SplitEnumeratorContext<Split>
  readonly restored: SplitQueueState<Split> | undefined
  /** Called once for a fresh start; a rejection fails the job before the first record. */
  find(): readonly Split[] | Promise<readonly Split[]>
}

export function splitQueue<Split extends SourceSplit>(
  options: SplitQueueOptions<Split>,
): SplitEnumerator<Split, SplitQueueState<Split>> {
  return new SplitQueue(options)
}

class SplitQueue<Split extends SourceSplit> implements SplitEnumerator<Split, SplitQueueState<Split>> {
  readonly #options: SplitQueueOptions<Split>
  #found: readonly Split[] | undefined
  /** Those in front are dealt out: of many splits no list is made anew for each. */
  #dealt = 0
  /** Readers that asked before the splits were found. */
  #waiting: number[] = []

  constructor(options: SplitQueueOptions<Split>) {
    this.#options = options
    this.#found = options.restored?.unassigned
  }

  start(): void {
    if (this.#found !== undefined) return
    const found = (splits: readonly Split[]) => {
      this.#putInFront(splits)
      for (const subtask of this.#waiting.splice(0)) this.handleSplitRequest(subtask)
    }
    const splits = this.#options.find()
    if (splits instanceof Promise) this.#options.context.callAsync(() => splits, found)
    else found(splits)
  }

  handleSplitRequest(subtask: number): void {
    if (this.#found === undefined) {
      this.#waiting.push(subtask)
      return
    }
    const next = this.#found[this.#dealt]
    if (next === undefined) return this.#options.context.signalNoMoreSplits(subtask)
    this.#dealt++
    this.#options.context.assignSplits(subtask, [next])
  }

  addSplitsBack(splits: readonly Split[]): void {
    this.#putInFront(splits)
  }

  addReader(): void {}

  snapshotState(): SplitQueueState<Split> {
    return { unassigned: this.#found?.slice(this.#dealt) }
  }

  close(): void {}

  #putInFront(splits: readonly Split[]): void {
    this.#found = [...splits, ...(this.#found ?? []).slice(this.#dealt)]
    this.#dealt = 0
  }
}
