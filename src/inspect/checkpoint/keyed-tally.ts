/**
 * Counts what lies in the keyed state of one operator, over all its subtasks, and checks on the way that each entry lies
 * where a restore would look for it.
 */
import { hashOfMapKey, keyGroupOfHash } from '../../state/key-groups.ts'
import type { KeyedHeader, StoredTable } from '../../state/keyed-format.ts'
import { contradiction } from './bad-state.ts'
import { DistinctKeys } from './distinct-keys.ts'
import { keyIn } from './entry-form.ts'
import type { KeyedVisitor } from './keyed-visitor.ts'
import type { KeyedStateReport } from './report.ts'

interface Counts {
  readonly stored: StoredTable
  entries: number
  bytes: number
  readonly keyGroups: Set<number>
  /** One subtask at least has it in a form that only its backend reads. */
  isUnread: boolean
}

export class KeyedTally {
  readonly #maxParallelism: number
  /** By kind, name and serializers. */
  readonly #tables = new Map<string, Counts>()

  constructor(maxParallelism: number) {
    this.#maxParallelism = maxParallelism
  }

  /** For the payload of one subtask. Its calls throw STATE_CORRUPT or NOT_DESERIALIZABLE. */
  visitor(): KeyedVisitor {
    let tables: readonly Counts[] = []
    let keys: (DistinctKeys | undefined)[] = []
    return {
      header: (header) => {
        tables = this.#tablesOf(header)
      },
      entry: (keyGroup, tableId, key, value) => {
        const counts = tables[tableId]
        if (counts === undefined) throw contradiction(`Key group ${keyGroup} names a table that the header does not`)
        this.#checkPlace(keyGroup, key, counts.stored)
        let known = keys[tableId]
        if (known === undefined) {
          keys[tableId] = known = new DistinctKeys()
          counts.keyGroups.add(keyGroup)
        }
        if (!known.add(key)) return
        counts.entries++
        counts.bytes += key.length + value.length
      },
      keyGroupEnd: () => {
        keys = []
      },
    }
  }

  /** For the payload of one subtask of which only the header can be read. Throws STATE_CORRUPT. */
  addUnread(header: KeyedHeader): void {
    for (const counts of this.#tablesOf(header)) counts.isUnread = true
  }

  /** All tables, in the order in which they first stand. */
  reports(): readonly KeyedStateReport[] {
    return [...this.#tables.values()].map(({ stored, entries, bytes, keyGroups, isUnread }) => ({
      kind: stored.kind,
      name: stored.name,
      serializers: stored.serializers.map(({ id, version }) => ({ id, version })),
      entries: isUnread ? null : entries,
      bytes: isUnread ? null : bytes,
      keyGroups: isUnread ? null : keyGroups.size,
    }))
  }

  #tablesOf({ maxParallelism, tables }: KeyedHeader): readonly Counts[] {
    if (maxParallelism !== this.#maxParallelism)
      throw contradiction(
        `It was written for max parallelism ${maxParallelism}, its operator has ${this.#maxParallelism}`,
      )
    return tables.map((stored) => {
      const { kind, name, serializers } = stored
      const slot = JSON.stringify([kind, name, serializers.map(({ id, version }) => [id, version])])
      const known = this.#tables.get(slot)
      if (known !== undefined) return known
      const counts: Counts = { stored, entries: 0, bytes: 0, keyGroups: new Set(), isUnread: false }
      this.#tables.set(slot, counts)
      return counts
    })
  }

  #checkPlace(keyGroup: number, key: Uint8Array, { name }: StoredTable): void {
    const place = keyGroupOfHash(hashOfMapKey(keyIn(key)), this.#maxParallelism)
    if (place !== keyGroup)
      throw contradiction(`An entry of state '${name}' stands in key group ${keyGroup} and belongs to ${place}`)
  }
}
