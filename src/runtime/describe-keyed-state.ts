/** What the keyed state behind a handle consists of, without its entries. Reads as little as that takes. */
import { ByteReader } from '../elements/byte-reader.ts'
import type { KeyGroupRange } from '../state/key-group-range.ts'
import {
  corrupt,
  encodeKeyedHeader,
  HEADER_HEAD_BYTES,
  type KeyedHeader,
  readHeaderHead,
  readKeyedHeader,
} from '../state/keyed-format.ts'
import { LEVELDB } from '../state/level/checkpoint-chain.ts'
import { decodeIndex } from '../state/level/level-index.ts'
import { isOfParts } from '../state/level/part-codecs.ts'
import type { CompositeHandle, SnapshotReader, StateHandle, StoredHandle } from '../state/snapshot.ts'

/** The keyed state of one old subtask. */
export interface DescribedKeyedState {
  /** The range that the subtask had. */
  readonly keyGroups: KeyGroupRange
  readonly form:
    | { readonly type: 'canonical'; readonly contents: KeyedContents }
    /**
     * Of a backend's own. A table of it may have values of several lists of serializers: each is in contents of its own.
     * None: nobody can look into it here.
     */
    | { readonly type: 'own'; readonly handle: CompositeHandle; readonly contents: readonly KeyedContents[] }
}

export interface KeyedContents {
  readonly header: KeyedHeader
  /** The header alone, which is a payload of the canonical form as well. */
  readonly withoutEntries: Uint8Array
}

/** Of a header: some hundred thousand states. A wrong length asks for no more memory than this. */
const MOST_HEADER_BYTES = 16 * 1024 * 1024

/** `handle` was verified before. Throws STATE_CORRUPT, STATE_INCOMPATIBLE, or what reading throws. */
export async function describeKeyedState(handle: StateHandle, reader: SnapshotReader): Promise<DescribedKeyedState> {
  const keyGroups = handle.identity.keyGroups ?? { first: 0, last: -1 }
  if (handle.type !== 'composite')
    return { keyGroups, form: { type: 'canonical', contents: await readHeader(handle, reader) } }
  const contents = handle.backend === LEVELDB ? await levelContents(handle, reader) : []
  return { keyGroups, form: { type: 'own', handle, contents } }
}

async function readHeader(handle: StoredHandle, reader: SnapshotReader): Promise<KeyedContents> {
  const head = await firstBytes(handle, reader, HEADER_HEAD_BYTES)
  if (head.length < HEADER_HEAD_BYTES) throw corrupt(`it has ${head.length} bytes`)
  const { length } = readHeaderHead(head)
  if (length > MOST_HEADER_BYTES) throw corrupt(`its header would have ${length} bytes`)
  const withoutEntries = await firstBytes(handle, reader, HEADER_HEAD_BYTES + length)
  return { header: readKeyedHeader(new ByteReader(withoutEntries)), withoutEntries }
}

/** The index lists by table what its values were written with, oldest first. */
async function levelContents({ index, parts }: CompositeHandle, reader: SnapshotReader): Promise<KeyedContents[]> {
  const { maxParallelism, tables: all } = decodeIndex(await reader.read(index), parts.length)
  // Parts of large maps are none of the program's states.
  const tables = all.filter(({ kind }) => !isOfParts(kind))
  const most = Math.max(1, ...tables.map(({ schemas }) => schemas.length))
  return Array.from({ length: most }, (_, place) => {
    const header = {
      maxParallelism,
      tables: tables.flatMap(({ kind, name, schemas }) =>
        schemas[place] === undefined ? [] : [{ kind, name, serializers: schemas[place].serializers }],
      ),
    }
    return { header, withoutEntries: encodeKeyedHeader(header) }
  })
}

/** Fewer where there are no more. */
async function firstBytes(handle: StoredHandle, reader: SnapshotReader, most: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(most)
  let filled = 0
  try {
    await reader.scan(handle, (piece) => {
      const wanted = piece.subarray(0, most - filled)
      bytes.set(wanted, filled)
      filled += wanted.length
      if (filled === most) throw ENOUGH
    })
  } catch (thrown) {
    // The scan was left early, by the line above.
    if (thrown !== ENOUGH) throw thrown
  }
  return bytes.subarray(0, filled)
}

const ENOUGH = new Error('enough bytes were read')
