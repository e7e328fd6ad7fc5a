/** From when on a map or a list lies in parts. It stays so until it is empty. */
import type { MapKey } from '../key.ts'
import type { LevelTable } from './level-table.ts'
import { ROW_BYTES } from './row.ts'

export interface PartSizes {
  /** More entries, or more encoded bytes. */
  readonly mostEntries: number
  readonly mostBytes: number
  /** User keys of a map, or elements of a list, in a chunk. */
  readonly chunkKeys: number
}

/** A row costs more on the heap than an entry of a Map does, so what is read and written at once in little time stays whole. */
export const PART_SIZES: PartSizes = { mostEntries: 256, mostBytes: 16 * 1024, chunkKeys: 256 }

/** Whether the value of the key, of so many entries, is to be cut into parts. What it takes is estimated. */
export function isTooLarge<V>(
  table: LevelTable<V>,
  { mostEntries, mostBytes }: PartSizes,
  key: MapKey,
  entries: number,
): boolean {
  if (entries > mostEntries) return true
  return entries > 1 && table.bytesOf(key) > mostBytes + ROW_BYTES
}
