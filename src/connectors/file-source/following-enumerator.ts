/**
 * Finds files for as long as the job runs and deals each to a subtask. It knows every file that it has found by what it
 * is, not by its name, until the file is gone: so a renamed file is no new one. Empty files are left until they begin.
 */
import type { SplitEnumerator, SplitEnumeratorContext } from '../../operators/source.ts'
import { type Comparison, compareInputs, type GrownFile, type KnownFile } from './compare-inputs.ts'
import { isCompressed } from './file-chunks.ts'
import { type FileSplit, rangeSplits } from './file-split.ts'
import { isRemembered, packed, rememberBytes, rememberingSerializer, unpacked } from './remembering-serializer.ts'

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

/** What one look has found out. */
interface Looked {
  readonly comparison: Comparison
  /** Of the fresh files. */
  readonly splits: readonly FileSplit[]
}

export class FollowingEnumerator implements SplitEnumerator<FileSplit, FollowingState> {
  readonly #options: FollowingEnumeratorOptions
  readonly #fileSerializer = rememberingSerializer<KnownFile>()
  readonly #splitSerializer = rememberingSerializer<FileSplit>()
  #found: readonly KnownFile[] = []
  /** What was restored of it, until the first look reads that. */
  #foundBefore: ArrayBuffer | undefined
  #unassigned: readonly FileSplit[]
  #counted: number
  #dealt: number
  #last:
    | {
        readonly found: readonly KnownFile[]
        readonly unassigned: readonly FileSplit[]
        readonly state: FollowingState
      }
    | undefined
  #looking = false
  #dealing = false
  /** Not found by the last look: gone, if the next one does not find them either. */
  #missing: ReadonlySet<KnownFile> = new Set()
  /** Compressed files that have grown, by device and inode. */
  readonly #warnedOf = new Set<string>()

  constructor(options: FollowingEnumeratorOptions) {
    const { restored } = options
    this.#options = options
    this.#foundBefore = restored?.found
    this.#unassigned = restored === undefined ? [] : [...unpacked(restored.unassigned, this.#splitSerializer)]
    this.#counted = restored?.counted ?? 0
    this.#dealt = restored?.dealt ?? 0
    if (restored !== undefined) this.#last = { found: this.#found, unassigned: this.#unassigned, state: restored }
  }

  start(): void {
    const { context, monitorMs } = this.#options
    context.callPeriodically(
      () => this.#look(),
      (looked) => this.#looked(looked),
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
    const last = this.#last
    // Files and splits are counted where the lists change.
    if (last?.found === this.#found && last.unassigned === this.#unassigned) return last.state
    const state = {
      found: this.#foundBefore ?? packed(this.#found, this.#fileSerializer),
      unassigned: packed(this.#unassigned, this.#splitSerializer),
      counted: this.#counted,
      dealt: this.#dealt,
    }
    this.#last = { found: this.#found, unassigned: this.#unassigned, state }
    return state
  }

  close(): void {}

  /** Undefined: the look before it has not ended yet. */
  async #look(): Promise<Looked | undefined> {
    if (this.#looking) return undefined
    this.#looking = true
    try {
      await this.#readFound()
      const { context, inputs } = this.#options
      const comparison = await compareInputs(context.environment.files, inputs, this.#found)
      return { comparison, splits: await this.#splitsOf(comparison) }
    } finally {
      this.#looking = false
    }
  }

  /**
   * In portions, with other work of the thread between them. Everything is serialised here already: the first snapshot that
   * holds thousands of new files would take long otherwise.
   */
  async #splitsOf({ kept, fresh }: Comparison): Promise<readonly FileSplit[]> {
    const splits: FileSplit[] = []
    let made = 0
    for (const [index, file] of fresh.entries()) {
      for (const split of this.#split(file, this.#counted + index)) {
        splits.push(rememberBytes(split))
        if (++made % PORTION === 0) await this.#otherWork()
      }
      rememberBytes(file)
    }
    for (const file of kept) {
      if (isRemembered(file)) continue
      rememberBytes(file)
      if (++made % PORTION === 0) await this.#otherWork()
    }
    return splits
  }

  async #readFound(): Promise<void> {
    if (this.#foundBefore === undefined) return
    const found: KnownFile[] = []
    for (const file of unpacked(this.#foundBefore, this.#fileSerializer))
      if (found.push(file) % PORTION === 0) await this.#otherWork()
    if (this.#last !== undefined) this.#last = { ...this.#last, found }
    this.#found = found
    this.#foundBefore = undefined
  }

  #split({ path, identity }: KnownFile, number: number): readonly FileSplit[] {
    const splitBytes = isCompressed(path) ? Number.POSITIVE_INFINITY : this.#options.splitBytes
    return rangeSplits(`${path}#${number}`, path, identity, splitBytes)
  }

  #otherWork(): Promise<void> {
    const { clock } = this.#options.context.environment
    return new Promise((settle) => void clock.setTimer(1, settle))
  }

  #looked(looked: Looked | undefined): void {
    if (looked === undefined) return
    const { kept, missing, fresh, grownCompressed } = looked.comparison
    for (const each of grownCompressed) this.#warnOfGrown(each)
    const stillMissing = missing.filter((file) => !this.#missing.has(file))
    this.#missing = new Set(stillMissing)
    const found = [...kept, ...stillMissing, ...fresh]
    // Mostly nothing has happened, and the state is the same object as before: it is serialised no more.
    if (!isSame(found, this.#found)) this.#found = found
    this.#counted += fresh.length
    if (fresh.length > 0) this.#options.context.environment.logger.debug(`${fresh.length} new input files.`)
    if (looked.splits.length > 0) this.#unassigned = [...this.#unassigned, ...looked.splits]
    this.#deal()
  }

  /** Once a file and attempt: one that is still being written grows with every look. */
  #warnOfGrown({ file: { path, identity }, sizeBefore }: GrownFile): void {
    const { device, inode, size } = identity
    const key = `${device}:${inode}`
    if (this.#warnedOf.has(key)) return
    this.#warnedOf.add(key)
    this.#options.context.environment.logger.warn(
      `Compressed file ${path} has grown since it was found, from ${sizeBefore} to ${size} bytes. A compressed file is read once, whole: what was added after that is not read. Move such a file among the inputs when it is complete.`,
    )
  }

  /** In turn, over all subtasks, in portions. */
  #deal(): void {
    const { context } = this.#options
    const { parallelism } = context
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
      () => this.#otherWork(),
      () => {
        this.#dealing = false
        this.#deal()
      },
    )
  }
}

function isSame<T>(one: readonly T[], other: readonly T[]): boolean {
  return one.length === other.length && one.every((each, index) => each === other[index])
}
