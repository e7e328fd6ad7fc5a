/** The functions of a journey: every kind of keyed and operator state, timers of both kinds. */
import {
  AggregatingStateDescriptor,
  type BroadcastContext,
  BroadcastProcessFunction,
  type Collector,
  type FunctionInitializationContext,
  type KeyedContext,
  KeyedProcessFunction,
  type ListState,
  ListStateDescriptor,
  MapStateDescriptor,
  type OnTimerContext,
  type ReadOnlyContext,
  ReducingStateDescriptor,
  type RuntimeContext,
  ValueStateDescriptor,
} from '../../src/index.ts'
import type { Gate, Tick } from './journey-gate.ts'

/** Behind the last interruption: from here on nothing is held back, and the rule is followed. */
export const LAST_PART = 30
export const EVERY_MS = 10
const WINDOW_MS = 100

export interface Line {
  readonly n: number
  readonly text: string
}

interface Sum {
  readonly sum: number
  readonly count: number
}

/** Every kind of keyed state, timers of both kinds. */
export class Keyed extends KeyedProcessFunction<string, Tick, Line> {
  readonly #gate: Gate
  readonly #latest
  readonly #recent
  readonly #windows
  readonly #greatest
  readonly #mean
  readonly #aged
  readonly #agedMap

  constructor(context: RuntimeContext, gate: Gate) {
    super()
    const ttl = { ttl: '1 h' } as const
    this.#gate = gate
    this.#latest = context.getState(new ValueStateDescriptor<{ readonly at: Date; readonly n: bigint }>('latest'))
    this.#recent = context.getListState(new ListStateDescriptor<number>('recent'))
    this.#windows = context.getMapState(new MapStateDescriptor<number, number>('windows'))
    this.#greatest = context.getReducingState(new ReducingStateDescriptor<number>('greatest', Math.max))
    this.#mean = context.getAggregatingState(
      new AggregatingStateDescriptor<number, Sum, number>('mean', {
        createAccumulator: () => ({ sum: 0, count: 0 }),
        add: (n, { sum, count }) => ({ sum: sum + n, count: count + 1 }),
        getResult: ({ sum, count }) => sum / count,
        merge: (a, b) => ({ sum: a.sum + b.sum, count: a.count + b.count }),
      }),
    )
    this.#aged = context.getState(new ValueStateDescriptor('aged', { default: () => 0, ttl }))
    this.#agedMap = context.getMapState(new MapStateDescriptor<number, number>('aged-map', { ttl }))
  }

  processElement(tick: Tick, context: KeyedContext<string>, out: Collector<Line>) {
    const { split, n } = tick
    const { failAt, wokenAtMs } = this.#gate
    if (failAt?.split === split && failAt.n === n) {
      this.#gate.failAt = undefined
      throw new Error('down')
    }
    const latest = this.#latest.value()
    const recent = [...this.#recent.get()]
    if (latest === undefined) context.timerService().registerProcessingTimeTimer(wokenAtMs)
    if (recent.length === 3) this.#recent.update([n])
    else this.#recent.add(n)
    const end = n * EVERY_MS - ((n * EVERY_MS) % WINDOW_MS) + WINDOW_MS
    this.#windows.set(end, (this.#windows.get(end) ?? 0) + n)
    context.timerService().registerEventTimeTimer(end - 1)
    this.#greatest.add(n)
    this.#mean.add(n)
    this.#aged.update(this.#aged.value() + 1)
    this.#agedMap.set(n % 2, n)
    this.#latest.update({ at: new Date(n), n: BigInt(n) })
    const texts = [latest?.n, latest?.at.getTime(), recent, this.#greatest.get(), this.#mean.get(), this.#aged.value()]
    out.collect({ n, text: `${context.getCurrentKey()} ${n}: ${texts.join(' ')} ${[...this.#agedMap].join(' ')}` })
    this.#gate.seen.add(`${split} ${n}`)
    this.#gate.noted()
  }

  override onTimer(time: number, context: OnTimerContext<string>, out: Collector<Line>) {
    const key = context.getCurrentKey()
    if (context.timeDomain() === 'processing-time') {
      this.#gate.woken.add(key)
      this.#gate.noted()
      return out.collect({ n: LAST_PART, text: `${key} woken` })
    }
    this.#gate.fired.add(key)
    this.#gate.noted()
    out.collect({ n: LAST_PART, text: `${key} before ${time + 1}: ${this.#windows.get(time + 1)}` })
    this.#windows.delete(time + 1)
  }
}

/** Operator state of the three kinds: holds records back in a list, counts into a union list, follows a broadcast rule. */
export class Lists extends BroadcastProcessFunction<Line, string, string> {
  readonly #gate: Gate
  readonly #rules: MapStateDescriptor<string, string>
  readonly #subtask: number
  #held: Line[] = []
  #listed: ListState<Line> | undefined
  #counted: ListState<number> | undefined
  #count = 0

  constructor({ indexOfThisSubtask }: RuntimeContext, gate: Gate, rules: MapStateDescriptor<string, string>) {
    super()
    this.#gate = gate
    this.#rules = rules
    this.#subtask = indexOfThisSubtask
  }

  override initializeState(context: FunctionInitializationContext) {
    const store = context.getOperatorStateStore()
    this.#listed = store.getListState(new ListStateDescriptor<Line>('held'))
    this.#counted = store.getUnionListState(new ListStateDescriptor<number>('counted'))
    this.#held = [...this.#listed.get()]
    // Every subtask is told the whole; one carries it on.
    const whole = [...this.#counted.get()].reduce((sum, count) => sum + count, 0)
    this.#count = this.#subtask === 0 ? whole : 0
    if (this.#subtask === 0) this.#gate.counts.clear()
  }

  override snapshotState() {
    this.#listed?.update(this.#held)
    this.#counted?.update([this.#count])
  }

  processElement(line: Line, context: ReadOnlyContext, out: Collector<string>) {
    this.#count++
    this.#gate.counts.set(this.#subtask, this.#count)
    this.#held.push(line)
    if (line.n < LAST_PART) return
    const rule = context.getBroadcastState(this.#rules).get('rule')
    for (const { text } of this.#held) out.collect(`${rule} ${text}`)
    this.#held = []
  }

  processBroadcastElement(rule: string, context: BroadcastContext) {
    context.getBroadcastState(this.#rules).set('rule', rule)
    this.#gate.ruled.add(this.#subtask)
    this.#gate.noted()
  }
}
