/** Sources and sinks for tests of whole jobs: what they are told to do, they do at that point; what they saw, they keep. */

import type {
  CommitRequest,
  Committer,
  CommittingSinkWriter,
  Source,
  TwoPhaseCommittingSink,
  WriterContext,
} from '../../src/index.ts'
import { defineSource, type WatermarkGenerator, WatermarkStrategy } from '../../src/index.ts'
import type { World } from './harness.ts'

export interface LedgerHooks<T> {
  open?(context: WriterContext): void | Promise<void>
  write?(value: T, context: WriterContext): void | Promise<void>
  flush?(endOfInput: boolean, context: WriterContext): void | Promise<void>
  prepare?(context: WriterContext): void | Promise<void>
  makeDurable?(checkpointId: number, context: WriterContext): void | Promise<void>
  commit?(requests: readonly CommitRequest<Entry<T>>[]): void | Promise<void>
  close?(context: WriterContext): void | Promise<void>
}

export interface Entry<T> {
  readonly id: string
  readonly values: readonly T[]
}

/** A transactional store outside of the job: what is committed is there once, however often it is committed. */
export class Ledger<T> implements TwoPhaseCommittingSink<T, Entry<T>> {
  readonly committed: T[] = []
  readonly written: T[] = []
  readonly commits: { readonly checkpointId: number; readonly id: string }[] = []
  readonly log: string[] = []
  readonly #ids = new Set<string>()
  readonly #hooks: LedgerHooks<T>
  #transactions = 0

  constructor(hooks: LedgerHooks<T> = {}) {
    this.#hooks = hooks
  }

  async createWriter(context: WriterContext): Promise<CommittingSinkWriter<T, Entry<T>>> {
    const hooks = this.#hooks
    await hooks.open?.(context)
    let values: T[] = []
    const name = `${context.attempt}.${context.subtask}`
    return {
      write: (value) => {
        const written = hooks.write?.(value, context)
        this.written.push(value)
        values.push(value)
        return written
      },
      flush: (endOfInput) => {
        this.log.push(`flush ${name}${endOfInput ? ' at the end' : ''}`)
        return hooks.flush?.(endOfInput, context)
      },
      prepareCommit: () => {
        this.log.push(`prepare ${name}`)
        const prepared = hooks.prepare?.(context)
        if (values.length === 0) return prepared instanceof Promise ? prepared.then(() => []) : []
        const entry = { id: `${context.attempt}/${context.subtask}/${this.#transactions++}`, values }
        values = []
        return prepared instanceof Promise ? prepared.then(() => [entry]) : [entry]
      },
      ...(hooks.makeDurable === undefined
        ? {}
        : { makeDurable: (checkpointId: number) => hooks.makeDurable?.(checkpointId, context) }),
      close: () => {
        this.log.push(`close ${name}`)
        return hooks.close?.(context)
      },
    }
  }

  createCommitter(): Committer<Entry<T>> {
    return {
      commit: async (requests) => {
        await this.#hooks.commit?.(requests)
        for (const { committable, checkpointId } of requests) this.#commit(committable, checkpointId)
      },
      close() {},
    }
  }

  #commit({ id, values }: Entry<T>, checkpointId: number): void {
    this.commits.push({ checkpointId, id })
    if (this.#ids.has(id)) return
    this.#ids.add(id)
    for (const value of values) this.committed.push(value)
  }
}

export interface Timed<T> {
  /** On the clock, after the start of the source. */
  readonly afterMs: number
  readonly value: T
  readonly timestamp?: number | undefined
}

/** Brings its records at their times; restored, goes on behind the last emitted one. */
export function timedSource<T>(world: World, splits: Readonly<Record<string, readonly Timed<T>[]>>, untilMs = 0) {
  const startMs = world.clock.now()
  return defineSource<T, number>({
    boundedness: 'bounded',
    splits: () => Object.keys(splits),
    start: () => 0,
    async *read(split, position) {
      for (const [index, { afterMs, value, timestamp }] of (splits[split] ?? []).entries()) {
        if (index < position) continue
        const waitMs = startMs + afterMs - world.clock.now()
        if (waitMs > 0) await world.sleep(waitMs)
        yield { value, position: index + 1, timestamp }
      }
      const restMs = startMs + untilMs - world.clock.now()
      if (restMs > 0) await world.sleep(restMs)
    },
  })
}

/** 0, 1, 2, ... with `everyMs` in front of each, also behind a restart. */
export function ticks(world: World, count: number, everyMs: number) {
  return defineSource<number, number>({
    boundedness: 'bounded',
    splits: () => ['ticks'],
    start: () => 0,
    async *read(_, position) {
      for (let index = position; index < count; index++) {
        await world.sleep(everyMs)
        yield { value: index, position: index + 1, timestamp: index }
      }
    },
  })
}

/** A watermark behind each record, at its timestamp. */
export function punctuated<T>(): WatermarkStrategy<T> {
  return WatermarkStrategy.forGenerator<T>(
    (): WatermarkGenerator<T> => ({
      onEvent: (_, timestamp, output) => output.emitWatermark(timestamp),
      onPeriodicEmit() {},
    }),
  )
}

export const byNumber = (one: number, other: number) => one - other
export const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index)

/** The same source, whose enumerator does that before it starts. `made`: how many of it there were before. */
export function startingBehind(source: Source<number>, first: (made: number) => void | Promise<void>): Source<number> {
  let enumerators = 0
  return {
    ...source,
    boundedness: source.boundedness,
    createReader: (context) => source.createReader(context),
    createEnumerator(context, restored) {
      const enumerator = source.createEnumerator(context, restored)
      const start = enumerator.start.bind(enumerator)
      const made = enumerators++
      return Object.assign(enumerator, {
        async start() {
          await first(made)
          await start()
        },
      })
    },
  }
}
