/**
 * Which receiving subtasks one sending subtask of an edge has channels to, and whether a barrier may overtake there. Pure;
 * Flink's distribution patterns.
 */
import type { Partitioner } from '../../graph/job-graph.ts'

/** Subtask numbers of the receiver, ascending. Pointwise edges connect few, all others connect everybody. */
export function partitionTargets(
  partitioner: Partitioner,
  sender: number,
  senders: number,
  receivers: number,
): readonly number[] {
  if (partitioner.type === 'forward') return [sender]
  if (partitioner.type === 'rescale') return pointwise(sender, senders, receivers)
  return range(0, receivers)
}

/** Whether this receiver is one of them: every receiver asks for every sender, and mostly the answer is known without a list. */
export function isTarget(
  receiver: number,
  partitioner: Partitioner,
  sender: number,
  senders: number,
  receivers: number,
): boolean {
  const connectsAll = partitioner.type !== 'forward' && partitioner.type !== 'rescale'
  return connectsAll || partitionTargets(partitioner, sender, senders, receivers).includes(receiver)
}

/** Pointwise and broadcast channels are not: what was in flight on them could not be dealt out anew after a rescale. */
export function overtakes({ type }: Partitioner): boolean {
  return type !== 'forward' && type !== 'rescale' && type !== 'broadcast'
}

/** Flink's pointwise pattern: each side's subtasks are dealt evenly over the other's. */
function pointwise(sender: number, senders: number, receivers: number): readonly number[] {
  if (senders <= receivers) {
    return range(
      Math.floor((sender * receivers + senders - 1) / senders),
      Math.floor(((sender + 1) * receivers + senders - 1) / senders),
    )
  }
  for (let receiver = 0; receiver < receivers; receiver++) {
    const first = Math.floor((receiver * senders) / receivers)
    const end = Math.floor(((receiver + 1) * senders) / receivers)
    if (sender >= first && sender < end) return [receiver]
  }
  return []
}

function range(first: number, end: number): readonly number[] {
  return Array.from({ length: end - first }, (_, index) => first + index)
}
