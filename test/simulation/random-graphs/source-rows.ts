/** The rows that the sources of a plan bring, split by split: what stands in files and collections, and what the oracle begins with. */
import type { SourcePlan } from './plan.ts'
import { mix, pick, type Row } from './records.ts'

const FIRST_MS = 10_000
const STEP_MS = 10
/** Between the first rows of two splits. */
const SPLIT_MS = 200

export const splitNumber = (source: SourcePlan, split: number): number => source.index * 100 + split + 1

export function rowsOf(source: SourcePlan, split: number): readonly Row[] {
  const s = splitNumber(source, split)
  return Array.from({ length: source.splits[split] ?? 0 }, (_, q): Row => {
    const id = mix(s, q)
    const late = source.disorderMs === 0 ? 0 : pick(source.disorderMs + 1, id, 7)
    const t = FIRST_MS + split * SPLIT_MS + q * STEP_MS - late
    return { id, s, q, k: pick(source.keys, id, 3), v: pick(1000, id), t }
  })
}

export const allRows = (source: SourcePlan): readonly Row[] =>
  source.splits.flatMap((_, split) => [...rowsOf(source, split)])

/**
 * By how much a row may be behind in what one subtask reads. Several splits may come one after the other, in any order:
 * then the bound covers everything, and the watermark tells only of the end.
 */
export function boundMs(source: SourcePlan): number {
  if (source.splits.length === 1 && source.kind !== 'generator') return source.disorderMs
  const longest = Math.max(0, ...source.splits)
  return source.splits.length * SPLIT_MS + longest * STEP_MS + source.disorderMs
}
