/** A part of a range of whole numbers: every `step`-th number from `next` on. Plain data and arithmetic. */
import type { SourceSplit } from '../../operators/source.ts'

export interface StridedSplit extends SourceSplit {
  /** The next number to emit. */
  readonly next: number
  readonly step: number
  /** Not included. */
  readonly end: number
}

/** Contiguous parts of nearly equal size, in order; at most `parts`. Numbers from `from` to `to`, both included. */
export function contiguousSplits(from: number, to: number, parts: number): readonly StridedSplit[] {
  const size = to - from + 1
  const count = Math.min(parts, size)
  const border = (part: number) => from + Math.floor(size / count) * part + Math.min(part, size % count)
  return Array.from({ length: Math.max(0, count) }, (_, part) => ({
    id: String(part),
    next: border(part),
    step: 1,
    end: border(part + 1),
  }))
}

/** Every part gets every `parts`-th number, so that all of them advance alike. Numbers from 0 to `count` - 1. */
export function interleavedSplits(count: number, parts: number): readonly StridedSplit[] {
  return Array.from({ length: Math.min(parts, count) }, (_, part) => ({
    id: String(part),
    next: part,
    step: parts,
    end: count,
  }))
}
