/**
 * What a plan comes to: each stream as a plain array, computed one row after the other, without a line of the library.
 * The rows of one split stand in order; beyond that the order of an array means nothing.
 */
import { atEnd, chained, keyed, keyedBroadcast, keyedCo, running, type Stamped, windows } from './oracle-of-keys.ts'
import type { Input, NodePlan, Plan, SourcePlan } from './plan.ts'
import { aside, flatMapped, kept, keyNumber, keyOf, mapped, type Row, result } from './records.ts'
import { allRows } from './source-rows.ts'

/** Every stream of the plan, by its number. */
export function evaluate({ sources, nodes }: Pick<Plan, 'sources' | 'nodes'>): readonly (readonly Stamped[])[] {
  const streams: (readonly Stamped[])[] = sources.map(sourceStream)
  for (const node of nodes) streams.push(...nodeStreams(node, streams))
  return streams
}

export function sourceStream(source: SourcePlan): readonly Stamped[] {
  const isStamped = !['data', 'sequence', 'lines', 'followed'].includes(source.kind)
  return allRows(source).map((row) => ({ row, at: isStamped ? row.t : undefined }))
}

export function nodeStreams(node: NodePlan, streams: readonly (readonly Stamped[])[]): readonly (readonly Stamped[])[] {
  const inputs = node.inputs.map((input) => arriving(input, node, streams))
  const [first = [], second = []] = inputs
  const { operation, salt } = node
  switch (operation.type) {
    case 'map':
      return [first.map(({ row, at }) => ({ row: mapped(salt, row), at }))]
    case 'flatMap':
      return [
        first.flatMap(({ row, at }) => [...flatMapped(salt, operation.most, row)].map((each) => ({ row: each, at }))),
      ]
    case 'filter':
      return [first.filter(({ row }) => kept(salt, row))]
    case 'side':
      return [
        first.filter(({ row }) => !aside(salt, row)).map(({ row, at }) => ({ row: { ...row, t: at ?? -1 }, at })),
        first.filter(({ row }) => aside(salt, row)),
      ]
    case 'assign':
      return [first.map(({ row }) => ({ row, at: row.t }))]
    case 'union':
      return [inputs.flat()]
    case 'buffer':
      return [first.map(({ row }) => ({ row, at: undefined }))]
    case 'coMap':
      return [coMapped(first, second, (side, row) => [mapped(salt + side, row)])]
    case 'coFlatMap':
      return [coMapped(first, second, (side, row) => flatMapped(salt + side, operation.most, row))]
    case 'coProcess':
      return [coMapped(first, second, (side, row) => (side === 0 ? [row] : [mapped(salt, row)]))]
    case 'reduce':
      return [running(first, ({ row }) => keyNumber(keyOf(operation.key, row)), salt)]
    case 'keyed':
      return [keyed(node, first)]
    case 'window':
      return [windows(salt, operation.sizeMs, first, ({ row }) => keyNumber(keyOf(operation.key, row)))]
    case 'clockTimers':
      return [
        atEnd(
          first,
          ({ row }) => keyNumber(keyOf(operation.key, row)),
          (key, { n, x }) => result(salt, key, n, x),
        ),
      ]
    case 'chain':
      return [chained(salt, first)]
    case 'counted':
      return [
        atEnd(
          first,
          () => 0,
          (_, { n, x }) => result(salt, n, x),
        ),
      ]
    case 'keyedCo':
      return [keyedCo(node, first, second)]
    case 'broadcastState':
      return [[...first.map(({ row }) => ({ row, at: undefined })), ...running(second, ({ row }) => row.k, salt)]]
    case 'keyedBroadcast':
      return [keyedBroadcast(node, first, second)]
  }
}

/** A broadcast edge brings every row to every subtask. */
export function arriving(
  { stream, partitioner }: Input,
  { parallelism, operation }: Pick<NodePlan, 'parallelism' | 'operation'>,
  streams: readonly (readonly Stamped[])[],
): readonly Stamped[] {
  const rows = streams[stream] ?? []
  if (partitioner !== 'broadcast' || operation.type === 'broadcastState' || operation.type === 'keyedBroadcast')
    return rows
  const copies = parallelism === 'as input' ? 1 : (parallelism[0] ?? 1)
  return rows.flatMap((row) => Array.from({ length: copies }, () => row))
}

function coMapped(
  first: readonly Stamped[],
  second: readonly Stamped[],
  map: (side: 0 | 1, row: Row) => Iterable<Row>,
): readonly Stamped[] {
  const of = (side: 0 | 1, rows: readonly Stamped[]) =>
    rows.flatMap(({ row, at }) => [...map(side, row)].map((each) => ({ row: each, at })))
  return [...of(0, first), ...of(1, second)]
}
