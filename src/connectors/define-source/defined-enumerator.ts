/**
 * Finds the splits of a user's own source and deals them out. A split is known for ever once it was found, finished or
 * not, so that none is read twice; its starting point is fixed when it is found.
 */
import { StreamError } from '../../base/errors.ts'
import type { SplitEnumerator, SplitEnumeratorContext } from '../../operators/source.ts'
import type { DefinedSplitId } from './define-source.ts'
import type { DefinedSplit } from './defined-split.ts'

export interface DefinedEnumeratorState<P> {
  /** False: the splits of a fresh start were not found yet. */
  readonly discovered: boolean
  /** Ids of all splits ever found. */
  readonly known: readonly string[]
  readonly unassigned: readonly DefinedSplit<P>[]
}

export interface DefinedEnumeratorOptions<P> {
  readonly context: SplitEnumeratorContext<DefinedSplit<P>>
  readonly restored: DefinedEnumeratorState<P> | undefined
  /** Readers ask for one split after the other; otherwise each split is given to a subtask as soon as it is found. */
  readonly pulled: boolean
  readonly discoverEveryMs: number | undefined
  splits(): Promise<readonly DefinedSplitId<P>[]>
  start(split: string): P | undefined
}

export function definedEnumerator<P>(
  options: DefinedEnumeratorOptions<P>,
): SplitEnumerator<DefinedSplit<P>, DefinedEnumeratorState<P>> {
  return new DefinedEnumerator(options)
}

class DefinedEnumerator<P> implements SplitEnumerator<DefinedSplit<P>, DefinedEnumeratorState<P>> {
  readonly #options: DefinedEnumeratorOptions<P>
  readonly #known: Set<string>
  readonly #waiting = new Set<number>()
  #discovered: boolean
  #unassigned: readonly DefinedSplit<P>[]
  #dealt = 0

  constructor(options: DefinedEnumeratorOptions<P>) {
    this.#options = options
    this.#discovered = options.restored?.discovered ?? false
    this.#known = new Set(options.restored?.known)
    this.#unassigned = options.restored?.unassigned ?? []
    this.#dealt = this.#known.size - this.#unassigned.length
  }

  start(): void {
    const { context, discoverEveryMs } = this.#options
    const find = () => this.#options.splits()
    if (discoverEveryMs !== undefined) context.callPeriodically(find, (found) => this.#found(found), 0, discoverEveryMs)
    else if (!this.#discovered) context.callAsync(find, (found) => this.#found(found))
  }

  handleSplitRequest(subtask: number): void {
    if (!this.#options.pulled) return
    this.#waiting.add(subtask)
    this.#deal()
  }

  addReader(_subtask: number): void {
    this.#deal()
  }

  addSplitsBack(splits: readonly DefinedSplit<P>[]): void {
    this.#unassigned = [...splits, ...this.#unassigned]
    this.#deal()
  }

  snapshotState(): DefinedEnumeratorState<P> {
    return { discovered: this.#discovered, known: [...this.#known], unassigned: this.#unassigned }
  }

  close(): void {}

  #found(found: readonly DefinedSplitId<P>[]): void {
    if (!Array.isArray(found)) throw refused(found, 'Return an array of ids, or of { id, position }.')
    const fresh = new Map<string, DefinedSplit<P>>()
    for (const each of found) {
      const id = typeof each === 'string' ? each : each?.id
      if (typeof id !== 'string' || id === '') throw refused(each, 'An id is a string that is not empty.')
      if (this.#known.has(id) || fresh.has(id)) continue
      fresh.set(id, { id, position: typeof each === 'string' ? this.#options.start(id) : each.position })
    }
    // All or none: one that is known and not unassigned counts as dealt out.
    for (const id of fresh.keys()) this.#known.add(id)
    this.#discovered = true
    this.#unassigned = [...this.#unassigned, ...fresh.values()]
    this.#deal()
  }

  #deal(): void {
    if (!this.#discovered) return
    if (this.#options.pulled) this.#dealToWaiting()
    else this.#dealToAll()
  }

  #dealToWaiting(): void {
    const { context } = this.#options
    for (const subtask of [...this.#waiting]) {
      this.#waiting.delete(subtask)
      const [next, ...rest] = this.#unassigned
      if (next === undefined) {
        context.signalNoMoreSplits(subtask)
        continue
      }
      this.#unassigned = rest
      context.assignSplits(subtask, [next])
    }
  }

  /** In turn, over all subtasks; the splits of one that has not registered yet wait for it. */
  #dealToAll(): void {
    const { context } = this.#options
    const registered = new Set(context.registeredReaders())
    if (registered.size < context.parallelism) return
    for (const split of this.#unassigned) context.assignSplits(this.#dealt++ % context.parallelism, [split])
    this.#unassigned = []
  }
}

function refused(value: unknown, hint: string): StreamError {
  return new StreamError('SOURCE_INVALID', {
    message: `defineSource: splits() gave ${JSON.stringify(value) ?? typeof value}, which names no split.`,
    hint,
  })
}
