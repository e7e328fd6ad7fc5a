/** Feeds records of one channel to the chain. It obeys the gate and steps over no control element; it decides nothing. */
import type { Gate, Input } from '../../operators/operator.ts'
import type { Channel } from './channel.ts'

/**
 * Reads until a control element stands first, the queue is empty, the gate closes or `budget` records are read.
 * Returns how many were read.
 */
export function drain(channel: Channel, input: Input<unknown>, budget: number, gate: Gate): number {
  const start = channel.head
  const stop = Math.min(channel.tail, channel.nextControl, start + budget)
  const { values, timestamps, mask } = channel
  let head = start
  try {
    while (head < stop && gate.closed === 0) {
      const slot = head & mask
      head++
      input.processElement(values[slot], timestamps[slot] as number)
    }
  } finally {
    // Also where the chain throws: how many it took is told of the attempt that failed.
    channel.head = head
  }
  if (head !== start) channel.released()
  return head - start
}
