/**
 * The tables of one old subtask under the numbers of this backend: in what it wrote they have numbers of their own, and so
 * have their schemas.
 */
import type { StoreOperation } from '../../base/ordered-store.ts'
import { corruptLog } from './entry-log.ts'
import type { IndexTable } from './level-index.ts'
import type { LevelTables } from './level-tables.ts'
import { setTableId, tableIdIn } from './store-key.ts'
import { placeOfRestored } from './table-schemas.ts'

interface NewNumbers {
  readonly id: number
  /** By old number. */
  readonly schemas: readonly number[]
}

export class RestoredNames {
  readonly #byOldId = new Map<number, NewNumbers>()

  constructor(old: readonly IndexTable[], tables: LevelTables) {
    for (const { id, kind, name, schemas } of old) {
      const slot = tables.slotOf(kind, name)
      this.#byOldId.set(id, { id: slot.id, schemas: schemas.map((schema) => placeOfRestored(slot.schemas, schema)) })
    }
  }

  /** Changes the bytes in place. Throws STATE_CORRUPT for what the index does not name. */
  rename(operations: readonly StoreOperation[]): void {
    for (const { key, value } of operations) {
      if (key.length < 5) throw corruptLog('the key of an entry is too short')
      const numbers = this.#byOldId.get(tableIdIn(key))
      if (numbers === undefined)
        throw corruptLog(`an entry belongs to table ${tableIdIn(key)}, which its index does not name`)
      setTableId(key, numbers.id)
      if (value === undefined) continue
      const schema = numbers.schemas[value[0] ?? -1]
      if (schema === undefined) throw corruptLog('a value was written with serializers that its index does not name')
      value[0] = schema
    }
  }
}
