/**
 * Which form a snapshot has, and what completed checkpoints hold. A checkpoint goes on from the last completed one with a
 * delta; where there is none to go on from, or its chain has become too long, everything is written anew as a base.
 */
import { messageOf } from '../../base/errors.ts'
import type { FileSystem } from '../../base/file-system.ts'
import type { Logger } from '../../base/logger.ts'
import type { PinnedTables, StoreOperation } from '../../base/ordered-store.ts'
import type { KeyGroupRange } from '../key-group-range.ts'
import type { RestorePace } from '../restore-pace.ts'
import type { SnapshotFormat, SnapshotTarget, StateHandle } from '../snapshot.ts'
import type { FrozenKeyedState } from '../state-backend.ts'
import { writeDump } from './base-dump.ts'
import { writeTables } from './base-tables.ts'
import { writeCanonical } from './canonical-output.ts'
import { ChangeLog } from './change-log.ts'
import { type Chain, isTooLong, mayBeNamedAgain, tableFilesOf, writeHandle } from './checkpoint-chain.ts'
import { FrozenDelta } from './frozen-delta.ts'
import { FrozenWhole, type WholeForm } from './frozen-whole.ts'
import type { LevelTables } from './level-tables.ts'
import type { RowCache } from './row-cache.ts'
import { type EntryPage, WholeSnapshot } from './whole-snapshot.ts'

export interface LevelCheckpointsOptions {
  readonly maxParallelism: number
  readonly keyGroups: KeyGroupRange
  readonly cache: RowCache
  readonly tables: LevelTables
  readonly pace: RestorePace
  readonly files: FileSystem
  readonly logger: Logger
  /** Checkpoints are written as what changed. */
  readonly incremental: boolean
  /** What changed may take so many bytes on the heap. */
  readonly mostLogBytes: number
  /** A base is best made of the store's own files. */
  prefersTables(): boolean
}

/** A checkpoint that is written. `log`: what changes behind it. */
interface WrittenChain {
  readonly chain: Chain
  readonly log: ChangeLog
  readonly stamp: number
}

export class LevelCheckpoints {
  readonly #options: LevelCheckpointsOptions
  readonly #written = new Map<number, WrittenChain>()
  /** Bases of the log that runs, of which nobody knows yet what becomes of them. */
  readonly #awaited = new Set<number>()
  #completed: WrittenChain | undefined
  #completedId = Number.NEGATIVE_INFINITY

  constructor(options: LevelCheckpointsOptions) {
    this.#options = options
  }

  /** The store holds what the chain of a completed checkpoint does, and checkpoints to come may name its files. */
  goOnFrom(chain: Chain): void {
    const log = this.#newLog(0)
    this.#completed = { chain, log, stamp: 0 }
  }

  freeze(checkpointId: number, format: SnapshotFormat): FrozenKeyedState {
    const { incremental } = this.#options
    if (format === 'native')
      return this.#freezeWhole(checkpointId, (stamp) => this.#baseForm(checkpointId, stamp, format))
    if (format === 'canonical' || !incremental)
      return this.#freezeWhole(checkpointId, () => this.#canonicalForm(checkpointId))
    const chain = format === 'checkpoint' ? this.#chainToGoOnFrom() : undefined
    if (chain !== undefined) return this.#freezeDelta(checkpointId, chain)
    return this.#freezeWhole(checkpointId, (stamp) => this.#baseForm(checkpointId, stamp, format))
  }

