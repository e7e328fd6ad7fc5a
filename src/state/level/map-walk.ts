/** Goes over the map of a key, small or in parts, in the order in which its user keys were first set. */
import type { MapKey } from '../key.ts'
import type { LevelMapParts } from './level-map-state.ts'
import type { MapPart } from './part-codecs.ts'
import type { PartedMaps, Place } from './parted-maps.ts'

/** The user key and what stands under it; the part, where the map is in parts: as it was stored, not to be changed. */
export type MapStep<E> = readonly [userKey: MapKey, value: E, part: MapPart<E> | undefined]

/** The map is looked up at the call. It may change meanwhile, as under a Map's iterator, and may become large. */
export function eachIn<E>(parts: LevelMapParts<E>, owner: MapKey): Iterable<MapStep<E>> {
  const map = parts.table.get(owner)
  if (map !== undefined) return eachOfSmall(parts, owner, map)
  const parted = parts.parted()
  const head = parted?.head(owner)
  return parted === undefined || head === undefined
    ? []
    : eachOfParts(parted, owner, head.prefix, { chunk: head.first, place: 0 })
}

function* eachOfSmall<E>(
  parts: LevelMapParts<E>,
  owner: MapKey,
  map: ReadonlyMap<MapKey, E>,
): Generator<MapStep<E>, void> {
  for (const [userKey, value] of map) {
    const parted = parts.parted()
    const moved = parted?.movedFrom(map)
    if (parted === undefined || moved === undefined) yield [userKey, value, undefined]
    else {
      const part = parted.peek(owner, moved.prefix, userKey)
      // What was removed and set again since comes at its new place.
      if (part !== undefined && isBefore(part, moved.end)) yield [userKey, part.value, part]
    }
  }
  const parted = parts.parted()
  const moved = parted?.movedFrom(map)
  if (parted !== undefined && moved !== undefined) yield* eachOfParts(parted, owner, moved.prefix, moved.end)
}

function* eachOfParts<E>(
  parted: PartedMaps<E>,
  owner: MapKey,
  prefix: string,
  from: Place,
): Generator<MapStep<E>, void> {
  for (const [userKey, part] of parted.walk(owner, prefix, from)) yield [userKey, part.value, part]
}

function isBefore(one: Place, other: Place): boolean {
  return one.chunk < other.chunk || (one.chunk === other.chunk && one.place < other.place)
}
