/**
 * How many records went through the channels of a subtask, read from where their heads and tails stand: exact, and nothing
 * is counted on a record's way.
 */
import { type Channel, NO_CONTROL } from './channel.ts'
import type { RecordWriter } from './record-writer.ts'

/** Taken out of the queue so far. */
export function recordsRead({ head, controlsRead }: Channel): number {
  return head - controlsRead
}

/** In the queue now. */
export function recordsQueued({ head, tail, nextControl, laterControls }: Channel): number {
  return tail - head - (nextControl === NO_CONTROL ? 0 : 1 + laterControls.length)
}

/** Put in so far. */
export function recordsPut(channel: Channel): number {
  return recordsRead(channel) + recordsQueued(channel)
}

/** By one edge; a record that goes to all of its channels is one record. */
export function recordsWritten({ channels, broadcast }: RecordWriter): number {
  if (broadcast) return channels[0] === undefined ? 0 : recordsPut(channels[0])
  return sumOver(channels, recordsPut)
}

export function sumOver<T>(all: readonly T[], of: (one: T) => number): number {
  return all.reduce((sum, one) => sum + of(one), 0)
}
