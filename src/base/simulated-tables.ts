/** Table files of simulated stores: entries in order, each with its lengths. Like LevelDB's they notice no flipped bit. */

/** Keys are latin1 texts, whose order is that of their bytes. A value that is undefined: the key is removed. */
export type SimulatedEntries = ReadonlyMap<string, Uint8Array | undefined>

const REMOVED = 0xffffffff

export function encodeTable(entries: SimulatedEntries): Uint8Array {
  const pieces: Uint8Array[] = []
  for (const key of [...entries.keys()].sort()) {
    const value = entries.get(key)
    const lengths = Buffer.alloc(8)
    lengths.writeUInt32LE(key.length, 0)
    lengths.writeUInt32LE(value?.length ?? REMOVED, 4)
    pieces.push(lengths, bytesOf(key), value ?? new Uint8Array(0))
  }
  return Buffer.concat(pieces)
}

/** Throws where the bytes end in the middle of an entry. */
export function* decodeTable(bytes: Uint8Array): Generator<readonly [key: string, value: Uint8Array | undefined]> {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  for (let at = 0; at < all.length; ) {
    const keyLength = all.readUInt32LE(at)
    const valueLength = all.readUInt32LE(at + 4)
    const value = at + 8 + keyLength
    const end = value + (valueLength === REMOVED ? 0 : valueLength)
    if (end > all.length) throw new Error('a table ends in the middle of an entry')
    yield [all.toString('latin1', at + 8, value), valueLength === REMOVED ? undefined : all.subarray(value, end)]
    at = end
  }
}

export function textOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.length).toString('latin1')
}

export function bytesOf(text: string): Uint8Array {
  return Buffer.from(text, 'latin1')
}
