/**
 * The two ends of a job by hand, after the contract alone: a source in the form of FLIP-27 and a sink in the form of
 * Sink V2, with serializers, state and every answer to a commit. Whatever fails, each record is there once.
 */
import { expect, test } from 'vitest'
import {
  type CommitRequest,
  type Committer,
  type CommittingSinkWriter,
  END_OF_INPUT,
  MORE_AVAILABLE,
  NOTHING_AVAILABLE,
  type ReaderOutput,
  RestartStrategies,
  type Serializer,
  type Source,
  type SourceReader,
  type SourceReaderContext,
  type SourceSplit,
  type SplitEnumerator,
  type SplitEnumeratorContext,
  type StatefulSink,
  type StatefulSinkWriter,
  type TwoPhaseCommittingSink,
  WatermarkStrategy,
} from '../../src/index.ts'
import { describeJobs, type World } from './harness.ts'
import { byNumber, range } from './parts.ts'

interface Part extends SourceSplit {
  readonly next: number
}

/** What was written with it says so, and it notes when it reads. */
function json<T>(id: string, reads: string[]): Serializer<T> {
  return {
    id,
    version: 3,
    serialize: (value) => new TextEncoder().encode(JSON.stringify(value)),
    deserialize(bytes, version) {
      reads.push(`${id} ${version}`)
      return JSON.parse(new TextDecoder().decode(bytes))
    },
  }
}

/** Two parts of 50 numbers each, one number every 10 ms. */
function numbers(world: World, reads: string[]): Source<number, Part, readonly Part[]> {
  return {
    boundedness: 'bounded',
    splitSerializer: json('part', reads),
    enumeratorSerializer: json('parts', reads),
    createEnumerator: (context, restored) => new Parts(context, restored),
    createReader: (context) => new Reader(context, world),
  }
}

class Parts implements SplitEnumerator<Part, readonly Part[]> {
  readonly #context: SplitEnumeratorContext<Part>
  readonly #left: Part[]

  constructor(context: SplitEnumeratorContext<Part>, restored: readonly Part[] | undefined) {
    this.#context = context
    this.#left = [...(restored ?? [0, 1].map((part) => ({ id: `part ${part}`, next: part * 50 })))]
  }
  start(): void {}
  addReader(): void {}
  handleSplitRequest(subtask: number): void {
    const part = this.#left.shift()
    if (part === undefined) this.#context.signalNoMoreSplits(subtask)
    else this.#context.assignSplits(subtask, [part])
  }
  addSplitsBack(splits: readonly Part[]): void {
    this.#left.push(...splits)
  }
  snapshotState(): readonly Part[] {
    return [...this.#left]
  }
  close(): void {}
}

class Reader implements SourceReader<number, Part> {
  readonly #context: SourceReaderContext
  readonly #world: World
  #part: Part | undefined
  #isLast = false
  #wake = () => {}
  #dueMs = 0

