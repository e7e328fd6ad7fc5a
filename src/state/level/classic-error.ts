/** Errors of LevelDB as those of the disk: LevelDB gives the system's text and no code of it. */

import { StreamError } from '../../base/errors.ts'
import { fileError } from '../../base/file-error.ts'

const SYSTEM_TEXTS: readonly (readonly [text: string, code: string])[] = [
  ['No space left on device', 'ENOSPC'],
  ['Disk quota exceeded', 'EDQUOT'],
  ['File too large', 'EFBIG'],
  ['Input/output error', 'EIO'],
  ['Permission denied', 'EACCES'],
  ['Operation not permitted', 'EPERM'],
  ['Read-only file system', 'EROFS'],
  ['Too many open files in system', 'ENFILE'],
  ['Too many open files', 'EMFILE'],
  ['No such file or directory', 'ENOENT'],
]

/** FILE_ERROR with the system's code where LevelDB's text shows it, else with LevelDB's own. */
export function classicError(thrown: unknown, operation: string, folder: string): StreamError {
  if (StreamError.is(thrown)) return thrown
  const error = causeOf(thrown)
  const said = error instanceof Error ? error.message.replace(/\.$/, '') : String(error)
  const code = SYSTEM_TEXTS.find(([text]) => said.includes(text))?.[1] ?? (error as { code?: unknown } | null)?.code
  return fileError(Object.assign(new Error(said, { cause: thrown }), { code }), { operation, path: folder })
}

/** That the store is not open is said around the reason why it did not open. */
function causeOf(thrown: unknown): unknown {
  return thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause : thrown
}
