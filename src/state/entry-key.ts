/** The key in front of an entry: written in the default format, and hashed on the way. */
import type { ByteWriter } from '../elements/byte-writer.ts'
import { SHORT_STRING } from '../elements/value-tags.ts'
import { writeValue } from '../elements/value-writer.ts'
import type { MapKey } from './key.ts'
import { hashOfMapKey } from './key-groups.ts'

const LONGEST_SHORT_STRING = 63

/** Appends what `writeValue` would, and gives what `hashOfMapKey` would: most keys are short strings, read only once so. */
export function writeMapKey(out: ByteWriter, key: MapKey): number {
  if (typeof key === 'string' && key.length <= LONGEST_SHORT_STRING) {
    const units = key.length
    out.reserve(units + 1)
    const { bytes, length } = out
    let hash = 0
    let seen = 0
    for (let i = 0; i < units; i++) {
      const unit = key.charCodeAt(i)
      seen |= unit
      hash = (Math.imul(hash, 31) + unit) | 0
      bytes[length + 1 + i] = unit
    }
    // One that begins with NUL is escaped or composite, and hashes as what it stands for.
    if (seen < 256 && (units === 0 || bytes[length + 1] !== 0)) {
      bytes[length] = SHORT_STRING | units
      out.length = length + 1 + units
      return hash
    }
  }
  writeValue(out, key)
  return hashOfMapKey(key)
}
