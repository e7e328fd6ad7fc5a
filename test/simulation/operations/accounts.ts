/**
 * The job that is operated, and what must come of it: transfers of accounts, a balance behind each, and a receipt of each by
 * a timer, into a store outside of the job. The oracle goes over the same transfers one after the other.
 */
import type { Clock } from '../../../src/base/clock.ts'
import {
  defineSink,
  defineSource,
  type KeyedContext,
  MapStateDescriptor,
  type OnTimerContext,
  type StreamExecutionEnvironment,
  ValueStateDescriptor,
  WatermarkStrategy,
} from '../../../src/index.ts'

export interface Transfer {
  readonly account: string
  readonly amount: number
  /** Event time. */
  readonly tick: number
}

export interface InputSettings {
  readonly splits: number
  readonly perSplit: number
  readonly accountsPerSplit: number
}

/** Each account stands in one split, so that the order of its transfers is fixed. */
export class Input {
  readonly splits: ReadonlyMap<string, readonly Transfer[]>

  constructor({ splits, perSplit, accountsPerSplit }: InputSettings) {
    const transfers = (split: number) =>
      Array.from({ length: perSplit }, (_, nth) => ({
        account: `${split}-${(nth * 7) % accountsPerSplit}`,
        amount: ((nth * 31 + split) % 19) - 9,
        tick: nth * (1 + (split % 3)),
      }))
    this.splits = new Map(Array.from({ length: splits }, (_, split) => [`${split}`, transfers(split)]))
  }

  /**
   * What is wrong with `committed`, in words. `isDrained`: the sources may have stopped anywhere, and everything behind
   * that is as at the end.
   */
  differences(committed: readonly string[], isDrained: boolean): readonly string[] {
    const expected = [...this.splits].flatMap(([split, transfers]) => {
      const seen = committed.filter((line) => line.startsWith(`balance ${split}-`)).length
      return resultOf(isDrained ? transfers.slice(0, seen) : transfers)
    })
    const lost = without(expected, committed)
    const more = without(committed, expected)
    return [
      ...(lost.length > 0 ? [`${lost.length} of ${expected.length} lines are lost: ${lost.slice(0, 3)}`] : []),
      ...(more.length > 0 ? [`${more.length} lines doubled or wrong: ${more.slice(0, 3)}`] : []),
    ]
  }
}

/** Ticks from a transfer to its receipt. */
const LATER = 6

interface Balance {
  readonly count: number
  readonly balance: number
  /** Tells the order of what came before. */
  readonly hash: number
}

const NOTHING: Balance = { count: 0, balance: 0, hash: 17 }

const after = ({ count, balance, hash }: Balance, { amount }: Transfer): Balance => ({
  count: count + 1,
  balance: balance + amount,
  hash: (Math.imul(hash, 31) + amount) | 0,
})
const balanceLine = (account: string, { count, balance, hash }: Balance) =>
  `balance ${account} ${count} ${balance} ${hash}`
const receiptLine = (account: string, tick: number, amount: number) => `receipt ${account} ${tick} ${amount}`

/** A split may be read when the watermark is far beyond it: what comes out is the same, whenever a timer fires. */
function resultOf(transfers: readonly Transfer[]): readonly string[] {
  const balances = new Map<string, Balance>()
  return transfers.flatMap((transfer) => {
    const { account, amount, tick } = transfer
    const balance = after(balances.get(account) ?? NOTHING, transfer)
    balances.set(account, balance)
    return [balanceLine(account, balance), receiptLine(account, tick, amount)]
  })
}

/** As often as `lines` has a line more often than `others`. */
function without(lines: readonly string[], others: readonly string[]): readonly string[] {
  const left = new Map<string, number>()
  for (const line of others) left.set(line, (left.get(line) ?? 0) + 1)
  return lines.filter((line) => {
    const there = left.get(line) ?? 0
    left.set(line, there - 1)
    return there <= 0
  })
}

/** Outlives all processes: what is committed is there once, however often it is committed. */
export class Store {
  readonly committed: string[] = []
  readonly #prepared = new Map<string, readonly string[]>()
  readonly #done = new Set<string>()

  prepare(lines: readonly string[]): string {
    const id = `transaction ${this.#prepared.size}`
    this.#prepared.set(id, lines)
    return id
  }

  commit(id: string): void {
    if (this.#done.has(id)) return
    this.#done.add(id)
    this.committed.push(...(this.#prepared.get(id) ?? ['a transaction that nobody prepared']))
  }
}

export interface JobSettings {
  readonly input: Input
  readonly store: Store
  readonly clock: Clock
  readonly parallelism: number
  /** Between two transfers of a split. */
  readonly paceMs: number
  /** What a write of the sink takes; 0: nothing. */
  readonly slowMs: number
  /** Called for each transfer; a throw fails the task. */
  onTransfer(): void
  /** Called before each commit; a throw fails it. */
  onCommit(): void
}

/** Puts the job into the environment. */
export function declareJob(env: StreamExecutionEnvironment, settings: JobSettings): void {
  const { parallelism } = settings
  env
    .fromSource(source(settings), WatermarkStrategy.forMonotonousTimestamps<Transfer>(), 'transfers')
    .uid('transfers')
    .setParallelism(parallelism)
    .keyBy(({ account }) => account)
    .process<string>((context) => {
      const balance = context.getState(new ValueStateDescriptor<Balance>('balance', { default: () => NOTHING }))
      const open = context.getMapState(new MapStateDescriptor<number, number>('open'))
      return {
        processElement(transfer, at: KeyedContext<string>, out) {
          settings.onTransfer()
          const { account, amount, tick } = transfer
          const next = after(balance.value(), transfer)
          balance.update(next)
          open.set(tick, amount)
          at.timerService().registerEventTimeTimer(tick + LATER)
          out.collect(balanceLine(account, next))
        },
        onTimer(timestamp, at: OnTimerContext<string>, out) {
          const tick = timestamp - LATER
          out.collect(receiptLine(at.getCurrentKey(), tick, open.get(tick) ?? Number.NaN))
          open.delete(tick)
        },
      }
    })
    .setParallelism(parallelism)
    .uid('totals')
    .name('totals')
    .rebalance()
    .sinkTo(sink(settings))
    .setParallelism(parallelism)
    .uid('store')
    .name('store')
}

function source({ input, clock, paceMs }: JobSettings) {
  return defineSource<Transfer, number>({
    boundedness: 'bounded',
    splits: () => [...input.splits.keys()],
    start: () => 0,
    async *read(split, position) {
      for (const [nth, value] of (input.splits.get(split) ?? []).entries()) {
        if (nth < position) continue
        await passing(clock, paceMs)
        yield { value, position: nth + 1, timestamp: value.tick }
      }
    },
  })
}

function sink({ store, clock, slowMs, onCommit }: JobSettings) {
  return defineSink<{ lines: string[] }, string, string>({
    open: () => ({ lines: [] }),
    write(connection, line) {
      connection.lines.push(line)
      return slowMs === 0 ? undefined : passing(clock, slowMs)
    },
    prepare(connection) {
      const { lines } = connection
      connection.lines = []
      return lines.length === 0 ? undefined : store.prepare(lines)
    },
    commit(_, ids) {
      onCommit()
      for (const id of ids) store.commit(id)
    },
  })
}

/** So long on the clock. */
export function passing(clock: Clock, ms: number): Promise<void> {
  return new Promise((settle) => void clock.setTimer(ms, settle))
}
