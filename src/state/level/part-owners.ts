/** Which tables hold the heads and the parts of which state, by their numbers. */
import type { StateKind } from '../descriptors.ts'
import { LIST_CHUNKS, LIST_HEADS, MAP_CHUNKS, MAP_ENTRIES, MAP_HEADS } from './part-codecs.ts'
import type { PartTables } from './stored-parts.ts'

interface Numbered {
  readonly id: number
  readonly kind: string
  readonly name: string
}

/** The tables of one state with large maps or lists. */
export interface PartOwner<T extends Numbered> {
  readonly heads: T
  /** In which its small ones lie. */
  readonly state: T
  /** In which values or elements lie. */
  readonly values: T
  readonly tables: PartTables
}

const MAP: StateKind = 'map'
const LIST: StateKind = 'list'

/** By the number of the table with the heads. */
export function partOwners<T extends Numbered>(tables: readonly T[]): ReadonlyMap<number, PartOwner<T>> {
  const find = (kind: string, name: string) => tables.find((table) => table.kind === kind && table.name === name)
  const owners = new Map<number, PartOwner<T>>()
  for (const heads of tables) {
    const { id, kind, name } = heads
    if (kind !== MAP_HEADS && kind !== LIST_HEADS) continue
    const ofMap = kind === MAP_HEADS
    const state = find(ofMap ? MAP : LIST, name)
    const chunks = find(ofMap ? MAP_CHUNKS : LIST_CHUNKS, name)
    const values = ofMap ? find(MAP_ENTRIES, name) : chunks
    if (state === undefined || chunks === undefined || values === undefined) continue
    owners.set(id, { heads, state, values, tables: { chunks: chunks.id, entries: ofMap ? values.id : undefined } })
  }
  return owners
}
