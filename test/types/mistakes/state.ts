/** State of another type or kind. Each sentence says what is wrong; the line below it must not compile. */
import {
  AggregatingStateDescriptor,
  type FunctionInitializationContext,
  ListStateDescriptor,
  MapStateDescriptor,
  ReducingStateDescriptor,
  type RuntimeContext,
  type Serializer,
  ValueStateDescriptor,
} from '../../../src/index.ts'

declare const numbers: Serializer<number>

export function values(context: RuntimeContext): void {
  const count = context.getState(new ValueStateDescriptor<number>('count'))
  // @ts-expect-error value(): there may be none yet
  count.value().toFixed()
  // @ts-expect-error update: a value of another type
  count.update('1')
  // @ts-expect-error update: a promise is no value
  count.update(Promise.resolve(1))
  // @ts-expect-error default: a function, so that no two keys share an object
  context.getState(new ValueStateDescriptor('sum', { default: 0 }))
  // @ts-expect-error serializer: for values of another type
  context.getState(new ValueStateDescriptor<string>('name', { serializer: numbers }))
  // @ts-expect-error getState: a list is no value
  context.getState(new ListStateDescriptor<number>('list'))
  // @ts-expect-error getListState: a value is no list
  context.getListState(new ValueStateDescriptor<number>('count'))
}

export function listsAndMaps(context: RuntimeContext): void {
  const list = context.getListState(new ListStateDescriptor<number>('list'))
  // @ts-expect-error add: an element of another type
  list.add('1')
  // @ts-expect-error addAll: a single element is no list
  list.addAll(1)
  const map = context.getMapState(new MapStateDescriptor<string, number>('map'))
  // @ts-expect-error get: there may be nothing under a key
  map.get('a').toFixed()
  // @ts-expect-error set: a key of another type
  map.set(1, 1)
  // @ts-expect-error put: a value of another type
  map.put('a', '1')
}

export function folded(context: RuntimeContext): void {
  // @ts-expect-error reduce: gives a value of the same type
  new ReducingStateDescriptor<number>('sum', (a, b) => `${a}${b}`)
  const sum = context.getReducingState(new ReducingStateDescriptor<number>('sum', (a, b) => a + b))
  // @ts-expect-error get: nothing was added yet
  sum.get().toFixed()
  new AggregatingStateDescriptor<number, number[], number>('median', {
    createAccumulator: () => [],
    add: (value, all) => [...all, value],
    // @ts-expect-error getResult: gives the result, not the accumulator
    getResult: (all) => all,
    merge: (a, b) => [...a, ...b],
  })
}

export function timeToLive(): void {
  // @ts-expect-error ttl: a misspelt unit
  new ValueStateDescriptor<number>('count', { ttl: { ttl: '7 dais' } })
  // @ts-expect-error ttl: options, not a duration
  new ValueStateDescriptor<number>('count', { ttl: '7 d' })
  // @ts-expect-error updateType: there is no such type of update
  new ValueStateDescriptor<number>('count', { ttl: { ttl: '7 d', updateType: 'OnRead' } })
}

export function operatorState(context: FunctionInitializationContext): void {
  const store = context.getOperatorStateStore()
  // @ts-expect-error getListState: operator state has lists, not values
  store.getListState(new ValueStateDescriptor<number>('count'))
  // @ts-expect-error getBroadcastState: broadcast state is a map
  store.getBroadcastState(new ListStateDescriptor<number>('rules'))
}
