/** How each kind of state stands in an entry, in the canonical format. Never change what was written once. */
import type { ValueCodec } from '../elements/serializer.ts'
import { readValue } from '../elements/value-reader.ts'
import { writeValue } from '../elements/value-writer.ts'
import type { MapKey } from './key.ts'
import type { EntryCodec } from './keyed-table.ts'

/** Value, reducing and aggregating state: the value itself. */
export function singleCodec<T>(codec: ValueCodec<T>): EntryCodec<T> {
  return {
    serializers: [codec],
    write: (out, value) => codec.write(out, value),
    read: (input, versions) => codec.read(input, versions[0] ?? codec.version),
  }
}

/** Number of elements, elements. */
export function listCodec<T>(codec: ValueCodec<T>): EntryCodec<T[]> {
  return {
    serializers: [codec],
    write(out, list) {
      out.varint(list.length)
      for (const element of list) codec.write(out, element)
    },
    read(input, versions) {
      const version = versions[0] ?? codec.version
      const length = input.varint()
      const list: T[] = []
      for (let i = 0; i < length; i++) list.push(codec.read(input, version))
      return list
    },
  }
}

/** Number of entries, keys as `MapKey` and values. */
export function mapCodec<V>(codec: ValueCodec<V>): EntryCodec<Map<MapKey, V>> {
  return {
    serializers: [codec],
    write(out, map) {
      out.varint(map.size)
      for (const [key, value] of map) {
        writeValue(out, key)
        codec.write(out, value)
      }
    },
    read(input, versions) {
      const version = versions[0] ?? codec.version
      const size = input.varint()
      const map = new Map<MapKey, V>()
      for (let i = 0; i < size; i++) {
        const key = readValue(input) as MapKey
        map.set(key, codec.read(input, version))
      }
      return map
    },
  }
}
