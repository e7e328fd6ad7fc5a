/**
 * Reads stored keyed state into tables. Small state stays bytes until the program asks for it. Of large state no whole
 * payload is ever in memory, and what the default serializer wrote is decoded on the way, in slices.
 */
import { StreamError } from '../base/errors.ts'
import { ByteReader } from '../elements/byte-reader.ts'
import { claimed, readEntries, serializersText } from './claimed-table.ts'
import { isEmpty, type KeyGroupRange } from './key-group-range.ts'
import { corrupt, forEachRun, type KeyedHeader, type KeyGroupBlob, type StoredTable } from './keyed-format.ts'
import { readKeyedState } from './keyed-stream-reader.ts'
import { type EntryCodec, HeapTable } from './keyed-table.ts'
import type { RestorePace } from './restore-pace.ts'
import type { StoredKeyedState } from './state-backend.ts'
import { storedFormCodec } from './stored-form-codecs.ts'

/** One table as it was restored: decoded, or runs. */
export interface RestoredTable {
  readonly stored: StoredTable
  /** Its values as they were stored, whatever the program will ask for. */
  readonly decoded: HeapTable<unknown> | undefined
  readonly runs: { readonly keyGroup: number; readonly entries: Uint8Array }[]
}

/** Entries that are decoded between two looks at the clock. */
const SLICE_ENTRIES = 128

/**
 * All tables that the states hold, with the entries of the key groups in `own`; tables without entries included. At once
 * where all is inline.
 */
export function readTables(
  states: readonly StoredKeyedState[],
  own: KeyGroupRange,
  maxParallelism: number,
  pace: RestorePace,
): readonly RestoredTable[] | Promise<readonly RestoredTable[]> {
  const touching = states.filter(
    ({ keyGroups }) => !isEmpty(keyGroups) && keyGroups.last >= own.first && keyGroups.first <= own.last,
  )
  const isSmall = touching.every(({ handle }) => handle.type === 'inline')
  const reading = new TablesReading(maxParallelism, isSmall ? undefined : pace)
  let waiting: Promise<void> | undefined
  for (const state of touching) {
    const read = () => readKeyedState(state, own, reading.consumer())
    waiting = (waiting === undefined ? read() : waiting.then(read)) ?? undefined
  }
  return waiting === undefined ? reading.all : waiting.then(() => reading.all)
}

class TablesReading {
  readonly #maxParallelism: number
  /** Undefined: nothing is decoded, and the bytes stay as they are. */
  readonly #pace: RestorePace | undefined
  readonly #tables = new Map<string, RestoredTable>()

  constructor(maxParallelism: number, pace: RestorePace | undefined) {
    this.#maxParallelism = maxParallelism
    this.#pace = pace
  }

  get all(): readonly RestoredTable[] {
    return [...this.#tables.values()]
  }

  /** Of one payload. */
  consumer() {
    let byNumber: readonly RestoredTable[] = []
    return {
      header: ({ maxParallelism, tables }: KeyedHeader) => {
        if (maxParallelism !== this.#maxParallelism) throw otherMaxParallelism(maxParallelism, this.#maxParallelism)
        byNumber = tables.map((stored) => this.#tableOf(stored))
      },
      blob: (blob: KeyGroupBlob) => this.#takeBlob(blob, byNumber),
    }
  }

  #tableOf(stored: StoredTable): RestoredTable {
    const place = `${stored.kind}/${stored.name}`
    const known = this.#tables.get(place)
    if (known !== undefined) {
      refuseOtherSerializers(known.stored, stored)
      return known
    }
    const codec = this.#pace === undefined ? undefined : storedFormCodec(stored)
    const decoded = codec === undefined ? undefined : new HeapTable(stored.kind, stored.name, codec)
    const table: RestoredTable = { stored, decoded, runs: [] }
    this.#tables.set(place, table)
    return table
  }

  #takeBlob(blob: KeyGroupBlob, byNumber: readonly RestoredTable[]): void | Promise<void> {
    const { keyGroup } = blob
    const toDecode: (readonly [HeapTable<unknown>, Uint8Array])[] = []
    forEachRun(blob, (number, entries) => {
      const table = byNumber[number]
      if (table === undefined) throw corrupt(`key group ${keyGroup} names a table that the header does not`)
      if (table.decoded !== undefined) toDecode.push([table.decoded, entries])
      // Where nothing is decoded, all bytes are inline, and belong to nobody else.
      else table.runs.push({ keyGroup, entries: this.#pace === undefined ? entries : entries.slice() })
    })
    if (this.#pace !== undefined && toDecode.length > 0) return decodeRuns(toDecode, this.#pace)
  }
}

async function decodeRuns(
  runs: readonly (readonly [HeapTable<unknown>, Uint8Array])[],
  pace: RestorePace,
): Promise<void> {
  for (const [table, entries] of runs) {
    const versions = table.codec.serializers.map(({ version }) => version)
    const input = new ByteReader(entries)
    while (input.remaining > 0) {
      readEntries(table, table.codec, versions, input, SLICE_ENTRIES)
      if (pace.isUsedUp()) await pace.nextTurn()
    }
  }
}

/** The table that the program declared, with what was restored. Throws STATE_INCOMPATIBLE, or what its serializer throws. */
export function claim<V>(restored: RestoredTable, kind: string, name: string, codec: EntryCodec<V>): HeapTable<V> {
  const { table, reader, versions } = claimed(restored, kind, name, codec)
  for (const { entries } of restored.runs)
    readEntries(table, reader, versions, new ByteReader(entries), Number.POSITIVE_INFINITY)
  return table
}

/** The number of key groups is fixed for the life of a state. */
export function otherMaxParallelism(stored: number, maxParallelism: number): StreamError {
  return new StreamError('STATE_INCOMPATIBLE', {
    message: `The state was written with max parallelism ${stored}, the job has ${maxParallelism}.`,
    hint: `Set the max parallelism to ${stored}: it is fixed for the life of a job's state.`,
    details: { stored, maxParallelism },
  })
}

function refuseOtherSerializers(known: StoredTable, stored: StoredTable): void {
  const [one, other] = [serializersText(known.serializers), serializersText(stored.serializers)]
  if (one === other) return
  throw new StreamError('STATE_INCOMPATIBLE', {
    message: `The subtasks wrote state '${stored.name}' with different serializers: ${one} and ${other}.`,
    hint: 'All subtasks of a checkpoint run the same program; this one was put together from several.',
  })
}
