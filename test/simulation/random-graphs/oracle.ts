/**
 * What a plan comes to: each stream as a plain array, computed one row after the other, without a line of the library.
 * The rows of one split stand in order; beyond that the order of an array means nothing.
 */
import type { Input, NodePlan, Plan, SourcePlan } from './plan.ts'
import {
  added,
  aside,
  broadcastNumber,
  END,
  flatMapped,
  follows,
  kept,
  keyNumber,
  keyOf,
  mapped,
  NOTHING,
  type Row,
  result,
  type Sum,
  sumOf,
} from './records.ts'
import { allRows } from './source-rows.ts'

export interface Stamped {
  readonly row: Row
  /** The timestamp that the job knows of it; undefined: none, or one that nobody may rely on. */
  readonly at: number | undefined
}

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

/** Per key: the first, the second, ... whichever they were. */
function running(rows: readonly Stamped[], keyOfRow: (row: Stamped) => number, ...salts: number[]): readonly Stamped[] {
  const counts = new Map<number, number>()
  return rows.map((row) => {
    const key = keyOfRow(row)
    const n = (counts.get(key) ?? 0) + 1
    counts.set(key, n)
    return { row: result(salts[0] ?? 0, ...salts.slice(1), key, n), at: undefined }
  })
}

function sums<K>(rows: readonly Stamped[], keyOfRow: (row: Stamped) => K): ReadonlyMap<K, Sum> {
  const sums = new Map<K, Sum>()
  for (const row of rows) {
    const key = keyOfRow(row)
    sums.set(key, added(sums.get(key) ?? NOTHING, sumOf(row.row)))
  }
  return sums
}

function atEnd(
  rows: readonly Stamped[],
  keyOfRow: (row: Stamped) => number,
  tell: (key: number, sum: Sum) => Row,
): readonly Stamped[] {
  return [...sums(rows, keyOfRow)].map(([key, sum]) => ({ row: tell(key, sum), at: END }))
}

function keyed({ operation, salt }: NodePlan, rows: readonly Stamped[]): readonly Stamped[] {
  if (operation.type !== 'keyed') return []
  const { key, state, emit } = operation
  const of = ({ row }: Stamped) => keyNumber(keyOf(key, row))
  if (state !== 'map') {
    if (emit === 'running') return running(rows, of, salt)
    return atEnd(rows, of, (each, { n, x }) => result(salt, each, n, x))
  }
  // A map has an entry for each remainder of `v`.
  const entries = ({ row }: Stamped) => row.v % 5
  const byEntry = Array.from({ length: 5 }, (_, entry) => rows.filter((row) => entries(row) === entry))
  return byEntry.flatMap((some, entry) =>
    emit === 'running'
      ? running(some, of, salt, entry)
      : atEnd(some, of, (each, { n, x }) => result(salt, entry, each, n, x)),
  )
}

function windows(
  salt: number,
  sizeMs: number,
  rows: readonly Stamped[],
  keyOfRow: (row: Stamped) => number,
): readonly Stamped[] {
  const startOf = ({ at = 0 }: Stamped) => Math.floor(at / sizeMs) * sizeMs
  const starts = [...new Set(rows.map(startOf))]
  return starts.flatMap((start) =>
    [
      ...sums(
        rows.filter((row) => startOf(row) === start),
        keyOfRow,
      ),
    ].map(([key, { n, x }]) => ({
      row: result(salt, key, start, n, x),
      at: start + sizeMs - 1,
    })),
  )
}

function chained(salt: number, rows: readonly Stamped[]): readonly Stamped[] {
  const hashes = new Map<number, number>()
  return rows.map(({ row, at }) => {
    const id = follows(hashes.get(row.s) ?? salt, row)
    hashes.set(row.s, id)
    return { row: { ...row, id }, at }
  })
}

function keyedCo(
  { operation, salt }: NodePlan,
  first: readonly Stamped[],
  second: readonly Stamped[],
): readonly Stamped[] {
  if (operation.type !== 'keyedCo') return []
  const of = ({ row }: Stamped) => keyNumber(keyOf(operation.key, row))
  if (operation.emit === 'running') return [...running(first, of, salt, 0), ...running(second, of, salt, 1)]
  const firsts = sums(first, of)
  const seconds = sums(second, of)
  return [...new Set([...firsts.keys(), ...seconds.keys()])].map((key) => {
    const one = firsts.get(key) ?? NOTHING
    const other = seconds.get(key) ?? NOTHING
    return { row: result(salt, key, one.n, one.x, other.n, other.x), at: END }
  })
}

function keyedBroadcast(
  { operation, salt }: NodePlan,
  first: readonly Stamped[],
  second: readonly Stamped[],
): readonly Stamped[] {
  if (operation.type !== 'keyedBroadcast') return []
  const all = broadcastNumber(
    salt,
    sums(second, ({ row }) => row.k),
  )
  return atEnd(
    first,
    ({ row }) => keyNumber(keyOf(operation.key, row)),
    (key, { n, x }) => result(salt, key, n, x, all),
  )
}
