/** A checkpoint that is written as a chain of former ones with one more delta: what changed since the last completed one. */
import { assert } from '../../base/assert.ts'
import { StreamError } from '../../base/errors.ts'
import type { SnapshotTarget, StateHandle } from '../snapshot.ts'
import type { FrozenKeyedState } from '../state-backend.ts'
import { type Chain, writeHandle } from './checkpoint-chain.ts'
import type { DeltaSegment } from './delta-segment.ts'
import { EntryLogWriter } from './entry-log.ts'
import type { IndexTable } from './level-index.ts'
import type { RowCache } from './row-cache.ts'

export interface FrozenDeltaParts {
  readonly checkpointId: number
  /** Of a completed checkpoint. */
  readonly chain: Chain
  /** What it does not hold, the oldest first. */
  readonly segments: readonly DeltaSegment[]
  readonly cache: RowCache
  readonly maxParallelism: number
  tables(): readonly IndexTable[]
  /** It is durable, though not yet part of a completed checkpoint. */
  written(chain: Chain): void
}

export class FrozenDelta implements FrozenKeyedState {
  readonly checkpointId: number
  readonly #parts: FrozenDeltaParts
  #released = false

  /** The whole of the synchronous part. */
  constructor(parts: FrozenDeltaParts) {
    this.checkpointId = parts.checkpointId
    this.#parts = parts
    for (const segment of parts.segments) segment.readers++
  }

  step(budgetEntries: number): boolean {
    const { segments, cache } = this.#parts
    let left = budgetEntries
    for (const segment of segments) {
      if (!segment.isDone) {
        left -= segment.step(Math.max(left, 0), (row) => {
          cache.snapshots.save(row)
          cache.dropWhereDead(row)
        })
        cache.log?.checkLength()
        if (segment.isDone) cache.snapshots.leave(segment)
      }
      if (segment.failure !== undefined) throw segment.failure
    }
    return segments.every(({ isDone }) => isDone)
  }

  async write(target: SnapshotTarget): Promise<StateHandle> {
    const { segments, chain, maxParallelism, tables, written } = this.#parts
    assert(!this.#released && this.step(0), 'a checkpoint was written before all that changed was serialised')
    const log = new EntryLogWriter(target, 'shared')
    try {
      for (const segment of segments) await this.#add(segment, log)
      const longer = { base: chain.base, deltas: [...chain.deltas, ...(await log.finish())] }
      const handle = await writeHandle(target, longer, maxParallelism, tables())
      written(longer)
      return handle
    } catch (thrown) {
      await log.abandon()
      throw thrown
    }
  }

  async #add(segment: DeltaSegment, log: EntryLogWriter): Promise<void> {
    for (const operation of segment.evicted()) {
      const written = log.add(operation)
      if (written !== undefined) await written
      if (this.#released) throw released(this.checkpointId)
    }
    for (const records of segment.records()) {
      await log.addRecords(records)
      if (this.#released) throw released(this.checkpointId)
    }
  }

  /** Checkpoints to come need the segments all the same, unless their log was lost. */
  release(): void {
    if (this.#released) return
    this.#released = true
    const { segments, cache } = this.#parts
    for (const segment of segments) {
      segment.readers--
      if (segment.readers === 0 && cache.log?.keeps(segment) !== true) cache.snapshots.leave(segment)
    }
  }
}

/** Whoever released it has no use for what it writes. */
export function released(checkpointId: number): StreamError {
  return new StreamError('CHECKPOINT_DISCARDED', {
    message: `The snapshot of keyed state for checkpoint ${checkpointId} was given up while it was written.`,
  })
}