  completed(checkpointId: number): void {
    if (checkpointId <= this.#completedId) return
    const written = this.#written.get(checkpointId)
    if (written === undefined) return
    for (const id of this.#written.keys()) if (id <= checkpointId) this.#written.delete(id)
    this.#completedId = checkpointId
    this.#completed = written
    written.log.confirm(written.stamp)
    if (written.log === this.#options.cache.log) this.#awaited.clear()
  }

  aborted(checkpointId: number): void {
    this.#written.delete(checkpointId)
    this.#awaited.delete(checkpointId)
  }

  #chainToGoOnFrom(): Chain | undefined {
    const completed = this.#completed
    if (completed === undefined || completed.log !== this.#options.cache.log) return undefined
    const { chain, log } = completed
    log.checkLength()
    if (log.isLost) return undefined
    return mayBeNamedAgain(chain) && !isTooLong(chain) ? chain : undefined
  }

  #freezeDelta(checkpointId: number, chain: Chain): FrozenKeyedState {
    const { cache, maxParallelism, tables } = this.#options
    const log = cache.log as ChangeLog
    const stamp = cache.snapshots.freeze()
    const segments = log.cut(stamp)
    const newest = segments.at(-1)
    if (newest?.isDone === false) cache.snapshots.join(newest)
    return new FrozenDelta({
      checkpointId,
      chain,
      segments,
      cache,
      maxParallelism,
      tables: () => tables.index(),
      written: (longer) => void this.#written.set(checkpointId, { chain: longer, log, stamp }),
    })
  }

  #freezeWhole(checkpointId: number, formOf: (stamp: number) => WholeForm): FrozenKeyedState {
    const { cache, keyGroups, tables, pace } = this.#options
    const { queue, snapshots } = cache
    const stamp = snapshots.freeze()
    const form = formOf(stamp)
    const whole = new WholeSnapshot({
      stamp,
      keyGroups,
      slots: tables.slots(),
      batches: queue.seal(),
      store: queue.snapshot(),
      pace,
    })
    snapshots.join(whole)
    return new FrozenWhole(checkpointId, whole, cache, form)
  }

  #canonicalForm(checkpointId: number): WholeForm {
    const { maxParallelism, tables, pace } = this.#options
    const slots = [...tables.slots()]
    return { write: (target, _, pages) => writeCanonical(target, pages, { checkpointId, maxParallelism, slots, pace }) }
  }

  /** Of a savepoint nothing is remembered; a checkpoint is what those to come go on from. */
  #baseForm(checkpointId: number, stamp: number, format: 'native' | 'checkpoint' | 'full'): WholeForm {
    const { maxParallelism, tables } = this.#options
    const pinning = this.#pinning()
    const log = format === 'native' ? undefined : this.#logBehind(checkpointId, stamp)
    const write = async (
      target: SnapshotTarget,
      operations: Iterable<StoreOperation>,
      pages: AsyncIterable<EntryPage>,
    ) => {
      const scope = format === 'native' ? 'own' : 'shared'
      const known = format === 'checkpoint' ? tableFilesOf(this.#completed?.chain.base) : new Map()
      const pinned = await pinning
      const { files } = this.#options
      const { chain, abandon } =
        pinned === undefined
          ? await asChain(writeDump(target, scope, pages))
          : await writeTables(target, { files, scope, known, pinned, operations })
      return handleOf(target, chain, abandon)
    }
    const handleOf = async (
      target: SnapshotTarget,
      chain: Chain,
      abandon: () => Promise<void>,
    ): Promise<StateHandle> => {
      try {
        const handle = await writeHandle(target, chain, maxParallelism, tables.index())
        if (log !== undefined) this.#written.set(checkpointId, { chain, log, stamp })
        return handle
      } catch (thrown) {
        await abandon()
        throw thrown
      }
    }
    const release = async () => {
      try {
        await (await pinning)?.release()
      } catch {
        // The store that cannot let go of its files has failed, and says so when it is used.
      }
    }
    return { write, release: () => void release() }
  }

  /** Undefined where the base is to be a dump. Begins at the freeze: what is written into the store later is not in it. */
  async #pinning(): Promise<PinnedTables | undefined> {
    const { cache, logger, prefersTables } = this.#options
    if (!prefersTables()) return undefined
    try {
      return await cache.queue.pinTables()
    } catch (thrown) {
      // The store could not tell which files it has: everything is written instead.
      logger.warn(
        `The table files of a state store could not be pinned, so its state is written whole: ${messageOf(thrown)}`,
      )
      return undefined
    }
  }

  /**
   * What changes behind a base. While another one is awaited its log serves both: that it began earlier only makes the first
   * delta longer. With a log of its own, each base that begins before the last one is complete would be followed by a base.
   */
  #logBehind(checkpointId: number, stamp: number): ChangeLog {
    const { log } = this.#options.cache
    log?.checkLength()
    const isShared = log !== undefined && !log.isLost && this.#awaited.size > 0
    if (!isShared) this.#awaited.clear()
    this.#awaited.add(checkpointId)
    return isShared ? log : this.#newLog(stamp)
  }

  /** What changes from now on. Rows that the former log held, and that hold nothing, go when the walk meets them. */
  #newLog(since: number): ChangeLog {
    const { cache, mostLogBytes } = this.#options
    cache.log?.lose()
    const log = new ChangeLog(since, mostLogBytes, (segments) => {
      for (const segment of segments) if (segment.readers === 0) cache.snapshots.leave(segment)
    })
    cache.log = log
    return log
  }
}

async function asChain(writing: ReturnType<typeof writeDump>): Promise<{ chain: Chain; abandon(): Promise<void> }> {
  const { base, abandon } = await writing
  return { chain: { base, deltas: [] }, abandon }
}