  constructor(context: SourceReaderContext, world: World) {
    this.#context = context
    this.#world = world
  }
  start(): void {
    if (this.#part === undefined) this.#context.sendSplitRequest()
  }
  pollNext(output: ReaderOutput<number>) {
    if (this.#part === undefined) return this.#isLast ? END_OF_INPUT : NOTHING_AVAILABLE
    if (this.#world.clock.now() < this.#dueMs) return NOTHING_AVAILABLE
    const { id, next } = this.#part
    output.createOutputForSplit(id).collect(next, next)
    this.#dueMs = this.#world.clock.now() + 10
    this.#part = { id, next: next + 1 }
    if ((next + 1) % 50 !== 0) return MORE_AVAILABLE
    output.releaseOutputForSplit(id)
    this.#part = undefined
    this.#context.sendSplitRequest()
    return NOTHING_AVAILABLE
  }
  isAvailable(): Promise<void> {
    if (this.#part !== undefined) return this.#world.sleep(10)
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }
  snapshotState(): readonly Part[] {
    return this.#part === undefined ? [] : [this.#part]
  }
  addSplits(splits: readonly Part[]): void {
    this.#part = splits[0] ?? this.#part
    this.#wake()
  }
  notifyNoMoreSplits(): void {
    this.#isLast = true
    this.#wake()
  }
  close(): void {}
}

interface Batch {
  readonly id: string
  readonly values: readonly number[]
}

type Answer = (request: CommitRequest<Batch>) => 'later' | 'already' | 'failed' | 'done'

/** A store outside of the job that knows each batch by its id. */
class Store implements TwoPhaseCommittingSink<number, Batch>, StatefulSink<number, number> {
  readonly committableSerializer: Serializer<Batch>
  readonly stateSerializer: Serializer<number>
  readonly batches = new Map<string, Batch>()
  readonly tried: string[] = []
  readonly restoredFrom: number[] = []
  readonly #answer: Answer

  constructor(reads: string[], answer: Answer) {
    this.#answer = answer
    this.committableSerializer = json('batch', reads)
    this.stateSerializer = json('count', reads)
  }
  createWriter() {
    return this.#writer(0)
  }
  restoreWriter(_: unknown, states: readonly number[]) {
    this.restoredFrom.push(...states)
    return this.#writer(Math.max(0, ...states))
  }
  #writer(from: number): CommittingSinkWriter<number, Batch> & StatefulSinkWriter<number, number> {
    let [values, count, flushed]: [number[], number, boolean] = [[], from, false]
    return {
      write: (value) => {
        values.push(value)
        flushed = false
      },
      flush: () => {
        flushed = true
      },
      prepareCommit: async () => {
        expect(flushed || values.length === 0).toBe(true)
        const batch = { id: `batch ${count++}`, values }
        values = []
        return batch.values.length === 0 ? [] : [batch]
      },
      snapshotState: () => [count],
      close() {},
    }
  }
  createCommitter(): Committer<Batch> {
    return {
      commit: async (requests) => {
        for (const request of requests) {
          const { committable, attempt, checkpointId } = request
          const answer = this.#answer(request)
          this.tried.push(`${committable.id} ${attempt} ${answer}`)
          expect(checkpointId).toBeGreaterThan(0)
          if (answer === 'later') request.retryLater()
          if (answer === 'already') request.alreadyCommitted()
          if (answer === 'failed') request.failed(new RangeError('the store says no'))
          if (answer === 'done') this.batches.set(committable.id, committable)
        }
      },
      close() {},
    }
  }
  values(): readonly number[] {
    return [...this.batches.values()].flatMap(({ values }) => values).toSorted(byNumber)
  }
}

describeJobs('A source and a sink by hand', (newWorld) => {
  const run = (world: World, answer: Answer, failAt?: number) => {
    const reads: string[] = []
    const env = world.env()
    env.enableCheckpointing(60).setRestartStrategy(RestartStrategies.fixedDelayRestart(2, 20))
    const store = new Store(reads, answer)
    let fails = failAt !== undefined
    env
      .fromSource(numbers(world, reads), WatermarkStrategy.noWatermarks(), 'numbers')
      .map((value) => {
        if (fails && value === failAt) {
          fails = false
          throw new Error('down')
        }
        return value
      })
      .sinkTo(store)
    return { store, reads, result: env.execute('by hand') }
  }

  test('are exact over a failure, restored with their own serializers', async () => {
    const world = newWorld()
    const { store, reads, result } = run(world, () => 'done', 40)
    await world.until(result)
    expect(store.values()).toEqual(range(0, 99))
    expect(store.restoredFrom).toHaveLength(1)
    expect(new Set(reads)).toEqual(new Set(['part 3', 'parts 3', 'batch 3', 'count 3']))
  })

  test('try again what is to be retried later, and count how often', async () => {
    const world = newWorld()
    const { store, result } = run(world, ({ committable, attempt }) =>
      committable.id === 'batch 1' && attempt < 2 ? 'later' : 'done',
    )
    await world.until(result)
    expect(store.tried.filter((text) => text.startsWith('batch 1 '))).toEqual([
      'batch 1 0 later',
      'batch 1 1 later',
      'batch 1 2 done',
    ])
    expect(store.values()).toEqual(range(0, 99))
  })

  test('take what was committed already for done: it is not tried again', async () => {
    const world = newWorld()
    const { store, result } = run(world, ({ committable }) => (committable.id === 'batch 1' ? 'already' : 'done'))
    await world.until(result)
    expect(store.tried.filter((text) => text.startsWith('batch 1 '))).toEqual(['batch 1 0 already'])
    expect(world.ofType('restart.scheduled')).toEqual([])
  })

  test('fail the job with the reason of a request that can never be committed, and commit the others', async () => {
    const world = newWorld()
    const { store, result } = run(world, ({ committable }) => (committable.id === 'batch 1' ? 'failed' : 'done'))
    const { code, cause } = await world.failure(result)
    expect(code).toBe('JOB_FAILED')
    expect(String(cause)).toContain('the store says no')
    expect([...store.batches.keys()]).toContain('batch 0')
    expect([...store.batches.keys()]).not.toContain('batch 1')
  })
})
