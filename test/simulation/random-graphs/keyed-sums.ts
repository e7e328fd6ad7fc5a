/** Each kind of keyed state, used as a sum: what it is read and written by differs, what it comes to does not. */
import {
  type AggregateFunction,
  AggregatingStateDescriptor,
  ListStateDescriptor,
  MapStateDescriptor,
  ReducingStateDescriptor,
  type RuntimeContext,
  type StateTtlConfig,
  ValueStateDescriptor,
} from '../../../src/index.ts'
import type { StateKind } from './plan.ts'
import { added, NOTHING, type Row, type Sum, sumOf } from './records.ts'

/** One of the states, as a sum: of the key, or of each entry of a map. */
export interface Sums {
  add(row: Row): { readonly salts: readonly number[]; readonly n: number }
  all(): Iterable<{ readonly salts: readonly number[]; readonly sum: Sum }>
}

const SUM: AggregateFunction<Row, Sum, Sum> = {
  createAccumulator: () => NOTHING,
  add: (row, sum) => added(sum, sumOf(row)),
  getResult: (sum) => sum,
  merge: added,
}

export function sums(context: RuntimeContext, kind: StateKind, ttl: StateTtlConfig | undefined): Sums {
  const whole = (sum: Sum | undefined) => (sum === undefined ? [] : [{ salts: [], sum }])
  switch (kind) {
    case 'value': {
      const state = context.getState(new ValueStateDescriptor<Sum>('sum', { ttl }))
      const add = (row: Row) => {
        const sum = added(state.value() ?? NOTHING, sumOf(row))
        state.update(sum)
        return { salts: [], n: sum.n }
      }
      return { add, all: () => whole(state.value()) }
    }
    case 'list': {
      const state = context.getListState(new ListStateDescriptor<Sum>('sums', { ttl }))
      const add = (row: Row) => {
        state.add(sumOf(row))
        return { salts: [], n: [...state.get()].length }
      }
      const all = () => {
        const list = [...state.get()]
        return whole(list.length === 0 ? undefined : list.reduce(added))
      }
      return { add, all }
    }
    case 'map': {
      const state = context.getMapState(new MapStateDescriptor<number, Sum>('sum by entry', { ttl }))
      const add = (row: Row) => {
        const entry = row.v % 5
        const sum = added(state.get(entry) ?? NOTHING, sumOf(row))
        state.set(entry, sum)
        return { salts: [entry], n: sum.n }
      }
      return { add, all: () => [...state].map(([entry, sum]) => ({ salts: [entry], sum })) }
    }
    case 'reducing': {
      const state = context.getReducingState(new ReducingStateDescriptor<Sum>('reduced', added, { ttl }))
      const add = (row: Row) => {
        state.add(sumOf(row))
        return { salts: [], n: state.get()?.n ?? 0 }
      }
      return { add, all: () => whole(state.get()) }
    }
    case 'aggregating': {
      const state = context.getAggregatingState(new AggregatingStateDescriptor('aggregated', SUM, { ttl }))
      const add = (row: Row) => {
        state.add(row)
        return { salts: [], n: state.get()?.n ?? 0 }
      }
      return { add, all: () => whole(state.get()) }
    }
  }
}
