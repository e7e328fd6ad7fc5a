/**
 * The books of a job's shared files: which published checkpoint names which, and which may be deleted. Pure: it is told
 * what was verified, and says what is to be done.
 */

export class SharedFiles {
  /** Each file that a checkpoint may name, and by which checkpoints it is named. */
  readonly #readers = new Map<string, Set<string>>()
  /** When a file lost its last reader, in steps of these books. */
  readonly #unread = new Map<string, number>()
  readonly #published = new Map<string, readonly string[]>()
  /** When each checkpoint began that is neither published nor given up. */
  readonly #pending = new Map<number, number>()
  /** To be deleted; named by no checkpoint ever again, whether that works or not. */
  readonly #condemned = new Set<string>()
  #step = 0

  /** A checkpoint is triggered: what exists now may be named by it. Begins once. */
  begin(checkpointId: number): void {
    if (!this.#pending.has(checkpointId)) this.#pending.set(checkpointId, ++this.#step)
  }

  /** It is published or given up. */
  end(checkpointId: number): void {
    this.#pending.delete(checkpointId)
  }

  /** A published checkpoint names these. Once for each location. */
  publish(location: string, names: readonly string[]): void {
    if (this.#published.has(location)) return
    this.#published.set(location, names)
    for (const name of names) {
      const readers = this.#readers.get(name) ?? new Set()
      this.#readers.set(name, readers.add(location))
      this.#unread.delete(name)
    }
  }

  /** The checkpoint is out of reach for ever. */
  retire(location: string): void {
    this.#step++
    for (const name of this.#published.get(location) ?? []) {
      const readers = this.#readers.get(name)
      readers?.delete(location)
      if (readers?.size === 0) this.#unread.set(name, this.#step)
    }
    this.#published.delete(location)
  }

  /** Nobody will ever name these. */
  condemn(names: readonly string[]): void {
    for (const name of names) {
      this.#readers.delete(name)
      this.#unread.delete(name)
      this.#condemned.add(name)
    }
  }

  /** A file that a new checkpoint cannot name: it is not there, or about to be deleted. Undefined when it can name them all. */
  missing(names: readonly string[]): string | undefined {
    return names.find((name) => !this.#readers.has(name))
  }

  /** Whether a file of that name was ever told of. */
  knows(name: string): boolean {
    return this.#readers.has(name) || this.#condemned.has(name)
  }

  /**
   * What is to be deleted: no published checkpoint names it, and no pending one began while one still did. From now on no
   * checkpoint can name it. Given again until it was deleted.
   */
  take(): readonly string[] {
    const oldest = Math.min(...this.#pending.values())
    this.condemn([...this.#unread].filter(([, step]) => step < oldest).map(([name]) => name))
    return [...this.#condemned]
  }

  deleted(names: readonly string[]): void {
    for (const name of names) this.#condemned.delete(name)
  }
}
