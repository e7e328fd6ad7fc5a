/** Functions of keyed streams for random graphs. What they give does not depend on the order in which rows of a key come. */
import {
  KeyedProcessFunction,
  ListStateDescriptor,
  MapStateDescriptor,
  type RuntimeContext,
  type StateTtlConfig,
  ValueStateDescriptor,
} from '../../../src/index.ts'
import { sums } from './keyed-sums.ts'
import type { StateKind } from './plan.ts'
import { added, END, follows, type Key, keyNumber, NOTHING, type Row, result, type Sum, sumOf } from './records.ts'
import type { Trouble } from './trouble.ts'

export type KeyedFunction = KeyedProcessFunction<Key, Row, Row>

/** Never over while a plan runs: what it keeps must be as if there were none. */
const TTL: StateTtlConfig = { ttl: '4000 d', updateType: 'OnReadAndWrite', cleanupFullSnapshot: true }

export interface KeyedOptions {
  readonly salt: number
  readonly state: StateKind
  readonly emit: 'running' | 'end'
  readonly ttl: boolean
}

/** Running: the first, the second, ... of the key, whichever they are. At the end: how many there were, and their sum. */
export function keyedState(
  context: RuntimeContext,
  { salt, state, emit, ttl }: KeyedOptions,
  trouble: Trouble,
): KeyedFunction {
  const kept = sums(context, state, ttl ? TTL : undefined)
  const met = new Map<string, number>()
  return {
    processElement(row, at, out) {
      trouble.call('keyed process')
      const { salts, n: inState } = kept.add(row)
      const key = `${keyNumber(at.getCurrentKey())} ${salts}`
      const before = met.get(key)
      if (before === undefined && inState > 1) trouble.tally.add('restored: sums of keyed state', 1)
      met.set(key, (before ?? 0) + 1)
      const n = trouble.sabotage === 'counts in a field' ? (before ?? 0) + 1 : inState
      if (emit === 'running') out.collect(result(salt, ...salts, keyNumber(at.getCurrentKey()), n))
      else at.timerService().registerEventTimeTimer(END)
    },
    onTimer(_, at, out) {
      trouble.call('event timer')
      for (const { salts, sum } of kept.all())
        out.collect(result(salt, ...salts, keyNumber(at.getCurrentKey()), sum.n, sum.x))
    },
  }
}

/** A sum a window, told when the watermark has passed the window. */
export class Windows extends KeyedProcessFunction<Key, Row, Row> {
  readonly #salt: number
  readonly #sizeMs: number
  readonly #trouble: Trouble
  readonly #context: RuntimeContext
  readonly #sums = new MapStateDescriptor<number, Sum>('by start')

  constructor(context: RuntimeContext, salt: number, sizeMs: number, trouble: Trouble) {
    super()
    this.#context = context
    this.#salt = salt
    this.#sizeMs = sizeMs
    this.#trouble = trouble
  }

  processElement(row: Row, at: Parameters<KeyedFunction['processElement']>[1]): undefined {
    this.#trouble.call('window')
    const timestamp = at.timestamp()
    if (timestamp === undefined)
      return this.#trouble.complain(`a row without a timestamp in a window: ${row.id}`) as undefined
    const start = Math.floor(timestamp / this.#sizeMs) * this.#sizeMs
    const sums = this.#context.getMapState(this.#sums)
    sums.set(start, added(sums.get(start) ?? NOTHING, sumOf(row)))
    at.timerService().registerEventTimeTimer(start + this.#sizeMs - 1)
    if (at.timerService().currentWatermark() >= timestamp)
      this.#trouble.complain(`a row of ${timestamp} behind the watermark ${at.timerService().currentWatermark()}`)
  }

  override onTimer(timestamp: number, at: { getCurrentKey(): Key }, out: { collect(row: Row): void }): undefined {
    this.#trouble.call('event timer')
    const start = timestamp - this.#sizeMs + 1
    const sums = this.#context.getMapState(this.#sums)
    const { n, x } = sums.get(start) ?? NOTHING
    sums.delete(start)
    out.collect(result(this.#salt, keyNumber(at.getCurrentKey()), start, n, x))
    this.#trouble.tally.add(timestamp < END ? 'timers: windows while rows came' : 'timers: windows at the end')
  }
}

/** Timers of the clock move what came into another state: when they do, nobody can tell at the end of time. */
export function clockTimers(context: RuntimeContext, salt: number, delayMs: number, trouble: Trouble): KeyedFunction {
  const waiting = context.getListState(new ListStateDescriptor<Sum>('waiting'))
  const settled = context.getState(new ValueStateDescriptor('settled', { default: () => NOTHING }))
  const settle = () => {
    for (const sum of waiting.get()) settled.update(added(settled.value(), sum))
    waiting.clear()
  }
  return {
    processElement(row, at) {
      trouble.call('keyed process')
      waiting.add(sumOf(row))
      at.timerService().registerEventTimeTimer(END)
      at.timerService().registerProcessingTimeTimer(at.timerService().currentProcessingTime() + delayMs)
    },
    onTimer(_, at, out) {
      trouble.call('timer')
      settle()
      if (at.timeDomain() === 'processing-time') return trouble.tally.add('timers: of the clock') as undefined
      const { n, x } = settled.value()
      out.collect(result(salt, keyNumber(at.getCurrentKey()), n, x))
    },
  }
}

/** Depends on the order of the rows of a key: for streams that promise one. */
export function chain(context: RuntimeContext, salt: number, trouble: Trouble): KeyedProcessFunction<number, Row, Row> {
  const hash = context.getState(new ValueStateDescriptor('hash', { default: () => salt }))
  return {
    processElement(row, _, out) {
      trouble.call('chain')
      const id = follows(hash.value(), row)
      hash.update(id)
      out.collect({ ...row, id })
    },
  }
}

/** The sum of parts that came in any order, at the end of time. */
export function total(context: RuntimeContext, salt: number, trouble: Trouble): KeyedProcessFunction<number, Sum, Row> {
  const sum = context.getState(new ValueStateDescriptor('total', { default: () => NOTHING }))
  return {
    processElement(part, at) {
      trouble.call('keyed process')
      sum.update(added(sum.value(), part))
      at.timerService().registerEventTimeTimer(END)
    },
    onTimer(_, __, out) {
      const { n, x } = sum.value()
      out.collect(result(salt, n, x))
    },
  }
}
