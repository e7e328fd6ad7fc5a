/**
 * The entries of one keyed state in canonical order: by key group, then by the bytes of the key. So two checkpoints of
 * the same state, of whatever backend and parallelism, give the same lines.
 */
import type { OperatorMetadata, SubtaskMetadata } from '../../checkpoint/checkpoint-metadata.ts'
import type { MapKey } from '../../state/key.ts'
import { contains, type KeyGroupRange } from '../../state/key-group-range.ts'
import { hashOfMapKey, keyGroupOfHash } from '../../state/key-groups.ts'
import type { StateHandle } from '../../state/snapshot.ts'
import { unreadable } from './bad-state.ts'
import { formOfRow, type Row, rowPicker, type Sought, sortedOnce } from './keyed-rows.ts'
import { type KeyedStateReader, keyedStateReader } from './keyed-scan.ts'
import { KeyedTally } from './keyed-tally.ts'
import { ALL_KEY_GROUPS, sortableRanges, type Weighed } from './keyed-visitor.ts'
import type { OpenCheckpoint } from './open-checkpoint.ts'
import type { StateChoice } from './state-choice.ts'
import type { TakeEntry } from './state-entries.ts'

/**
 * `{ key, value, touchedMs?, keyGroup }` each. Of one key only the state that has its key group is read. Rejects with
 * STATE_INCOMPATIBLE where only the backend can read it.
 */
export async function eachKeyedEntry(
  checkpoint: OpenCheckpoint,
  { operator, kind, name }: StateChoice,
  key: MapKey | undefined,
  take: TakeEntry,
): Promise<void> {
  const keyGroup = key === undefined ? undefined : keyGroupOfHash(hashOfMapKey(key), operator.maxParallelism)
  const subtasks = withKeyedState(operator, keyGroup)
  await checkpoint.verify([{ ...operator, coordinator: undefined, subtasks }])
  const readers = await Promise.all(subtasks.map(({ keyed }) => keyedStateReader(checkpoint, keyed)))
  if (readers.some(({ isReadable }) => !isReadable)) throw unreadable(checkpoint.location, name)
  const sought: Sought = { kind, name, key }
  for (const reader of readers) {
    if (keyGroup !== undefined) await takeSorted(reader, { first: keyGroup, last: keyGroup }, sought, take)
    else await takeInOrder(reader, operator.maxParallelism, sought, take)
  }
}

type WithKeyedState = SubtaskMetadata & { readonly keyed: StateHandle }

/** Those that have the key group, in the order of their key groups; nothing else of them is read. */
function withKeyedState({ subtasks }: OperatorMetadata, keyGroup: number | undefined): readonly WithKeyedState[] {
  const chosen: WithKeyedState[] = []
  for (const { index, finished, keyed } of subtasks)
    if (keyed !== undefined && (keyGroup === undefined || contains(rangeOf(keyed), keyGroup)))
      chosen.push({ index, finished, keyed })
  return chosen.sort((one, other) => rangeOf(one.keyed).first - rangeOf(other.keyed).first)
}

function rangeOf({ identity }: StateHandle): KeyGroupRange {
  return identity.keyGroups ?? ALL_KEY_GROUPS
}

/** Checks the frames of the whole state, learns in which order its key groups stand, then reads it again. */
async function takeInOrder(
  reader: KeyedStateReader,
  maxParallelism: number,
  sought: Sought,
  take: TakeEntry,
): Promise<void> {
  const found = await keyGroupsIn(reader, maxParallelism)
  if (isRising(found)) await takeRising(reader, sought, take)
  else for (const range of sortableRanges(found)) await takeSorted(reader, range, sought, take)
}

async function keyGroupsIn(reader: KeyedStateReader, maxParallelism: number): Promise<readonly Weighed[]> {
  const found: Weighed[] = []
  const tally = new KeyedTally(maxParallelism).visitor()
  let bytes = 0
  await reader.scan({
    ...tally,
    entry(keyGroup, tableId, key, value) {
      tally.entry(keyGroup, tableId, key, value)
      bytes += key.length + value.length
    },
    async keyGroupEnd(keyGroup) {
      await tally.keyGroupEnd(keyGroup)
      found.push({ keyGroup, bytes })
      bytes = 0
    },
  })
  return found
}

/** As every writer of ours has it: each key group can be handed out when it was read. */
function isRising(found: readonly Weighed[]): boolean {
  return found.every(({ keyGroup }, index) => index === 0 || keyGroup > (found[index - 1] as Weighed).keyGroup)
}

async function takeRising(reader: KeyedStateReader, sought: Sought, take: TakeEntry): Promise<void> {
  let rows: Row[] = []
  await reader.scan({
    ...rowPicker(sought, (row) => void rows.push(row)),
    async keyGroupEnd() {
      const whole = rows
      rows = []
      await takeRows(whole, take)
    },
  })
}

async function takeSorted(
  reader: KeyedStateReader,
  range: KeyGroupRange,
  sought: Sought,
  take: TakeEntry,
): Promise<void> {
  const rows: Row[] = []
  await reader.scan({ ...rowPicker(sought, (row) => void rows.push(row)), keyGroupEnd: () => {} }, range)
  await reader.naming(() => takeRows(rows, take))
}

async function takeRows(rows: Row[], take: TakeEntry): Promise<void> {
  for (const row of sortedOnce(rows)) await take(formOfRow(row))
}
