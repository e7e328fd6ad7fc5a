/** A snapshot of everything, in one of several forms: canonical, or a base that checkpoints to come may go on from. */
import { assert } from '../../base/assert.ts'
import type { StoreOperation } from '../../base/ordered-store.ts'
import { entryFailure } from '../entry-failure.ts'
import type { SnapshotTarget, StateHandle } from '../snapshot.ts'
import type { FrozenKeyedState } from '../state-backend.ts'
import { released } from './frozen-delta.ts'
import type { RowCache } from './row-cache.ts'
import type { EntryPage, WholeSnapshot } from './whole-snapshot.ts'

/** How everything is written. */
export interface WholeForm {
  write(
    target: SnapshotTarget,
    operations: Iterable<StoreOperation>,
    pages: AsyncIterable<EntryPage>,
  ): Promise<StateHandle>
  /** Called once, at the end. */
  release?(): void
}

export class FrozenWhole implements FrozenKeyedState {
  readonly checkpointId: number
  readonly #whole: WholeSnapshot
  readonly #cache: RowCache
  readonly #form: WholeForm
  #isDone = false
  #released = false

  constructor(checkpointId: number, whole: WholeSnapshot, cache: RowCache, form: WholeForm) {
    this.checkpointId = checkpointId
    this.#whole = whole
    this.#cache = cache
    this.#form = form
  }

  step(budgetEntries: number): boolean {
    if (!this.#isDone) {
      this.#isDone = this.#whole.step(budgetEntries, (row) => {
        this.#cache.snapshots.save(row)
        this.#cache.dropWhereDead(row)
      })
      if (this.#isDone) this.#cache.snapshots.leave(this.#whole)
    }
    const { failure } = this.#whole
    if (failure !== undefined) {
      const { table, key } = failure.row
      throw entryFailure(failure.thrown, table.name, key, `into checkpoint ${this.checkpointId}`)
    }
    return this.#isDone
  }

  async write(target: SnapshotTarget): Promise<StateHandle> {
    assert(!this.#released && this.step(0), 'a snapshot was written before all entries of the cache were serialised')
    return this.#form.write(target, this.#operations(), this.#pages())
  }

  /** Fails where they would end early. */
  *#operations(): IterableIterator<StoreOperation> {
    yield* this.#whole.operations()
    if (this.#released) throw released(this.checkpointId)
  }

  /** Fails where they would end early. */
  async *#pages(): AsyncGenerator<EntryPage> {
    for await (const page of this.#whole.pages()) {
      if (this.#released) break
      yield page
    }
    if (this.#released) throw released(this.checkpointId)
  }

  release(): void {
    if (this.#released) return
    this.#released = true
    this.#cache.snapshots.leave(this.#whole)
    this.#whole.release()
    this.#form.release?.()
  }
}
