/** What operations on keyed streams come to: groups of rows by key, over plain arrays. */
import type { NodePlan } from './plan.ts'
import {
  added,
  broadcastNumber,
  END,
  follows,
  keyNumber,
  keyOf,
  NOTHING,
  type Row,
  result,
  type Sum,
  sumOf,
} from './records.ts'

export interface Stamped {
  readonly row: Row
  /** The timestamp that the job knows of it; undefined: none, or one that nobody may rely on. */
  readonly at: number | undefined
}

/** Per key: the first, the second, ... whichever they were. */
export function running(
  rows: readonly Stamped[],
  keyOfRow: (row: Stamped) => number,
  ...salts: number[]
): readonly Stamped[] {
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

export function atEnd(
  rows: readonly Stamped[],
  keyOfRow: (row: Stamped) => number,
  tell: (key: number, sum: Sum) => Row,
): readonly Stamped[] {
  return [...sums(rows, keyOfRow)].map(([key, sum]) => ({ row: tell(key, sum), at: END }))
}

export function keyed({ operation, salt }: NodePlan, rows: readonly Stamped[]): readonly Stamped[] {
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

export function windows(
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

export function chained(salt: number, rows: readonly Stamped[]): readonly Stamped[] {
  const hashes = new Map<number, number>()
  return rows.map(({ row, at }) => {
    const id = follows(hashes.get(row.s) ?? salt, row)
    hashes.set(row.s, id)
    return { row: { ...row, id }, at }
  })
}

export function keyedCo(
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

export function keyedBroadcast(
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
