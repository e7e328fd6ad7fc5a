/** Makes the nodes of a plan through the public door: each operation as a program would write it. */
import { type DataStream, OutputTag, type SingleOutputStreamOperator, WatermarkStrategy } from '../../../src/index.ts'
import { chain, clockTimers, keyedState, total, Windows } from './keyed-functions.ts'
import { partitioned } from './partitioned.ts'
import type { NodePlan, Operation } from './plan.ts'
import { flatMapped, type Key, type KeyKind, kept, keyNumber, keyOf, mapped, type Row, result } from './records.ts'
import type { Trouble } from './trouble.ts'
import { broadcastState, coProcess, keyedBroadcast, keyedCo, SEEN } from './two-input-functions.ts'
import { buffer, counted, flushAtEnd, split } from './unkeyed-functions.ts'

type Stream = DataStream<Row>

export interface NodeSurroundings {
  readonly trouble: Trouble
  settle<T>(operator: SingleOutputStreamOperator<T>, name: string): SingleOutputStreamOperator<T>
}

const FAR_BEHIND_MS = 10 ** 13
/** More than any source lets its rows be behind. */
const BOUND_MS = 100

/** The streams that the node brings. */
export function buildNode(node: NodePlan, streams: readonly Stream[], around: NodeSurroundings): readonly Stream[] {
  const { trouble, settle } = around
  const { operation, salt } = node
  const inputs = node.inputs.map(({ stream, partitioner }) =>
    partitioned(streams[stream] as Stream, partitioner, trouble),
  )
  const [first, second] = inputs as [Stream, Stream]
  /** As it is, where the operator partitions it itself. */
  const [plain, plainSecond] = node.inputs.map(({ stream }) => streams[stream]) as [Stream, Stream]
  const byKey = (kind: KeyKind) => (row: Row) => {
    trouble.call('key selector')
    return keyOf(kind, row)
  }
  const one = (operator: SingleOutputStreamOperator<Row>) => [settle(operator, operation.type)]
  switch (operation.type) {
    case 'map':
      return one(
        first.map((row) => {
          trouble.call('map')
          return mapped(salt, row)
        }),
      )
    case 'flatMap':
      return one(
        first.flatMap(function* (row) {
          trouble.call('flatMap')
          yield* flatMapped(salt, operation.most, row)
        }),
      )
    case 'filter':
      return one(
        first.filter((row) => {
          trouble.call('filter')
          return kept(salt, row)
        }),
      )
    case 'union':
      return [first.union(...inputs.slice(1))]
    case 'side': {
      const tag = new OutputTag<Row>('aside')
      const main = settle(
        first.process<Row>(() => split(salt, tag, trouble)),
        'side',
      )
      return [main, main.getSideOutput(tag)]
    }
    case 'assign':
      return one(first.assignTimestampsAndWatermarks(strategyOf(operation.strategy)))
    case 'reduce':
      return [reduced(first, byKey(operation.key), salt, around)]
    case 'keyed':
      return one(
        plain
          .keyBy(byKey(operation.key))
          .process<Row>((context) => keyedState(context, { ...operation, salt }, trouble)),
      )
    case 'window':
      return one(
        plain
          .keyBy(byKey(operation.key))
          .process<Row>((context) => new Windows(context, salt, operation.sizeMs, trouble)),
      )
    case 'clockTimers':
      return one(
        plain
          .keyBy(byKey(operation.key))
          .process<Row>((context) => clockTimers(context, salt, operation.delayMs, trouble)),
      )
    case 'chain':
      return one(plain.keyBy((row) => row.s).process<Row>((context) => chain(context, salt, trouble)))
    case 'buffer':
      return one(
        first
          .union(flushes(plain, around).broadcast())
          .process<Row>((context) => buffer(context, operation.most, trouble)),
      )
    case 'counted': {
      const shares = first
        .union(flushes(plain, around).broadcast())
        .process((context) => counted(context, operation.list, trouble))
      return one(
        settle(shares, 'shares')
          .keyBy(() => 0)
          .process<Row>((context) => total(context, salt, trouble)),
      )
    }
    case 'coMap': {
      const map = (side: number) => (row: Row) => {
        trouble.call('co-map')
        return mapped(salt + side, row)
      }
      return one(first.connect(second).map(map(0), map(1)))
    }
    case 'coFlatMap': {
      const flatMap = (side: number) => (row: Row) => {
        trouble.call('co-flatMap')
        return [...flatMapped(salt + side, operation.most, row)]
      }
      return one(first.connect(second).flatMap(flatMap(0), flatMap(1)))
    }
    case 'coProcess':
      return one(first.connect(second).process<Row>(() => coProcess(salt, trouble)))
    case 'keyedCo': {
      const connected = plain.keyBy(byKey(operation.key)).connect(plainSecond.keyBy(byKey(operation.key)))
      return one(connected.process<Row>((context) => keyedCo(context, salt, operation.emit, trouble)))
    }
    case 'broadcastState':
      return one(
        first.connect(plainSecond.broadcast(SEEN)).process<Row>((context) => broadcastState(context, salt, trouble)),
      )
    case 'keyedBroadcast':
      return one(
        plain
          .keyBy(byKey(operation.key))
          .connect(plainSecond.broadcast(SEEN))
          .process<Row>((context) => keyedBroadcast(context, salt, trouble)),
      )
  }
}

function flushes(stream: Stream, { trouble, settle }: NodeSurroundings) {
  return settle(
    stream.keyBy(() => 0).process(() => flushAtEnd(trouble)),
    'flush',
  )
}

interface Numbered {
  readonly key: Key
  readonly n: number
}

/** What a key has come to so far, as numbers that count up whichever rows come first. */
function reduced(
  stream: Stream,
  keyOfRow: (row: Row) => Key,
  salt: number,
  { trouble, settle }: NodeSurroundings,
): Stream {
  const ones = settle(
    stream.map((row): Numbered => ({ key: keyOfRow(row), n: 1 })),
    'ones',
  )
  const counts = ones
    .keyBy(({ key }) => key)
    .reduce((one, other) => {
      trouble.call('reduce')
      return { key: one.key, n: one.n + other.n }
    })
  return settle(
    settle(counts, 'reduce').map(({ key, n }) => result(salt, keyNumber(key), n)),
    'counts',
  )
}

function strategyOf(strategy: Extract<Operation, { type: 'assign' }>['strategy']): WatermarkStrategy<Row> {
  const timestampAssigner = ({ t }: Row) => t
  if (strategy === 'none') return WatermarkStrategy.noWatermarks({ timestampAssigner })
  return WatermarkStrategy.forBoundedOutOfOrderness(strategy === 'bounded' ? BOUND_MS : FAR_BEHIND_MS, {
    timestampAssigner,
  })
}
