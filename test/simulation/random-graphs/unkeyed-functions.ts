/**
 * Functions without a key that keep operator state. They learn that all rows have come by a flush, which is broadcast to
 * them at the end of time: it may overtake rows, so that what comes behind it is passed on at once.
 */
import {
  type KeyedProcessFunction,
  type ListState,
  ListStateDescriptor,
  type OutputTag,
  type ProcessFunction,
  type RuntimeContext,
} from '../../../src/index.ts'
import { added, aside, END, NOTHING, type Row, type Sum, sumOf } from './records.ts'
import type { Trouble } from './trouble.ts'

export interface Flush {
  readonly flush: true
}

const isFlush = (value: Row | Flush): value is Flush => 'flush' in value

/** One flush, when everything has come; none where nothing has. */
export function flushAtEnd(trouble: Trouble): KeyedProcessFunction<number, Row, Flush> {
  return {
    processElement(_, at) {
      trouble.call('keyed process')
      at.timerService().registerEventTimeTimer(END)
    },
    onTimer: (_, __, out) => out.collect({ flush: true }) as undefined,
  }
}

interface Seen {
  readonly subtask: number
  /** Of how many. */
  readonly of: number
  readonly flush: boolean
}

/**
 * Of one aligned snapshot either all subtasks have had the flush or none, so that others may take their places. A barrier
 * that overtakes leaves the flush in flight to some of them: plans have as many of them in the next process then.
 */
class FlushSeen {
  readonly #context: RuntimeContext
  readonly #trouble: Trouble
  #state: ListState<Seen> | undefined
  value = false

  constructor(context: RuntimeContext, trouble: Trouble) {
    this.#context = context
    this.#trouble = trouble
  }

  initialize(state: ListState<Seen>): void {
    const { indexOfThisSubtask, numberOfParallelSubtasks } = this.#context
    this.#state = state
    const all = [...state.get()]
    const flushes = all.map(({ flush }) => flush)
    if (all[0]?.of === numberOfParallelSubtasks) {
      this.value = all.some(({ subtask, flush }) => subtask === indexOfThisSubtask && flush)
      return
    }
    this.value = flushes.includes(true)
    if (this.value && flushes.includes(false))
      this.#trouble.complain(`of one checkpoint, some subtasks have had the flush: ${flushes.join()}`)
  }

  snapshot(): void {
    const { indexOfThisSubtask, numberOfParallelSubtasks } = this.#context
    this.#state?.update([{ subtask: indexOfThisSubtask, of: numberOfParallelSubtasks, flush: this.value }])
  }
}

/** Holds rows back until more have come. */
export function buffer(context: RuntimeContext, most: number, trouble: Trouble): ProcessFunction<Row | Flush, Row> {
  const { numberOfParallelSubtasks } = context
  const flushed = new FlushSeen(context, trouble)
  let state: ListState<Row> | undefined
  let widths: ListState<number> | undefined
  let waiting: Row[] = []
  return {
    initializeState(initialization) {
      trouble.step('initializeState')
      const store = initialization.getOperatorStateStore()
      state = store.getListState(new ListStateDescriptor<Row>('waiting'))
      flushed.initialize(store.getUnionListState(new ListStateDescriptor<Seen>('flushed')))
      widths = store.getUnionListState(new ListStateDescriptor<number>('widths'))
      waiting = [...state.get()]
      const [before] = [...widths.get()]
      if (
        trouble.sabotage === 'a row lost at another parallelism' &&
        before !== undefined &&
        before !== numberOfParallelSubtasks
      )
        waiting = waiting.slice(1)
      trouble.tally.add('restored: rows of operator state', waiting.length)
      if (flushed.value && waiting.length > 0) trouble.complain(`${waiting.length} rows wait behind the flush`)
    },
    snapshotState() {
      trouble.step('snapshotState')
      state?.update(waiting)
      widths?.update([numberOfParallelSubtasks])
      flushed.snapshot()
    },
    processElement(value, _, out) {
      trouble.call('process with operator state')
      if (isFlush(value)) flushed.value = true
      else waiting.push(value)
      while (waiting.length > (flushed.value ? 0 : most)) out.collect(waiting.shift() as Row)
    },
  }
}

interface Share {
  readonly subtask: number
  readonly sum: Sum
}

/** Each subtask sums up what it has seen, and tells it at the flush. */
export function counted(
  context: RuntimeContext,
  list: 'split' | 'union',
  trouble: Trouble,
): ProcessFunction<Row | Flush, Sum> {
  const { indexOfThisSubtask, numberOfParallelSubtasks } = context
  const flushed = new FlushSeen(context, trouble)
  let state: ListState<Share> | undefined
  let sum = NOTHING
  const isMine = ({ subtask }: Share) => list === 'split' || subtask % numberOfParallelSubtasks === indexOfThisSubtask
  return {
    initializeState(initialization) {
      trouble.step('initializeState')
      const store = initialization.getOperatorStateStore()
      const descriptor = new ListStateDescriptor<Share>('shares')
      state = list === 'split' ? store.getListState(descriptor) : store.getUnionListState(descriptor)
      flushed.initialize(store.getUnionListState(new ListStateDescriptor<Seen>('flushed')))
      for (const share of state.get()) if (isMine(share)) sum = added(sum, share.sum)
      trouble.tally.add('restored: rows of operator state', sum.n)
    },
    snapshotState() {
      trouble.step('snapshotState')
      state?.update([{ subtask: indexOfThisSubtask, sum }])
      flushed.snapshot()
    },
    processElement(value, _, out) {
      trouble.call('process with operator state')
      if (isFlush(value)) flushed.value = true
      else sum = added(sum, sumOf(value))
      if (!flushed.value || sum.n === 0) return
      out.collect(sum)
      sum = NOTHING
    },
  }
}

/** Some rows go to the side output; the others carry the timestamp that the job knows of them. */
export function split(salt: number, tag: OutputTag<Row>, trouble: Trouble): ProcessFunction<Row, Row> {
  return {
    processElement(row, at, out) {
      trouble.call('process')
      if (aside(salt, row)) at.output(tag, row)
      else out.collect({ ...row, t: at.timestamp() ?? -1 })
    },
  }
}
