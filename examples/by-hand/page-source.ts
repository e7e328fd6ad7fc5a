/**
 * A source by hand: topics that are fetched page by page. The enumerator finds the topics and deals them out; a reader
 * fetches the next page before it is asked for records, since `pollNext` must not wait.
 */
import {
  END_OF_INPUT,
  MORE_AVAILABLE,
  NOTHING_AVAILABLE,
  type ReaderOutput,
  type Source,
  type SourceReader,
  type SourceReaderContext,
  type SourceStatus,
  type SplitEnumerator,
  type SplitEnumeratorContext,
} from 'millrace'

export interface Row {
  readonly topic: string
  readonly number: number
}

/** The outside system. A page that is empty is the last one. */
export interface Topics {
  list(): Promise<readonly string[]>
  page(topic: string, from: number): Promise<readonly Row[]>
}

interface TopicSplit {
  readonly id: string
  /** The next row to read. */
  readonly position: number
}

/** What the enumerator must remember: who is not assigned yet. Undefined: the topics were not listed yet. */
interface Unassigned {
  readonly splits: readonly TopicSplit[] | undefined
}

export function pageSource(topics: Topics): Source<Row, TopicSplit, Unassigned> {
  return {
    boundedness: 'bounded',
    createEnumerator: (context, restored) => new TopicEnumerator(topics, context, restored),
    createReader: (context) => new PageReader(topics, context),
  }
}

class TopicEnumerator implements SplitEnumerator<TopicSplit, Unassigned> {
  readonly #topics: Topics
  readonly #context: SplitEnumeratorContext<TopicSplit>
  #splits: TopicSplit[] | undefined
  #asking: number[] = []

  constructor(topics: Topics, context: SplitEnumeratorContext<TopicSplit>, restored: Unassigned | undefined) {
    this.#topics = topics
    this.#context = context
    this.#splits = restored?.splits === undefined ? undefined : [...restored.splits]
  }

  start(): void {
    if (this.#splits !== undefined) return
    this.#context.callAsync(
      () => this.#topics.list(),
      (ids) => {
        this.#splits = ids.map((id) => ({ id, position: 0 }))
        for (const subtask of this.#asking.splice(0)) this.handleSplitRequest(subtask)
      },
    )
  }

  handleSplitRequest(subtask: number): void {
    if (this.#splits === undefined) {
      this.#asking.push(subtask)
      return
    }
    const split = this.#splits.shift()
    if (split === undefined) this.#context.signalNoMoreSplits(subtask)
    else this.#context.assignSplits(subtask, [split])
  }

  addSplitsBack(splits: readonly TopicSplit[]): void {
    this.#splits = [...splits, ...(this.#splits ?? [])]
  }

  addReader(): void {}

  snapshotState(): Unassigned {
    return { splits: this.#splits && [...this.#splits] }
  }

  close(): void {}
}

class PageReader implements SourceReader<Row, TopicSplit> {
  readonly #topics: Topics
  readonly #context: SourceReaderContext
  /** The first one is being read. */
  #splits: TopicSplit[] = []
  #rows: readonly Row[] = []
  /** Of the row in #rows that comes next, and of that row in its topic. */
  #next = 0
  #position = 0
  #fetching = false
  #noMoreSplits = false
  #closed = false
  #available = Promise.resolve()
  #wake = () => {}

  constructor(topics: Topics, context: SourceReaderContext) {
    this.#topics = topics
    this.#context = context
  }

  start(): void {
    if (this.#splits.length === 0) this.#context.sendSplitRequest()
  }

  pollNext(output: ReaderOutput<Row>): SourceStatus {
    const row = this.#rows[this.#next]
    if (row !== undefined) {
      this.#next++
      this.#position++
      output.collect(row)
      return MORE_AVAILABLE
    }
    if (this.#splits.length === 0 && this.#noMoreSplits) return END_OF_INPUT
    this.#available = new Promise((resolve) => {
      this.#wake = resolve
    })
    this.#fetch()
    return NOTHING_AVAILABLE
  }

  isAvailable(): Promise<void> {
    return this.#available
  }

  /** The one being read carries the position behind the last row that was emitted, not behind the last one fetched. */
  snapshotState(): readonly TopicSplit[] {
    return this.#splits.map((split, index) => (index === 0 ? { id: split.id, position: this.#position } : split))
  }

  addSplits(splits: readonly TopicSplit[]): void {
    const idle = this.#splits.length === 0
    this.#splits.push(...splits)
    if (idle) this.#position = this.#splits[0]?.position ?? 0
    this.#wake()
  }

  notifyNoMoreSplits(): void {
    this.#noMoreSplits = true
    this.#wake()
  }

  close(): void {
    this.#closed = true
  }

  #fetch(): void {
    const split = this.#splits[0]
    if (split === undefined || this.#fetching) return
    this.#fetching = true
    this.#topics.page(split.id, this.#position).then(
      (rows) => {
        this.#fetching = false
        this.#rows = rows
        this.#next = 0
        if (rows.length === 0) this.#endSplit()
        this.#wake()
      },
      (error) => {
        if (!this.#closed) this.#context.fail(error)
      },
    )
  }

  #endSplit(): void {
    this.#splits.shift()
    this.#position = this.#splits[0]?.position ?? 0
    if (this.#splits.length === 0 && !this.#noMoreSplits && !this.#closed) this.#context.sendSplitRequest()
  }
}
