/** Errors in the bytes of state, with the file in which they lie: the readers of state know no files. */
import { messageOf, StreamError } from '../../base/errors.ts'
import type { SnapshotIdentity } from '../../state/snapshot.ts'

const CORRUPT_HINT = 'Restore the file from a copy, or use another checkpoint or savepoint.'
const ABOUT_BYTES: readonly string[] = ['STATE_CORRUPT', 'STATE_INCOMPATIBLE', 'NOT_DESERIALIZABLE']

/** Runs `act`; what it throws about the bytes of the file is thrown again with the file's name. */
export async function readingFile<T>(path: string, identity: SnapshotIdentity, act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (thrown) {
    const isOurs = StreamError.is(thrown)
    if (isOurs ? !ABOUT_BYTES.includes(thrown.code) : !isTooLarge(thrown)) throw thrown
    // It names a file already: one of several.
    if (isOurs && typeof thrown.details.path === 'string') throw thrown
    const { kind, subtask, operatorId } = identity
    throw new StreamError(isOurs ? thrown.code : 'STATE_CORRUPT', {
      message: `The ${kind} state of subtask ${subtask} of operator ${operatorId} in '${path}' cannot be read: ${messageOf(thrown)}`,
      hint: isOurs ? thrown.hint : CORRUPT_HINT,
      details: { path, operatorId, subtask },
      cause: thrown,
    })
  }
}

/** What the engine throws for a text, number or map that it cannot hold. */
function isTooLarge(thrown: unknown): boolean {
  if (thrown instanceof RangeError || thrown instanceof SyntaxError) return true
  return thrown instanceof Error && 'code' in thrown && thrown.code === 'ERR_STRING_TOO_LONG'
}

/** State in table files of a database, which is not opened: that would write. */
export function unreadable(location: string, state: string): StreamError {
  return new StreamError('STATE_INCOMPATIBLE', {
    message: `State '${state}' of '${location}' stands in files that only its backend reads.`,
    hint: 'Take a savepoint in canonical format, and inspect that: its entries are the same.',
    details: { path: location, state },
  })
}

/** A payload whose frames are right and whose content contradicts itself. */
export function contradiction(what: string): StreamError {
  return new StreamError('STATE_CORRUPT', {
    message: `${what}.`,
    hint: CORRUPT_HINT,
  })
}
