/** Reads captured records back, in the order in which they were captured. */
import { ByteReader } from '../elements/byte-reader.ts'
import { type Serializer, valueCodec } from '../elements/serializer.ts'
import { corruptChannels, type StoredSection } from './channel-state-format.ts'
import type { StoredSerializer } from './keyed-table.ts'

/**
 * `serializer`: of the edge, as the program has it; it has been asked with `refusedSerializer`. Throws STATE_CORRUPT,
 * NOT_DESERIALIZABLE, and what a serializer of the user throws.
 */
export function eachRecord(
  { serializer: { version }, records, content }: StoredSection,
  serializer: Serializer<unknown> | undefined,
  take: (value: unknown, timestamp: number) => void,
): void {
  const codec = valueCodec(serializer)
  const input = new ByteReader(content)
  for (let left = records; left > 0; left--) {
    if (input.remaining === 0) throw corruptChannels(`${records} records are announced, ${records - left} are there`)
    const timestamp = input.float64()
    take(codec.read(input, version), timestamp)
  }
  if (input.remaining > 0) throw corruptChannels(`${input.remaining} bytes follow the last record of a section`)
}

/** In words, why records by `stored` cannot be read; undefined when they can: the same id, of no higher version. */
export function refusedSerializer(
  stored: StoredSerializer,
  serializer: Serializer<unknown> | undefined,
): string | undefined {
  const { id, version } = valueCodec(serializer)
  if (stored.id !== id) return `they were written by serializer '${stored.id}', the program has '${id}'`
  if (stored.version > version)
    return `they were written by version ${stored.version} of serializer '${id}', the program has version ${version}`
  return undefined
}
