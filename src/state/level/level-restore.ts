/** Takes stored states into a backend that is empty: its own form, whole or in part, and the canonical one. */
import { StreamError } from '../../base/errors.ts'
import type { FileSystem } from '../../base/file-system.ts'
import type { OrderedStore, OrderedStores, StoreSettings } from '../../base/ordered-store.ts'
import { isEmpty, type KeyGroupRange } from '../key-group-range.ts'
import { canonical } from '../keyed-stream-reader.ts'
import type { RestorePace } from '../restore-pace.ts'
import { otherMaxParallelism } from '../restored-tables.ts'
import type { CompositeHandle, SnapshotReader, StoredHandle } from '../snapshot.ts'
import type { StoredKeyedState } from '../state-backend.ts'
import { type Chain, type ChainBase, chainOf, LEVELDB } from './checkpoint-chain.ts'
import { EntryLogReader } from './entry-log.ts'
import { decodeIndex } from './level-index.ts'
import type { LevelTables } from './level-tables.ts'
import type { PartSizes } from './part-sizes.ts'
import { restoreCanonical } from './restore-canonical.ts'
import { RestoreSink } from './restore-sink.ts'
import { RestoredNames } from './restored-names.ts'
import { lowestKeyOf } from './store-key.ts'
import { copyTables } from './table-copies.ts'
import type { WriteQueue } from './write-queue.ts'

export interface RestoreOptions {
  readonly maxParallelism: number
  readonly keyGroups: KeyGroupRange
  readonly tables: LevelTables
  readonly queue: WriteQueue
  readonly stores: OrderedStores
  readonly settings: StoreSettings
  readonly partSizes: PartSizes
  readonly pace: RestorePace
  readonly files: FileSystem
  /** Of the store, and of one that is only read; neither exists. */
  readonly storeFolder: string
  readonly foreignFolder: string
}

const PAGE_BYTES = 1024 * 1024

/** Gives the chain of which the backend now holds exactly the contents, if checkpoints to come may name its files. */
export async function restoreStates(
  states: readonly StoredKeyedState[],
  options: RestoreOptions,
): Promise<Chain | undefined> {
  const { keyGroups: own, tables, queue } = options
  const touching = states.filter(
    ({ keyGroups }) => !isEmpty(keyGroups) && keyGroups.last >= own.first && keyGroups.first <= own.last,
  )
  const sink = new RestoreSink(own, tables, queue)
  try {
    const [only] = touching
    const isWhole = touching.length === 1 && only !== undefined && sameRange(only.keyGroups, own)
    let chain: Chain | undefined
    for (const state of touching) chain = await restoreState(state, options, sink, isWhole)
    await sink.finish()
    return isWhole && only.mayReuse === true ? chain : undefined
  } catch (thrown) {
    await sink.settled()
    throw thrown
  }
}

async function restoreState(
  state: StoredKeyedState,
  options: RestoreOptions,
  sink: RestoreSink,
  isWhole: boolean,
): Promise<Chain | undefined> {
  const { handle, reader } = state
  if (handle.type !== 'composite' || handle.backend !== LEVELDB) {
    // Throws for a form of yet another backend.
    canonical(handle)
    await restoreCanonical(state, options, sink)
    return undefined
  }
  const { index, chain } = await readChain(handle, reader, options.maxParallelism)
  // A store that is taken over as it is has its numbers in the keys.
  if (isWhole) options.tables.adopt(index.tables)
  const names = new RestoredNames(index.tables, options.tables)
  await restoreBase(chain.base, reader, options, names, sink, isWhole)
  for (const delta of chain.deltas) await restoreLog(delta, reader, names, sink)
  return chain
}

async function readChain(handle: CompositeHandle, reader: SnapshotReader, maxParallelism: number) {
  const index = decodeIndex(await reader.read(handle.index), handle.parts.length)
  if (index.maxParallelism !== maxParallelism) throw otherMaxParallelism(index.maxParallelism, maxParallelism)
  return { index, chain: chainOf(handle, index) }
}

async function restoreBase(
  base: ChainBase,
  reader: SnapshotReader,
  options: RestoreOptions,
  names: RestoredNames,
  sink: RestoreSink,
  isWhole: boolean,
): Promise<void> {
  if (base.kind === 'none') return
  if (base.kind === 'dump') {
    for (const file of base.files) await restoreLog(file, reader, names, sink)
    return
  }
  const { stores, queue, tables } = options
  if (!stores.keepsTables) throw cannotOpenTables()
  if (isWhole) {
    queue.adopt(await openTables(base, reader, options, options.storeFolder))
    for (const { id, pinned } of tables.slots()) if (!pinned) queue.mark(id)
    for (const { table } of base.files) queue.writtenBytes += table.length
    return
  }
  const foreign = await openTables(base, reader, options, options.foreignFolder)
  try {
    await copyEntries(foreign, options.keyGroups, names, sink)
  } finally {
    await foreign.close()
    await options.files.execute([{ type: 'remove', path: options.foreignFolder }])
  }
}

async function openTables(
  { files: tables, lastSequence }: ChainBase & { readonly kind: 'tables' },
  reader: SnapshotReader,
  { stores, settings, files }: RestoreOptions,
  folder: string,
): Promise<OrderedStore> {
  await copyTables(tables, reader, files, folder)
  return stores.reopen(folder, { tables: tables.map(({ table }) => table), lastSequence }, settings)
}

async function copyEntries(
  store: OrderedStore,
  { first, last }: KeyGroupRange,
  names: RestoredNames,
  sink: RestoreSink,
): Promise<void> {
  const snapshot = store.snapshot()
  try {
    const range = { from: lowestKeyOf(first), below: lowestKeyOf(last + 1), pageBytes: PAGE_BYTES }
    for await (const page of snapshot.scan(range)) {
      const entries = page.map(([key, value]) => ({ key, value }))
      names.rename(entries)
      await sink.add(entries)
    }
  } finally {
    snapshot.release()
  }
}

async function restoreLog(
  file: StoredHandle,
  reader: SnapshotReader,
  names: RestoredNames,
  sink: RestoreSink,
): Promise<void> {
  const log = new EntryLogReader((operations) => {
    names.rename(operations)
    return sink.add(operations)
  })
  await reader.scan(file, (piece, payloadLength) => log.push(piece, payloadLength))
  log.end()
}

function sameRange(one: KeyGroupRange, other: KeyGroupRange): boolean {
  return one.first === other.first && one.last === other.last
}

function cannotOpenTables(): StreamError {
  return new StreamError('STATE_INCOMPATIBLE', {
    message: 'The checkpoint holds table files of a store, and the store of this process cannot open such files.',
    hint: 'Take a savepoint in canonical format where the checkpoint was written, and start from that.',
  })
}
