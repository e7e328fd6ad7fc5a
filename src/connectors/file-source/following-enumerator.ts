/**
 * Finds files for as long as the job runs and deals each to a subtask. It knows every file that it has found by what it
 * is, not by its name, until the file is gone: so a renamed file is no new one. Empty files are left until they begin.
 */
import type { SplitEnumerator, SplitEnumeratorContext } from '../../operators/source.ts'
import { type Comparison, compareInputs, type KnownFile } from './compare-inputs.ts'
import { isCompressed } from './file-chunks.ts'
import { type FileSplit, rangeSplits } from './file-split.ts'
import { packed, rememberingSerializer, unpacked } from './remembering-serializer.ts'

export interface FollowingState {
  /** All files that were found and are still there, read or not: as `packed` has them, and so the splits. */
  readonly found: ArrayBuffer
  readonly unassigned: ArrayBuffer
  /** How many files were found, and how many splits dealt out, since the job began. */
  readonly counted: number
  readonly dealt: number
}

export interface FollowingEnumeratorOptions {
  readonly context: SplitEnumeratorContext<FileSplit>
  readonly restored: FollowingState | undefined
  readonly inputs: readonly string[]
  readonly monitorMs: number
  readonly splitBytes: number
}

/** So many splits a subtask at once, then other work of the thread. */
const PORTION = 100

export class FollowingEnumerator implements SplitEnumerator<FileSplit, FollowingState> {
  readonly #options: FollowingEnumeratorOptions
  readonly #fileSerializer = rememberingSerializer<KnownFile>()
  readonly #splitSerializer = rememberingSerializer<FileSplit>()
  #found: readonly KnownFile[]
  #unassigned: readonly FileSplit[]
  #counted: number
  #dealt: number
  #looking = false
  #dealing = false
  /** Not found by the last look: gone, if the next one does not find them either. */
  #missing: ReadonlySet<KnownFile> = new Set()

  constructor(options: FollowingEnumeratorOptions) {
    const { restored } = options
    this.#options = options
    this.#found = restored === undefined ? [] : unpacked(restored.found, this.#fileSerializer)
    this.#unassigned = restored === undefined ? [] : unpacked(restored.unassigned, this.#splitSerializer)
    this.#counted = restored?.counted ?? 0
    this.#dealt = restored?.dealt ?? 0
  }

  start(): void {
    const { context, monitorMs } = this.#options
    context.callPeriodically(
      () => this.#look(),
      (comparison) => this.#looked(comparison),
      0,
      monitorMs,
    )
  }

  /** Splits are dealt out as they are found. */
  handleSplitRequest(): void {}

  addReader(): void {
    this.#deal()
  }

  addSplitsBack(splits: readonly FileSplit[]): void {
    this.#unassigned = [...splits, ...this.#unassigned]
    this.#deal()
  }

  snapshotState(): FollowingState {
    return {
      found: packed(this.#found, this.#fileSerializer),
      unassigned: packed(this.#unassigned, this.#splitSerializer),
      counted: this.#counted,
      dealt: this.#dealt,
    }
  }

  close(): void {}

  /** Undefined: the look before it has not ended yet. */
  async #look(): Promise<Comparison | undefined> {
    if (this.#looking) return undefined
    this.#looking = true
    try {
      const { context, inputs } = this.#options
      return await compareInputs(context.environment.files, inputs, this.#found)
    } finally {
      this.#looking = false
    }
  }

  #looked(comparison: Comparison | undefined): void {
    if (comparison === undefined) return
    const { context, splitBytes } = this.#options
    const { kept, missing, fresh } = comparison
    const stillMissing = missing.filter((file) => !this.#missing.has(file))
    this.#missing = new Set(stillMissing)
    this.#found = [...kept, ...stillMissing, ...fresh]
    const splits = fresh.flatMap(({ path, identity }) =>
      rangeSplits(
        `${path}#${this.#counted++}`,
        path,
        identity,
        isCompressed(path) ? Number.POSITIVE_INFINITY : splitBytes,
      ),
    )
    if (splits.length > 0) context.environment.logger.debug(`${fresh.length} new input files.`)
    this.#unassigned = [...this.#unassigned, ...splits]
    this.#deal()
  }

  /** In turn, over all subtasks, in portions. */
  #deal(): void {
    const { context } = this.#options
    const { parallelism, environment } = context
    if (this.#dealing || this.#unassigned.length === 0 || context.registeredReaders().length < parallelism) return
    const portion = this.#unassigned.slice(0, PORTION * parallelism)
    this.#unassigned = this.#unassigned.slice(portion.length)
    const shares: FileSplit[][] = Array.from({ length: parallelism }, () => [])
    for (const split of portion) shares[this.#dealt++ % parallelism]?.push(split)
    shares.forEach((share, subtask) => {
      if (share.length > 0) context.assignSplits(subtask, share)
    })
    if (this.#unassigned.length === 0) return
    this.#dealing = true
    context.callAsync(
      () => new Promise<void>((settle) => void environment.clock.setTimer(1, settle)),
      () => {
        this.#dealing = false
        this.#deal()
      },
    )
  }
}
