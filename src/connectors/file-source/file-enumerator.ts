/** The job's side of a file source: one search for files that are read once, a search now and then for those that are followed. */
import { StreamError } from '../../base/errors.ts'
import type { FileSystem } from '../../base/file-system.ts'
import type { SourceEnvironment, SplitEnumerator, SplitEnumeratorContext } from '../../operators/source.ts'
import { type SplitQueueState, splitQueue } from '../split-queue.ts'
import { atOnce } from './at-once.ts'
import { isCompressed } from './file-chunks.ts'
import { identify } from './file-identity.ts'
import type { FileSourceSettings } from './file-source-options.ts'
import { type FileSplit, freshSplit, rangeSplits } from './file-split.ts'
import { FollowingEnumerator, type FollowingState } from './following-enumerator.ts'
import { findInputFiles } from './input-files.ts'
import { packed, rememberBytes, rememberingSerializer, unpacked } from './remembering-serializer.ts'

/** Of files that are read once. */
export interface FileQueueState {
  /** As `packed` has them. Undefined: they were not found yet. Earlier versions have written the splits themselves. */
  readonly unassigned: ArrayBuffer | readonly FileSplit[] | undefined
}

export type FileEnumeratorState = FileQueueState | FollowingState

export interface FileEnumeratorOptions {
  readonly context: SplitEnumeratorContext<FileSplit>
  readonly restored: FileEnumeratorState | undefined
  readonly settings: FileSourceSettings
  /** Whether files may be cut into ranges. */
  readonly lineIsRecord: boolean
}

export function fileEnumerator({
  context,
  restored,
  settings,
  lineIsRecord,
}: FileEnumeratorOptions): SplitEnumerator<FileSplit, FileEnumeratorState> {
  const { inputs, monitorMs } = settings
  const splitBytes = lineIsRecord ? settings.splitBytes : Number.POSITIVE_INFINITY
  if (monitorMs === undefined) {
    if (restored !== undefined && isFollowing(restored)) throw otherMode('followed files', 'reads each once')
    const find = () => findSplits(context.environment, inputs, splitBytes)
    return packing(splitQueue({ context, restored: restored && unpackedQueue(restored), find }))
  }
  if (restored !== undefined && !isFollowing(restored)) throw otherMode('read each file once', 'follows them')
  return new FollowingEnumerator({ context, restored, inputs, monitorMs, splitBytes })
}

/** Then other work of the thread. */
const SERIALISED_AT_ONCE = 200
const SERIALIZER = rememberingSerializer<FileSplit>()

/** Thousands of files that wait for their turn are serialised once, and not for every checkpoint. */
function packing(
  queue: SplitEnumerator<FileSplit, SplitQueueState<FileSplit>>,
): SplitEnumerator<FileSplit, FileEnumeratorState> {
  return {
    start: () => queue.start(),
    handleSplitRequest: (subtask) => queue.handleSplitRequest(subtask),
    addSplitsBack: (splits, subtask) => queue.addSplitsBack(splits, subtask),
    addReader: (subtask) => queue.addReader(subtask),
    async snapshotState(checkpointId) {
      const { unassigned } = await queue.snapshotState(checkpointId)
      return { unassigned: unassigned && packed(unassigned, SERIALIZER) }
    },
    close: () => queue.close(),
  }
}

function unpackedQueue({ unassigned }: FileQueueState): SplitQueueState<FileSplit> {
  return { unassigned: unassigned instanceof ArrayBuffer ? [...unpacked(unassigned, SERIALIZER)] : unassigned }
}

async function findSplits(
  { files, clock }: SourceEnvironment,
  inputs: readonly string[],
  splitBytes: number,
): Promise<readonly FileSplit[]> {
  const paths = await findInputFiles(files, inputs, 'fail')
  const splits: (readonly FileSplit[])[] = paths.map((path) => [freshSplit(path)])
  if (splitBytes !== Number.POSITIVE_INFINITY)
    await atOnce(paths.entries(), async ([index, path]) => {
      if (isCompressed(path)) return
      // One that is gone by now fails by its name when it is its turn.
      const size = (await files.stat(path))?.size ?? 0
      if (size > splitBytes) splits[index] = await rangesOf(files, path, splitBytes)
    })
  const found = splits.flat()
  for (const [index, split] of found.entries()) {
    rememberBytes(split)
    if (index % SERIALISED_AT_ONCE === SERIALISED_AT_ONCE - 1)
      await new Promise<void>((settle) => void clock.setTimer(1, settle))
  }
  return found
}

async function rangesOf(files: FileSystem, path: string, splitBytes: number): Promise<readonly FileSplit[]> {
  const handle = await files.openRead(path)
  try {
    return rangeSplits(path, path, await identify(handle), splitBytes)
  } finally {
    await handle.close()
  }
}

function isFollowing(state: FileEnumeratorState): state is FollowingState {
  return 'found' in state
}

function otherMode(before: string, now: string): StreamError {
  return new StreamError('STATE_INCOMPATIBLE', {
    message: `The stored state is of a file source that ${before}; the program's one ${now}.`,
    hint: 'Keep `monitorContinuously` as it was, or give the source another uid and start it without its state.',
  })
}
