/**
 * The mean size of a few records. Records in a thread are objects and have no size; what they would take where they are
 * stored is an estimate of it.
 */
import type { Serializer } from '../../elements/serializer.ts'

/** Records that are looked at, and when there are enough bytes of them. */
export const MOST_SAMPLES = 8
const ENOUGH_BYTES = 64 * 1024

/**
 * `samples`: by channel. Goes round them, so that each has its share. Undefined where none of the records has a size. Calls
 * the serializer of an edge, which may be the user's; never throws.
 */
export function meanRecordSize(
  samples: readonly (readonly unknown[])[],
  serializerOf: (channel: number) => Serializer<unknown>,
): number | undefined {
  let taken = 0
  let bytes = 0
  for (let round = 0; round < MOST_SAMPLES; round++)
    for (const [channel, values] of samples.entries()) {
      if (round >= values.length) continue
      if (taken === MOST_SAMPLES || bytes >= ENOUGH_BYTES) return bytes / taken
      try {
        bytes += serializerOf(channel).serialize(values[round]).length
        taken++
      } catch {
        // The serializer refuses the value: that matters only where it has to be stored.
      }
    }
  return taken === 0 ? undefined : bytes / taken
}
