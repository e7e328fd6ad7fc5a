/** What a checkpoint is made of, a base and the deltas behind it, and its handle. */
import { assert } from '../../base/assert.ts'
import type { StoreTable } from '../../base/ordered-store.ts'
import type { CompositeHandle, SnapshotIdentity, SnapshotTarget, StateHandle, StoredHandle } from '../snapshot.ts'
import { corruptLog } from './entry-log.ts'
import { encodeIndex, type IndexBase, type IndexTable, type LevelIndex } from './level-index.ts'

/** Under which a handle says who reads it. */
export const LEVELDB = 'leveldb'

/** More deltas than that make a restore slow. */
const MOST_DELTAS = 16
const LEAST_DELTA_BYTES = 32 * 1024 * 1024
/** Deltas may take this part of the base. */
const DELTA_PART = 1 / 4

export type ChainBase =
  | { readonly kind: 'none' }
  | { readonly kind: 'dump'; readonly files: readonly StoredHandle[] }
  | {
      readonly kind: 'tables'
      readonly lastSequence: string
      readonly files: readonly { readonly table: StoreTable; readonly file: StoredHandle }[]
    }

export interface Chain {
  readonly base: ChainBase
  readonly deltas: readonly StoredHandle[]
}

/** A new base is due. */
export function isTooLong({ base, deltas }: Chain): boolean {
  const deltaBytes = sum(deltas)
  const most = Math.max(LEAST_DELTA_BYTES, sum(filesOf(base)) * DELTA_PART)
  return deltas.length >= MOST_DELTAS || deltaBytes > most
}

/** Checkpoints to come may name all of its files: none lies in the folder of one checkpoint. */
export function mayBeNamedAgain({ base, deltas }: Chain): boolean {
  return [...filesOf(base), ...deltas].every(({ type }) => type !== 'file')
}

/** Of a table file each, by its number. */
export function tableFilesOf(base: ChainBase | undefined): ReadonlyMap<number, StoredHandle> {
  return new Map(base?.kind === 'tables' ? base.files.map(({ table, file }) => [table.number, file]) : [])
}

/** Writes the index. Rejects as the streams of the target do. */
export async function writeHandle(
  target: SnapshotTarget,
  chain: Chain,
  maxParallelism: number,
  tables: readonly IndexTable[],
): Promise<StateHandle> {
  const files = [...filesOf(chain.base), ...chain.deltas]
  const deltasAt = files.length - chain.deltas.length
  const bytes = encodeIndex({
    maxParallelism,
    tables,
    base: indexBase(chain.base),
    deltas: chain.deltas.map((_, place) => deltasAt + place),
  })
  const stream = target.open('own')
  try {
    await stream.append(bytes)
    const index = await stream.finish()
    assert(index.type !== 'shared', 'a stream of one checkpoint became a shared file')
    const parts = files.map((file) => ofCheckpoint(file, index.identity))
    return { type: 'composite', identity: index.identity, backend: LEVELDB, index, parts }
  } catch (thrown) {
    await stream.abandon()
    throw thrown
  }
}

/** Throws STATE_CORRUPT where a part is missing. */
export function chainOf(handle: CompositeHandle, { base, deltas }: LevelIndex): Chain {
  const part = (number: number): StoredHandle => {
    const found = handle.parts[number]
    if (found === undefined) throw corruptLog(`its index names part ${number}, and there are ${handle.parts.length}`)
    return found
  }
  return { base: chainBase(base, part), deltas: deltas.map(part) }
}

function chainBase(base: IndexBase, part: (number: number) => StoredHandle): ChainBase {
  if (base.kind === 'none') return base
  if (base.kind === 'dump') return { kind: 'dump', files: base.parts.map(part) }
  return {
    kind: 'tables',
    lastSequence: base.lastSequence,
    files: base.files.map(({ part: number, ...table }) => ({ table, file: part(number) })),
  }
}

function indexBase(base: ChainBase): IndexBase {
  if (base.kind === 'none') return base
  if (base.kind === 'dump') return { kind: 'dump', parts: base.files.map((_, place) => place) }
  return {
    kind: 'tables',
    lastSequence: base.lastSequence,
    files: base.files.map(({ table }, part) => ({ ...table, part })),
  }
}

function filesOf(base: ChainBase): readonly StoredHandle[] {
  if (base.kind === 'none') return []
  return base.kind === 'dump' ? base.files : base.files.map(({ file }) => file)
}

/** Bytes that stand in the handle itself belong to the checkpoint that names them. */
function ofCheckpoint(file: StoredHandle, identity: SnapshotIdentity): StoredHandle {
  return file.type === 'inline' ? { ...file, identity } : file
}

function sum(files: readonly StoredHandle[]): number {
  return files.reduce((bytes, file) => bytes + lengthOf(file), 0)
}

function lengthOf(file: StoredHandle): number {
  return file.type === 'inline' ? (file.bytes.length * 3) / 4 : file.length
}
