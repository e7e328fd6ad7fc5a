/**
 * Writes one table for all snapshots that walk it: each gets every entry as it was when the snapshot was frozen. An entry
 * that is older than several of them is serialised once, whoever comes first: the walk, or the change that is about to
 * replace it. An entry that changes after the walk passed it is written a second time with the same value.
 */
import { ByteWriter } from '../elements/byte-writer.ts'
import { writeValue } from '../elements/value-writer.ts'
import type { FrozenTables } from './frozen-tables.ts'
import type { MapKey } from './key.ts'
import type { KeyedTable } from './keyed-table.ts'

const NOTHING_YET = Symbol('no key of this round')

/** One snapshot in the scan. */
export class ScanMember {
  readonly frozen: FrozenTables
  /** Number of the table in the snapshot's header. */
  readonly tableId: number
  /** Keys that changed since the freeze: what they held is written already, what they hold now does not belong here. */
  readonly touched = new Set<MapKey>()
  /** The last key that the scan had visited at the freeze. The walk goes on to the end, then round to this key. */
  readonly joinedBehind: MapKey | typeof NOTHING_YET
  wrapped = false
  done = false

  constructor(frozen: FrozenTables, tableId: number, joinedBehind: MapKey | typeof NOTHING_YET) {
    this.frozen = frozen
    this.tableId = tableId
    this.joinedBehind = joinedBehind
  }
}

export class TableScan<V> {
  readonly #table: KeyedTable<V>
  /**
   * The oldest snapshot first. Whatever a younger one has seen touched, an older one has too: the sets are nested, and the
   * youngest decides whether anything is to be done.
   */
  readonly #members: ScanMember[] = []
  #walk: IterableIterator<[MapKey, V]>
  #lastVisited: MapKey | typeof NOTHING_YET = NOTHING_YET

  constructor(table: KeyedTable<V>) {
    this.#table = table
    this.#walk = table.entries.entries()
  }

  join(frozen: FrozenTables, tableId: number): ScanMember {
    const member = new ScanMember(frozen, tableId, this.#lastVisited)
    this.#members.push(member)
    return member
  }

  /** The snapshot needs nothing more of this table. */
  leave(member: ScanMember): void {
    member.done = true
    const place = this.#members.indexOf(member)
    if (place >= 0) this.#members.splice(place, 1)
    if (this.#members.length === 0) this.#table.scan = null
  }

  /** The entry of `key` is about to change or to appear. A serializer that throws fails the snapshots, not the change. */
  touch(key: MapKey): void {
    const members = this.#members
    let oldestTouched = members.length
    while (oldestTouched > 0) {
      const { touched } = members[oldestTouched - 1] as ScanMember
      if (touched.has(key)) break
      touched.add(key)
      oldestTouched--
    }
    if (oldestTouched === members.length) return
    const value = this.#table.entries.get(key)
    if (value !== undefined) this.#write(key, value, oldestTouched)
  }

  /** Visits up to `budget` entries on behalf of all members, and says how many. */
  visit(budget: number): number {
    let count = 0
    // An iterator of a Map goes on where it was left, and bears entries coming and going.
    for (const [key, value] of this.#walk) {
      this.#lastVisited = key
      this.#visitEntry(key, value)
      if (++count >= budget || this.#members.length === 0) return count
    }
    this.#beginRound()
    return count
  }

  #visitEntry(key: MapKey, value: V): void {
    const members = this.#members
    let untouchedSince = 0
    while (untouchedSince < members.length && isTouched(members[untouchedSince] as ScanMember, key)) untouchedSince++
    if (untouchedSince < members.length) this.#write(key, value, untouchedSince)
    for (let i = members.length - 1; i >= 0; i--) {
      const member = members[i] as ScanMember
      if (member.wrapped && sameKey(member.joinedBehind, key)) this.leave(member)
    }
  }

  #beginRound(): void {
    for (const member of [...this.#members]) {
      if (member.wrapped || member.joinedBehind === NOTHING_YET) this.leave(member)
      else member.wrapped = true
    }
    this.#walk = this.#table.entries.entries()
    this.#lastVisited = NOTHING_YET
  }

  /** Into the outputs of the members from place `first` on. */
  #write(key: MapKey, value: V, first: number): void {
    const members = this.#members
    let last = members.length
    try {
      scratch.length = 0
      writeValue(scratch, key)
      this.#table.codec.write(scratch, value)
      const keyGroup = (members[first] as ScanMember).frozen.keyGroupOf(key)
      while (last > first) {
        const member = members[last - 1] as ScanMember
        member.frozen.append(keyGroup, member.tableId, scratch)
        last--
      }
    } catch (thrown) {
      // A serializer of the user, or a value that cannot be serialised: these snapshots have failed.
      for (const member of members.slice(first, last)) member.frozen.fail(thrown, this.#table, key)
    }
  }
}

/** Entries are encoded here, then copied into each snapshot's output. */
const scratch = new ByteWriter(1024)

function isTouched(member: ScanMember, key: MapKey): boolean {
  return member.touched.size > 0 && member.touched.has(key)
}

function sameKey(one: MapKey | typeof NOTHING_YET, other: MapKey): boolean {
  // NaN is the one key that differs from itself.
  return one === other || (Number.isNaN(one) && Number.isNaN(other))
}
