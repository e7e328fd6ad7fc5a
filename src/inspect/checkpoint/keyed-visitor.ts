/** Who walks keyed state, whatever wrote it. */

import type { KeyGroupRange } from '../../state/key-group-range.ts'
import type { KeyedHeader } from '../../state/keyed-format.ts'

/** What it throws ends the walk, and comes out with the name of the file. */
export interface KeyedVisitor {
  /** Comes first, once. */
  header(header: KeyedHeader): void
  /** Views, valid until this has returned. `tableId`: the place of its table in the header, which need not be there. */
  entry(keyGroup: number, tableId: number, key: Uint8Array, value: Uint8Array): void
  /** Behind the entries of a key group; again where the state comes back to it. */
  keyGroupEnd(keyGroup: number): void | Promise<void>
}

export const ALL_KEY_GROUPS: KeyGroupRange = { first: 0, last: Number.POSITIVE_INFINITY }

/** A key group, and how much there is of it. */
export interface Weighed {
  readonly keyGroup: number
  readonly bytes: number
}

/** What is sorted at once where entries stand in no order, in bytes. */
const MOST_AT_ONCE = 64 * 1024 * 1024

/** Rising ranges that hold all of these, each small enough to be sorted as a whole, where one key group is. */
export function sortableRanges(found: readonly Weighed[]): readonly KeyGroupRange[] {
  const ranges: { first: number; last: number }[] = []
  let left = 0
  for (const { keyGroup, bytes } of [...found].sort((one, other) => one.keyGroup - other.keyGroup)) {
    const last = ranges.at(-1)
    if (last !== undefined && (last.last === keyGroup || bytes <= left)) last.last = keyGroup
    else {
      ranges.push({ first: keyGroup, last: keyGroup })
      left = MOST_AT_ONCE
    }
    left -= bytes
  }
  return ranges
}
