/** How state is read whose program has not asked for it yet: the form in which it was stored, where that is of the house. */
import { valueCodec } from '../elements/serializer.ts'
import type { StoredTable } from './keyed-format.ts'
import type { EntryCodec } from './keyed-table.ts'
import { TIMERS_CODEC } from './timer-queue.ts'
import { storedListCodec, storedMapCodec, storedSingleCodec, TTL_STAMPS } from './ttl-codecs.ts'

const VALUES = valueCodec<unknown>(undefined)

/** Undefined where a serializer of the program is needed, or one of a newer version. What it writes is what was stored. */
export function storedFormCodec({ kind, serializers }: StoredTable): EntryCodec<unknown> | undefined {
  const [first, second] = serializers
  if (kind === 'timers')
    return serializers.length === 1 && isOf(first, TIMERS_CODEC.serializers[0])
      ? (TIMERS_CODEC as EntryCodec<never> as EntryCodec<unknown>)
      : undefined
  const hasStamps = serializers.length === 2 && isOf(second, TTL_STAMPS)
  if (!isOf(first, VALUES) || !(hasStamps || serializers.length === 1)) return undefined
  switch (kind) {
    case 'value':
    case 'reducing':
    case 'aggregating':
      return storedSingleCodec(VALUES, hasStamps)
    case 'list':
      return storedListCodec(VALUES, hasStamps)
    case 'map':
      return storedMapCodec(VALUES, hasStamps)
    default:
      return undefined
  }
}

interface Versioned {
  readonly id: string
  readonly version: number
}

function isOf(stored: Versioned | undefined, known: Versioned | undefined): boolean {
  return stored !== undefined && stored.id === known?.id && stored.version === known.version
}
