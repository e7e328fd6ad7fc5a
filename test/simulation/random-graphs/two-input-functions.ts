/** Functions of two streams for random graphs: unkeyed, keyed on both sides, and both kinds of broadcast state. */
import {
  type BroadcastProcessFunction,
  type CoProcessFunction,
  type KeyedBroadcastProcessFunction,
  type KeyedCoProcessFunction,
  MapStateDescriptor,
  type RuntimeContext,
  ValueStateDescriptor,
} from '../../../src/index.ts'
import {
  added,
  broadcastNumber,
  END,
  type Key,
  keyNumber,
  mapped,
  NOTHING,
  pick,
  type Row,
  result,
  type Sum,
  sumOf,
} from './records.ts'
import type { Trouble } from './trouble.ts'

export function coProcess(salt: number, trouble: Trouble): CoProcessFunction<Row, Row, Row> {
  return {
    processElement1(row, _, out) {
      trouble.call('co-process')
      out.collect(row)
    },
    processElement2(row, _, out) {
      trouble.call('co-process')
      out.collect(mapped(salt, row))
    },
  }
}

export function keyedCo(
  context: RuntimeContext,
  salt: number,
  emit: 'running' | 'end',
  trouble: Trouble,
): KeyedCoProcessFunction<Key, Row, Row, Row> {
  const sides = [0, 1].map((side) =>
    context.getState(new ValueStateDescriptor(`side ${side}`, { default: () => NOTHING })),
  ) as [ReturnType<typeof context.getState<Sum, Sum>>, ReturnType<typeof context.getState<Sum, Sum>>]
  type At = Parameters<KeyedCoProcessFunction<Key, Row, Row, Row>['processElement1']>[1]
  const add = (side: 0 | 1, row: Row, at: At, out: { collect(row: Row): void }): undefined => {
    trouble.call('keyed co-process')
    const state = sides[side]
    const sum = added(state.value(), sumOf(row))
    state.update(sum)
    if (emit === 'running') out.collect(result(salt, side, keyNumber(at.getCurrentKey()), sum.n))
    else at.timerService().registerEventTimeTimer(END)
  }
  return {
    processElement1: (row, at, out) => add(0, row, at, out),
    processElement2: (row, at, out) => add(1, row, at, out),
    onTimer(_, at, out) {
      trouble.call('event timer')
      const [one, other] = [sides[0].value(), sides[1].value()]
      out.collect(result(salt, keyNumber(at.getCurrentKey()), one.n, one.x, other.n, other.x))
    },
  }
}

/** Of each `k` of the broadcast rows. */
export const SEEN = new MapStateDescriptor<number, Sum>('seen')

/**
 * Of each `k` one subtask counts aloud what is broadcast. After a change of the parallelism it is another one, which must
 * have seen the same.
 */
export function broadcastState(
  { indexOfThisSubtask, numberOfParallelSubtasks }: RuntimeContext,
  salt: number,
  trouble: Trouble,
): BroadcastProcessFunction<Row, Row, Row> {
  return {
    initializeState(context) {
      if (!context.isRestored()) return
      const seen = context.getOperatorStateStore().getBroadcastState(SEEN)
      trouble.tally.add('restored: entries of broadcast state', [...seen].length)
      if (trouble.sabotage !== 'broadcast state twice') return
      for (const [k, sum] of [...seen]) seen.put(k, added(sum, sum))
    },
    processElement(row, at, out) {
      trouble.call('broadcast process')
      at.getBroadcastState(SEEN).get(row.k)
      out.collect(row)
    },
    processBroadcastElement(row, at, out) {
      trouble.call('broadcast process, broadcast side')
      const seen = at.getBroadcastState(SEEN)
      const sum = added(seen.get(row.k) ?? NOTHING, sumOf(row))
      seen.put(row.k, sum)
      if (pick(numberOfParallelSubtasks, row.k) === indexOfThisSubtask) out.collect(result(salt, row.k, sum.n))
    },
  }
}

/** Each key tells at the end of time what came for it, and what was broadcast. */
export function keyedBroadcast(
  context: RuntimeContext,
  salt: number,
  trouble: Trouble,
): KeyedBroadcastProcessFunction<Key, Row, Row, Row> {
  const descriptor = new ValueStateDescriptor('sum', { default: () => NOTHING })
  const state = context.getState(descriptor)
  return {
    processElement(row, at) {
      trouble.call('keyed broadcast process')
      state.update(added(state.value(), sumOf(row)))
      at.timerService().registerEventTimeTimer(END)
    },
    processBroadcastElement(row, at) {
      trouble.call('keyed broadcast process, broadcast side')
      const seen = at.getBroadcastState(SEEN)
      seen.put(row.k, added(seen.get(row.k) ?? NOTHING, sumOf(row)))
      // Written back as it is: every key is visited, and none may be changed by that.
      if (row.v % 3 === 0)
        at.applyToKeyedState(descriptor, (key, each) => {
          if (each.value().n === 0) trouble.complain(`a key is visited that has nothing: ${JSON.stringify(key)}`)
          each.update({ ...each.value() })
        })
    },
    onTimer(_, at, out) {
      trouble.call('event timer')
      const { n, x } = state.value()
      const all = broadcastNumber(salt, at.getBroadcastState(SEEN))
      out.collect(result(salt, keyNumber(at.getCurrentKey()), n, x, all))
    },
  }
}
