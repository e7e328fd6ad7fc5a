/**
 * The key of an entry in the store: u16 key group and u16 number of the table, the higher byte first, then the MapKey as a
 * value of the default serializer. So the entries of a key group lie together, and within it those of a table.
 */
import { ByteReader } from '../../elements/byte-reader.ts'
import type { ByteWriter } from '../../elements/byte-writer.ts'
import { readValue } from '../../elements/value-reader.ts'
import { FLOAT64 } from '../../elements/value-tags.ts'
import { writeValue } from '../../elements/value-writer.ts'
import { writeMapKey } from '../entry-key.ts'
import type { MapKey } from '../key.ts'
import { hashOfMapKey, murmurHash } from '../key-groups.ts'
import { isPartKey, keyGroupOfPart } from '../part-keys.ts'

/** Where the MapKey begins. */
export const MAP_KEY_AT = 4

/** Appends the key, and gives the key group. */
export function writeStoreKey(out: ByteWriter, tableId: number, key: MapKey, maxParallelism: number): number {
  const at = out.length
  out.uint32(0)
  const keyGroup = isPartKey(key) ? writePartKey(out, key) : murmurHash(writeUniqueKey(out, key)) % maxParallelism
  out.view.setUint16(at, keyGroup, false)
  out.view.setUint16(at + 2, tableId, false)
  return keyGroup
}

/** It says itself which key group it belongs to. */
function writePartKey(out: ByteWriter, key: string): number {
  writeValue(out, key)
  return keyGroupOfPart(key)
}

/** Equal keys must have equal bytes: -0 is 0, and a NaN has one of its many bit patterns. Gives the hash. */
function writeUniqueKey(out: ByteWriter, key: MapKey): number {
  if (!Number.isNaN(key)) return writeMapKey(out, key === 0 ? 0 : key)
  out.uint8(FLOAT64)
  out.uint32(0)
  out.uint32(0x7ff8_0000)
  return hashOfMapKey(key)
}

/** In front of a MapKey that was written elsewhere. */
export function setPrefix(storeKey: Uint8Array, keyGroup: number, tableId: number): void {
  storeKey[0] = keyGroup >>> 8
  storeKey[1] = keyGroup
  setTableId(storeKey, tableId)
}

export function setTableId(storeKey: Uint8Array, tableId: number): void {
  storeKey[2] = tableId >>> 8
  storeKey[3] = tableId
}

/** The lowest key of a key group, also of the one behind the last. */
export function lowestKeyOf(keyGroup: number): Uint8Array {
  return Uint8Array.of(keyGroup >>> 8, keyGroup)
}

/** The entries of a table in a key group. */
export function rangeOf(keyGroup: number, tableId: number): { readonly from: Uint8Array; readonly below: Uint8Array } {
  const bound = (id: number) => Uint8Array.of(keyGroup >>> 8, keyGroup, id >>> 8, id)
  return { from: bound(tableId), below: tableId === 0xffff ? lowestKeyOf(keyGroup + 1) : bound(tableId + 1) }
}

export function keyGroupIn(storeKey: Uint8Array): number {
  return ((storeKey[0] as number) << 8) | (storeKey[1] as number)
}

export function tableIdIn(storeKey: Uint8Array): number {
  return ((storeKey[2] as number) << 8) | (storeKey[3] as number)
}

/** Throws NOT_DESERIALIZABLE where the bytes are no key. */
export function mapKeyIn(storeKey: Uint8Array): MapKey {
  const input = new ByteReader(storeKey, MAP_KEY_AT)
  const key = readValue(input) as MapKey
  input.expectEnd()
  return key
}

/** Equal bytes give equal text, and other bytes another. */
export function textOf(storeKey: Uint8Array): string {
  return Buffer.from(storeKey.buffer, storeKey.byteOffset, storeKey.length).toString('latin1')
}
