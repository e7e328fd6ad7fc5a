/**
 * Numbers under which the parts of large maps and lists lie, none of them given twice in a key group; and what was cleared: a
 * map of a million entries is forgotten at once, and its parts are removed step by step by a timer.
 */
import type { Clock, Timer } from '../../base/clock.ts'
import { toError } from '../../base/errors.ts'
import { isPrefix, keyGroupPrefix, partPrefix } from '../part-keys.ts'
import type { LevelTable } from './level-table.ts'

export interface PartNumbersParts {
  /** A pinned table. */
  readonly numbers: LevelTable<number>
  readonly clock: Clock
  /** Removes a chunk and its entries, and gives the number of the next one, -1 behind the last. */
  removeChunk(prefix: string, chunk: number): number
  /** Between two keys: rows may be evicted. */
  makeRoom(): void
  /** The store has failed: the task goes back to a checkpoint. */
  failed(cause: Error): void
}

/** One chunk at each firing: about a millisecond. */
const PAUSE_MS = 10

export class PartNumbers {
  readonly #parts: PartNumbersParts
  /** Of cleared maps. */
  readonly #cleared: Set<string>
  #timer: Timer | undefined
  #closed = false

  constructor(parts: PartNumbersParts) {
    this.#parts = parts
    this.#cleared = new Set([...parts.numbers.keys()].filter(isPrefix))
    this.#arm()
  }

  /** For the parts of a new map. */
  nextPrefix(keyGroup: number): string {
    const { numbers } = this.#parts
    const key = keyGroupPrefix(keyGroup)
    const number = numbers.get(key) ?? 0
    numbers.touch(key)
    numbers.set(key, number + 1)
    return partPrefix(keyGroup, number)
  }

  /** The parts from this chunk on are no longer wanted. */
  cleared(prefix: string, firstChunk: number): void {
    this.#note(prefix, firstChunk)
    this.#cleared.add(prefix)
    this.#arm()
  }

  close(): void {
    this.#closed = true
    this.#timer?.cancel()
  }

  #note(prefix: string, chunk: number): void {
    const { numbers } = this.#parts
    numbers.touch(prefix)
    numbers.set(prefix, chunk)
  }

  #arm(): void {
    if (this.#closed || this.#timer !== undefined || this.#cleared.size === 0) return
    this.#timer = this.#parts.clock.setTimer(PAUSE_MS, () => {
      this.#timer = undefined
      try {
        this.#step()
        this.#arm()
      } catch (thrown) {
        // The store has failed, or what it holds cannot be read.
        this.#parts.failed(toError(thrown))
      }
    })
  }

  #step(): void {
    const { numbers, removeChunk, makeRoom } = this.#parts
    for (const prefix of this.#cleared) {
      const behind = removeChunk(prefix, numbers.get(prefix) ?? 0)
      if (behind >= 0) this.#note(prefix, behind)
      else {
        this.#cleared.delete(prefix)
        numbers.touch(prefix)
        numbers.delete(prefix)
      }
      break
    }
    // Whoever has no input makes no room.
    makeRoom()
  }
}
