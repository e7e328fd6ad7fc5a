/**
 * Which completed checkpoints stay: while the job runs, and at its end. Savepoints are not its business.
 */
import type { Completed, EndStatus } from './checkpoint-coordinator-vocabulary.ts'

export type Retention = 'NO_EXTERNALIZED_CHECKPOINTS' | 'DELETE_ON_CANCELLATION' | 'RETAIN_ON_CANCELLATION'

/** The newest `numRetained` stay; the others are subsumed, oldest first, and deleted where they are ours. */
export function retain(
  completed: readonly Completed[],
  added: Completed,
  numRetained: number,
): { readonly kept: readonly Completed[]; readonly subsumed: readonly Completed[] } {
  const all = [...completed.filter((one) => one.checkpointId !== added.checkpointId), added].sort(
    (one, other) => one.checkpointId - other.checkpointId,
  )
  const surplus = Math.max(0, all.length - numRetained)
  return { kept: all.slice(surplus), subsumed: all.slice(0, surplus) }
}

/**
 * Whether the checkpoints of a job outlive its end. A suspended job is meant to go on: its checkpoints always stay,
 * which is more than Flink's table says.
 */
export function staysAtEnd(retention: Retention, jobStatus: EndStatus): boolean {
  switch (jobStatus) {
    case 'SUSPENDED':
      return true
    case 'FINISHED':
      return false
    case 'CANCELED':
      return retention === 'RETAIN_ON_CANCELLATION'
    case 'FAILED':
      return retention !== 'NO_EXTERNALIZED_CHECKPOINTS'
  }
}
