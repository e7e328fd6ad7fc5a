/** The map states of one backend, and what belongs to those of them that have large maps: tables of parts, numbers, clean-up. */
import type { Clock } from '../../base/clock.ts'
import { valueCodec } from '../../elements/serializer.ts'
import type { MapState, MapStateDescriptor } from '../descriptors.ts'
import type { MapKey } from '../key.ts'
import type { KeyedTable } from '../keyed-table.ts'
import { type StateCodecs, stampedCodecs } from '../memory/keyed-states.ts'
import type { MemoryMapState } from '../memory/map-state.ts'
import type { TtlCleanup, ttlCleanup } from '../memory/ttl-cleanup.ts'
import { TtlMapState } from '../memory/ttl-map-state.ts'
import type { Expiry } from '../state-ttl.ts'
import { plainSingleCodec, type Stamped, ttlSingleCodec } from '../ttl-codecs.ts'
import { type LevelMapParts, LevelMapState } from './level-map-state.ts'
import type { LevelTable } from './level-table.ts'
import type { LevelTables } from './level-tables.ts'
import { LevelTtlMapState } from './level-ttl-map-state.ts'
import {
  CHUNK_CODEC,
  HEAD_CODEC,
  MAP_CHUNKS,
  MAP_ENTRIES,
  MAP_HEADS,
  MAP_NUMBERS,
  type MapPart,
  NUMBER_CODEC,
  ofHouse,
  partCodecs,
} from './part-codecs.ts'
import { PartNumbers } from './part-numbers.ts'
import type { PartSizes } from './part-sizes.ts'
import { PartedMaps } from './parted-maps.ts'

/** Also of list states. */
export interface LevelMapsOptions {
  readonly tables: LevelTables
  readonly clock: Clock
  keyGroupOf(key: MapKey): number
  readonly sizes: PartSizes
  readonly cleanupOf: typeof ttlCleanup
  makeRoom(): void
  failed(cause: Error): void
}

/** What one state has beside its table, since one of its maps became large. */
interface Parted<E> {
  readonly maps: PartedMaps<E>
  readonly numbers: PartNumbers
  /** Of the entries. */
  readonly cleanup: TtlCleanup | undefined
}

export class LevelMaps {
  readonly #options: LevelMapsOptions
  readonly #parted = new Map<string, Parted<unknown>>()

  constructor(options: LevelMapsOptions) {
    this.#options = options
  }

  /** `whole`: the state on the same table that knows no parts. Throws STATE_INCOMPATIBLE where restored parts do not fit. */
  mapState<K, V>(
    descriptor: MapStateDescriptor<K, V>,
    whole: MemoryMapState<K, V> | TtlMapState<K, V>,
  ): MapState<K, V> {
    const codec = valueCodec(descriptor.serializer)
    const { name } = descriptor
    if (!(whole instanceof TtlMapState)) {
      const { current, table } = whole
      return new LevelMapState(
        this.#parts({ current, table }, () => this.#open(name, ofHouse(plainSingleCodec(codec)))),
      )
    }
    const { current, table, expiry, cleanup } = whole
    const codecs = stampedCodecs(expiry.ttl, this.#options.clock, (of) => ttlSingleCodec(codec, of))
    const parts = this.#parts({ current, table }, () => this.#open(name, codecs, cleanup === null ? undefined : expiry))
    const both = cleanup === null ? null : this.#both(name, cleanup)
    return new LevelTtlMapState({ current, table, expiry, cleanup: both }, parts)
  }

  /** Nothing is removed in the background any more. */
  close(): void {
    for (const { numbers, cleanup } of this.#parted.values()) {
      numbers.close()
      cleanup?.close()
    }
  }

  #parts<E>(
    { current, table }: { current: LevelMapParts<E>['current']; table: KeyedTable<Map<MapKey, E>> },
    open: () => Parted<E>,
  ): LevelMapParts<E> {
    const { tables, sizes } = this.#options
    // The tables that the states of this backend get.
    const levelTable = table as LevelTable<Map<MapKey, E>>
    let maps = tables.has(MAP_HEADS, table.name) ? open().maps : undefined
    const parted = () => {
      maps ??= this.#parted.get(table.name)?.maps as PartedMaps<E> | undefined
      return maps
    }
    const toPart = () => {
      maps ??= open().maps
      return maps
    }
    return { current, table: levelTable, sizes, parted, toPart }
  }

  #open<V>(name: string, codecs: StateCodecs<V>, expiry?: Expiry): Parted<V> {
    const known = this.#parted.get(name)
    if (known !== undefined) return known as Parted<V>
    const opened = this.#opened(name, codecs, expiry)
    this.#parted.set(name, opened as Parted<never> as Parted<unknown>)
    return opened
  }

  #opened<V>(name: string, codecs: StateCodecs<V>, expiry: Expiry | undefined): Parted<V> {
    const { tables, clock, sizes, keyGroupOf, cleanupOf, makeRoom, failed } = this.#options
    const maps = new PartedMaps<V>(
      {
        heads: tables.table(MAP_HEADS, name, ofHouse(HEAD_CODEC)),
        chunks: tables.table(MAP_CHUNKS, name, ofHouse(CHUNK_CODEC)),
        entries: tables.table(MAP_ENTRIES, name, partCodecs(codecs)),
      },
      sizes.chunkKeys,
      (owner) => keyGroupOf(owner),
    )
    const numbers = new PartNumbers({
      numbers: tables.table(MAP_NUMBERS, name, ofHouse(NUMBER_CODEC)),
      clock,
      removeChunk: (prefix, chunk) => maps.removeChunk(prefix, chunk),
      makeRoom,
      failed,
    })
    maps.numbers = numbers
    if (expiry === undefined) return { maps, numbers, cleanup: undefined }
    // With a time-to-live the values are stamped ones.
    const stamped = maps as PartedMaps<never> as PartedMaps<Stamped<unknown>>
    const cleanup = cleanupOf(stamped.tables.entries, expiry, (table, isExpired) => sweep(stamped, table, isExpired))
    return { maps, numbers, cleanup }
  }

  #both(name: string, small: TtlCleanup): TtlCleanup {
    return {
      used: (nowMs) => {
        small.used(nowMs)
        this.#parted.get(name)?.cleanup?.used(nowMs)
      },
      close: () => small.close(),
    }
  }
}

/** Over the entries of all maps. Those that nobody may change yet are only said to have expired. */
function* sweep(
  maps: PartedMaps<Stamped<unknown>>,
  table: KeyedTable<MapPart<Stamped<unknown>>>,
  isExpired: (touchedMs: number) => boolean,
): Generator<number, void> {
  for (const [key, part] of table.entries) {
    const { touchedMs } = part.value
    const expired = isExpired(touchedMs)
    if (expired && table.scan === maps.tables.entries) maps.removeExpired(key as string, part)
    else if (expired) {
      table.scan?.touch(key)
      table.entries.delete(key)
    }
    yield expired ? Number.POSITIVE_INFINITY : touchedMs
  }
}
