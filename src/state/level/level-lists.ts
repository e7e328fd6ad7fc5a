/** The list states of one backend, and what belongs to those of them that have large lists: tables of parts, and numbers. */
import { valueCodec } from '../../elements/serializer.ts'
import type { ListState, ListStateDescriptor } from '../descriptors.ts'
import type { MapKey } from '../key.ts'
import type { KeyedTable } from '../keyed-table.ts'
import { type StateCodecs, stampedCodecs } from '../memory/keyed-states.ts'
import type { MemoryListState } from '../memory/states.ts'
import { TtlListState } from '../memory/ttl-states.ts'
import { plainListCodec, ttlListCodec } from '../ttl-codecs.ts'
import { type LevelListParts, LevelListState, LevelTtlListState } from './level-list-state.ts'
import type { LevelMapsOptions } from './level-maps.ts'
import type { LevelTable } from './level-table.ts'
import { HEAD_CODEC, LIST_CHUNKS, LIST_HEADS, LIST_NUMBERS, NUMBER_CODEC, ofHouse } from './part-codecs.ts'
import { PartNumbers } from './part-numbers.ts'
import { PartedLists } from './parted-lists.ts'

interface Parted<E> {
  readonly lists: PartedLists<E>
  readonly numbers: PartNumbers
}

export class LevelLists {
  readonly #options: LevelMapsOptions
  readonly #parted = new Map<string, Parted<unknown>>()

  constructor(options: LevelMapsOptions) {
    this.#options = options
  }

  /** `whole`: the state on the same table that knows no parts. Throws STATE_INCOMPATIBLE where restored parts do not fit. */
  listState<T>(descriptor: ListStateDescriptor<T>, whole: MemoryListState<T> | TtlListState<T>): ListState<T> {
    const codec = valueCodec(descriptor.serializer)
    const { current } = whole
    if (whole instanceof TtlListState) {
      const codecs = stampedCodecs(whole.expiry.ttl, this.#options.clock, (of) => ttlListCodec(codec, of))
      return new LevelTtlListState(whole, this.#parts({ current, table: whole.table }, codecs))
    }
    return new LevelListState(this.#parts({ current, table: whole.table }, ofHouse(plainListCodec(codec))))
  }

  /** Nothing is removed in the background any more. */
  close(): void {
    for (const { numbers } of this.#parted.values()) numbers.close()
  }

  #parts<E>(
    { current, table }: { current: LevelListParts<E>['current']; table: KeyedTable<E[]> },
    codecs: StateCodecs<E[]>,
  ): LevelListParts<E> {
    const { tables, sizes } = this.#options
    const open = () => this.#open(table.name, codecs)
    let lists = tables.has(LIST_HEADS, table.name) ? open().lists : undefined
    const parted = () => {
      lists ??= this.#parted.get(table.name)?.lists as PartedLists<E> | undefined
      return lists
    }
    const toPart = () => {
      lists ??= open().lists
      return lists
    }
    // The tables that the states of this backend get.
    return { current, table: table as LevelTable<E[]>, sizes, parted, toPart }
  }

  #open<E>(name: string, codecs: StateCodecs<E[]>): Parted<E> {
    const known = this.#parted.get(name)
    if (known !== undefined) return known as Parted<never>
    const { tables, clock, sizes, keyGroupOf, makeRoom, failed } = this.#options
    const lists = new PartedLists<E>(
      {
        heads: tables.table(LIST_HEADS, name, ofHouse(HEAD_CODEC)),
        chunks: tables.table(LIST_CHUNKS, name, codecs),
      },
      sizes,
      (owner: MapKey) => keyGroupOf(owner),
    )
    const numbers = new PartNumbers({
      numbers: tables.table(LIST_NUMBERS, name, ofHouse(NUMBER_CODEC)),
      clock,
      removeChunk: (prefix, chunk) => lists.removeChunk(prefix, chunk),
      makeRoom,
      failed,
    })
    lists.numbers = numbers
    const opened = { lists, numbers }
    this.#parted.set(name, opened as Parted<never> as Parted<unknown>)
    return opened
  }
}
