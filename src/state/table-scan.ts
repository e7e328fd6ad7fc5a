/**
 * Writes one table for all snapshots that walk it: each gets every entry as it was when the snapshot was frozen. An entry
 * that is older than several of them is serialised once, whoever comes first: the walk, or the change that is about to
 * replace it. An entry that changes after the walk passed it is written a second time with the same value.
 */
import { ByteWriter } from '../elements/byte-writer.ts'
import { beginEntryValue, endEntryValue } from './entry-format.ts'
import { writeMapKey } from './entry-key.ts'
import type { FrozenTables } from './frozen-tables.ts'
import type { MapKey } from './key.ts'
import { hashOfMapKey, murmurHash } from './key-groups.ts'
import type { HeapTable } from './keyed-table.ts'
import type { TouchedKeys } from './touched-keys.ts'

const NOTHING_YET = Symbol('no key of this round')

/** One snapshot in the scan. */
export class ScanMember {
  readonly frozen: FrozenTables
  /** Number of the table in the snapshot's header. */
  readonly tableId: number
  /** Rises from one to the next. What was stamped with it or a higher one has changed since the freeze. */
  readonly stamp: number
  /** The last key that the scan had visited at the freeze. The walk goes on to the end, then round to this key. */
  readonly joinedBehind: MapKey | typeof NOTHING_YET
  wrapped = false
  done = false

  constructor(frozen: FrozenTables, tableId: number, stamp: number, joinedBehind: MapKey | typeof NOTHING_YET) {
    this.frozen = frozen
    this.tableId = tableId
    this.stamp = stamp
    this.joinedBehind = joinedBehind
  }
}

export class TableScan<V> {
  readonly #table: HeapTable<V>
  /** The oldest snapshot first. */
  readonly #members: ScanMember[] = []
  /**
   * Keys that changed while the scan walks, stamped with the youngest snapshot of then: for it and all older ones, what
   * the key held is written already, and what it holds now does not belong there.
   */
  readonly #touched: TouchedKeys
  #youngest = 0
  #wrapped = 0
  #walk: IterableIterator<[MapKey, V]>
  #lastVisited: MapKey | typeof NOTHING_YET = NOTHING_YET

  constructor(table: HeapTable<V>) {
    this.#table = table
    this.#walk = table.entries.entries()
    this.#touched = table.touched
    this.#touched.clear()
  }

  join(frozen: FrozenTables, tableId: number): ScanMember {
    const member = new ScanMember(frozen, tableId, ++this.#youngest, this.#lastVisited)
    this.#members.push(member)
    return member
  }

  /** The snapshot needs nothing more of this table. */
  leave(member: ScanMember): void {
    member.done = true
    const members = this.#members
    const place = members.indexOf(member)
    if (place >= 0) members.splice(place, 1)
    if (place >= 0 && member.wrapped) this.#wrapped--
    const [oldest] = members
    if (oldest === undefined) this.#table.scan = null
    else this.#touched.forgetBelow(oldest.stamp)
  }

  /** The entry of `key` is about to change or to appear. A serializer that throws fails the snapshots, not the change. */
  touch(key: MapKey): void {
    const hash = murmurHash(hashOfMapKey(key))
    const former = this.#touched.stamp(hash, key, this.#youngest)
    if (former === this.#youngest) return
    const first = this.#firstYoungerThan(former)
    if (first === this.#members.length) return
    const value = this.#table.entries.get(key)
    if (value === undefined) return
    scratch.length = 0
    writeMapKey(scratch, key)
    this.#write(hash, key, value, first)
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
    scratch.length = 0
    // Before it is known whether the entry is to be written: the hash, which costs most of it, is needed for that.
    const hash = murmurHash(writeMapKey(scratch, key))
    const first = this.#firstYoungerThan(this.#touched.stampOf(hash, key))
    if (first < this.#members.length) this.#write(hash, key, value, first)
    if (this.#wrapped > 0) this.#endRounds(key)
  }

  /** Of the members, the place of the oldest that has not seen the key change. */
  #firstYoungerThan(stamp: number): number {
    const members = this.#members
    let first = 0
    while (first < members.length && (members[first] as ScanMember).stamp <= stamp) first++
    return first
  }

  /** Members that joined behind this key have been all the way round. */
  #endRounds(key: MapKey): void {
    for (const member of [...this.#members]) if (member.wrapped && sameKey(member.joinedBehind, key)) this.leave(member)
  }

  #beginRound(): void {
    for (const member of [...this.#members]) {
      if (member.wrapped || member.joinedBehind === NOTHING_YET) this.leave(member)
      else {
        member.wrapped = true
        this.#wrapped++
      }
    }
    this.#walk = this.#table.entries.entries()
    this.#lastVisited = NOTHING_YET
  }

  /** Into the outputs of the members from place `first` on. The key stands in `scratch` already. */
  #write(hash: number, key: MapKey, value: V, first: number): void {
    const members = this.#members
    let last = members.length
    try {
      const begun = beginEntryValue(scratch)
      if (this.#table.codec.write(scratch, value) === 'nothing') return
      endEntryValue(scratch, begun)
      const keyGroup = (members[first] as ScanMember).frozen.keyGroupOf(hash)
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

function sameKey(one: MapKey | typeof NOTHING_YET, other: MapKey): boolean {
  // NaN is the one key that differs from itself.
  return one === other || (Number.isNaN(one) && Number.isNaN(other))
}
