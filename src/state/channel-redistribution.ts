/** How records that were in flight come to the subtasks at a restore: which old subtasks a new one reads. Pure. */
import { keyGroupRangeOf } from './key-groups.ts'

export const PARTITIONER_TYPES = [
  'forward',
  'rebalance',
  'rescale',
  'shuffle',
  'broadcast',
  'global',
  'hash',
  'custom',
] as const

/** How the records of an edge are dealt out. */
export type PartitionerType = (typeof PARTITIONER_TYPES)[number]

/** The receiving vertex, as it was and as it is. */
export interface ChannelScale {
  readonly old: {
    readonly parallelism: number
    readonly maxParallelism: number
  }
  readonly parallelism: number
  readonly maxParallelism: number
}

/**
 * The old subtasks whose records of one edge new subtask `subtask` reads, ascending: of a `hash` edge those among them that
 * are of its key groups, of all others every one. `stored`: how the edge was dealt out, `now`: how it is.
 */
export function oldSubtasksOf(
  stored: PartitionerType,
  now: PartitionerType,
  scale: ChannelScale,
  subtask: number,
): readonly number[] {
  const { old, parallelism, maxParallelism } = scale
  switch (now) {
    case 'hash':
      // Else a key may have been anywhere.
      return stored === 'hash' && old.maxParallelism === maxParallelism
        ? oldSubtasksByRange(subtask, old.parallelism, parallelism, maxParallelism)
        : subtasks(old.parallelism)
    case 'global':
      return subtask === 0 ? subtasks(old.parallelism) : []
    case 'broadcast':
    case 'custom':
    case 'forward':
    case 'rebalance':
    case 'rescale':
    case 'shuffle':
      return oldSubtasksInTurn(subtask, old.parallelism, parallelism)
    default:
      return now satisfies never
  }
}

/** Why the records of an edge cannot be dealt out again; undefined when they can. */
export function notDealtOut(stored: PartitionerType, now: PartitionerType, scale: ChannelScale): string | undefined {
  const { old, parallelism } = scale
  if (now === 'custom' && stored !== 'custom')
    return `they were dealt out by ${stored}, and a custom partitioner is not asked for records that it has not dealt out`
  if (now === 'custom' && old.parallelism !== parallelism)
    return `a custom partitioner dealt them out to ${old.parallelism} subtasks, and only it knows what it would choose among ${parallelism}`
  if (now === 'broadcast' && stored === now && old.parallelism !== parallelism)
    return `they were copied to ${old.parallelism} subtasks, each of which had come to another place, and the keys of those are dealt out to ${parallelism}`
  if ((stored === 'broadcast') !== (now === 'broadcast'))
    return `they were dealt out by ${stored}, and the program has ${now}: copies for everybody and records for one subtask do not become each other`
  return undefined
}

/** Flink's RANGE: those whose key groups meet the new subtask's. */
export function oldSubtasksByRange(
  subtask: number,
  oldParallelism: number,
  parallelism: number,
  maxParallelism: number,
): readonly number[] {
  const own = keyGroupRangeOf(maxParallelism, parallelism, subtask)
  return subtasks(oldParallelism).filter((old) => {
    const { first, last } = keyGroupRangeOf(maxParallelism, oldParallelism, old)
    return first <= own.last && own.first <= last
  })
}

/** Flink's ROUND_ROBIN. */
export function oldSubtasksInTurn(subtask: number, oldParallelism: number, parallelism: number): readonly number[] {
  return subtasks(oldParallelism).filter((old) => old % parallelism === subtask)
}

/** The old subtasks that several new ones read, ascending: their records must be told apart by key group. */
export function ambiguousIn(oldSubtasks: readonly (readonly number[])[]): readonly number[] {
  const seen = new Set<number>()
  const twice = new Set<number>()
  for (const old of oldSubtasks.flat()) (seen.has(old) ? twice : seen).add(old)
  return [...twice].sort((one, other) => one - other)
}

function subtasks(parallelism: number): readonly number[] {
  return Array.from({ length: parallelism }, (_, subtask) => subtask)
}
