/** Reads payloads of keyed state into the tables of a backend; entries stay bytes until the program asks for their state. */
import { StreamError } from '../base/errors.ts'
import { ByteReader } from '../elements/byte-reader.ts'
import { readValue } from '../elements/value-reader.ts'
import type { MapKey } from './key.ts'
import { isEmpty, type KeyGroupRange } from './key-group-range.ts'
import { corrupt, forEachRun, nextBlob, readKeyedHeader, type StoredTable } from './keyed-format.ts'
import type { KeyedTable, StoredSerializer } from './keyed-table.ts'
import type { KeyedStatePayload } from './state-backend.ts'

/** One table as it was restored. Runs are views of the payloads. */
export interface RestoredTable {
  readonly stored: StoredTable
  readonly runs: { readonly keyGroup: number; readonly entries: Uint8Array }[]
}

/** All tables that the payloads hold, with the entries of the key groups in `own`; tables without entries included. */
export function readPayloads(
  payloads: readonly KeyedStatePayload[],
  own: KeyGroupRange,
  maxParallelism: number,
): readonly RestoredTable[] {
  const tables = new Map<string, RestoredTable>()
  for (const { bytes, keyGroups } of payloads) {
    if (isEmpty(keyGroups) || keyGroups.last < own.first || keyGroups.first > own.last) continue
    const input = new ByteReader(bytes)
    const header = readKeyedHeader(input)
    if (header.maxParallelism !== maxParallelism)
      throw new StreamError('STATE_INCOMPATIBLE', {
        message: `The state was written with max parallelism ${header.maxParallelism}, the job has ${maxParallelism}.`,
        hint: `Set the max parallelism to ${header.maxParallelism}: it is fixed for the life of a job's state.`,
        details: { stored: header.maxParallelism, maxParallelism },
      })
    const byNumber = header.tables.map((stored) => tableOf(tables, stored))
    for (let blob = nextBlob(input, keyGroups, own); blob !== undefined; blob = nextBlob(input, keyGroups, own)) {
      const { keyGroup } = blob
      forEachRun(blob, (number, entries) => {
        const table = byNumber[number]
        if (table === undefined) throw corrupt(`key group ${keyGroup} names a table that the header does not`)
        table.runs.push({ keyGroup, entries })
      })
    }
  }
  return [...tables.values()]
}

function tableOf(tables: Map<string, RestoredTable>, stored: StoredTable): RestoredTable {
  const slot = `${stored.kind}/${stored.name}`
  const known = tables.get(slot)
  if (known === undefined) {
    const table: RestoredTable = { stored, runs: [] }
    tables.set(slot, table)
    return table
  }
  if (serializersText(known.stored.serializers) === serializersText(stored.serializers)) return known
  throw new StreamError('STATE_INCOMPATIBLE', {
    message: `The subtasks wrote state '${stored.name}' with different serializers: ${serializersText(known.stored.serializers)} and ${serializersText(stored.serializers)}.`,
    hint: 'All subtasks of a checkpoint run the same program; this one was put together from several.',
  })
}

/** Decodes what was restored into the table that the program declared. Throws STATE_INCOMPATIBLE, or what its serializer throws. */
export function claim<V>(restored: RestoredTable, table: KeyedTable<V>): void {
  const { stored } = restored
  if (stored.kind !== table.kind)
    throw incompatible(stored.name, `it is a ${stored.kind} state there and a ${table.kind} state in the program`)
  const reader = table.codec.readerOf?.(stored.serializers) ?? table.codec
  const declared = reader.serializers
  stored.serializers.forEach((serializer, place) => {
    const { id, version } = declared[place] ?? { id: 'none', version: 0 }
    if (serializer.id !== id)
      throw incompatible(stored.name, `it was written by serializer '${serializer.id}', the program has '${id}'`)
    if (serializer.version > version)
      throw incompatible(
        stored.name,
        `it was written by version ${serializer.version} of serializer '${id}', the program has version ${version}`,
      )
  })
  const versions = stored.serializers.map(({ version }) => version)
  for (const { entries } of restored.runs) {
    const input = new ByteReader(entries)
    while (input.remaining > 0) {
      const key = readValue(input) as MapKey
      table.entries.set(key, reader.read(input, versions, key))
    }
  }
}

export function serializersText(serializers: readonly StoredSerializer[]): string {
  return serializers.map(({ id, version }) => `${id} version ${version}`).join(', ')
}

function incompatible(name: string, what: string): StreamError {
  return new StreamError('STATE_INCOMPATIBLE', {
    message: `The stored state '${name}' does not fit the program: ${what}.`,
    hint: 'Restore with the program that wrote it, or give the changed state another name.',
    details: { state: name },
  })
}
