/** The job's side of a file source: one search for files that are read once, a search now and then for those that are followed. */
import { StreamError } from '../../base/errors.ts'
import type { FileSystem } from '../../base/file-system.ts'
import type { SplitEnumerator, SplitEnumeratorContext } from '../../operators/source.ts'
import { type SplitQueueState, splitQueue } from '../split-queue.ts'
import { atOnce } from './at-once.ts'
import { isCompressed } from './file-chunks.ts'
import { identify } from './file-identity.ts'
import type { FileSourceSettings } from './file-source-options.ts'
import { type FileSplit, freshSplit, rangeSplits } from './file-split.ts'
import { FollowingEnumerator, type FollowingState } from './following-enumerator.ts'
import { findInputFiles } from './input-files.ts'

export type FileEnumeratorState = SplitQueueState<FileSplit> | FollowingState

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
    return splitQueue({ context, restored, find: () => findSplits(context.environment.files, inputs, splitBytes) })
  }
  if (restored !== undefined && !isFollowing(restored)) throw otherMode('read each file once', 'follows them')
  return new FollowingEnumerator({ context, restored, inputs, monitorMs, splitBytes })
}

async function findSplits(
  files: FileSystem,
  inputs: readonly string[],
  splitBytes: number,
): Promise<readonly FileSplit[]> {
  const paths = await findInputFiles(files, inputs, 'fail')
  const splits: (readonly FileSplit[])[] = paths.map((path) => [freshSplit(path)])
  if (splitBytes === Number.POSITIVE_INFINITY) return splits.flat()
  await atOnce(paths.entries(), async ([index, path]) => {
    if (isCompressed(path)) return
    // One that is gone by now fails by its name when it is its turn.
    const size = (await files.stat(path))?.size ?? 0
    if (size > splitBytes) splits[index] = await rangesOf(files, path, splitBytes)
  })
  return splits.flat()
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
