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
  #unassigned: readonly Split[] | undefined
  /** Readers that asked before the splits were found. */
  #waiting: number[] = []

  constructor(options: SplitQueueOptions<Split>) {
    this.#options = options
    this.#unassigned = options.restored?.unassigned
  }

  start(): void {
    if (this.#unassigned !== undefined) return
    const found = (splits: readonly Split[]) => {
      this.#unassigned = [...splits, ...(this.#unassigned ?? [])]
      for (const subtask of this.#waiting.splice(0)) this.handleSplitRequest(subtask)
    }
    const splits = this.#options.find()
    if (splits instanceof Promise) this.#options.context.callAsync(() => splits, found)
    else found(splits)
  }

  handleSplitRequest(subtask: number): void {
    if (this.#unassigned === undefined) {
      this.#waiting.push(subtask)
      return
    }
    const [next, ...rest] = this.#unassigned
    this.#unassigned = rest
    if (next === undefined) this.#options.context.signalNoMoreSplits(subtask)
    else this.#options.context.assignSplits(subtask, [next])
  }

  addSplitsBack(splits: readonly Split[]): void {
    this.#unassigned = [...splits, ...(this.#unassigned ?? [])]
  }

  addReader(): void {}

  snapshotState(): SplitQueueState<Split> {
    return { unassigned: this.#unassigned }
  }

  close(): void {}
}
