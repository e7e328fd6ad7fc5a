/** Errors of the disk as StreamErrors: what was tried, on which path, and what helps. */
import { StreamError } from './errors.ts'

/** What was being done when the disk refused. */
export interface FailedOperation {
  readonly operation: string
  readonly path: string
  /** In a batch: which operation it was, from 0. Those before it were done, those after it were not. */
  readonly step?: number | undefined
}

const HINTS: Readonly<Record<string, string>> = {
  ENOSPC: 'The disk is full: make room, or move the directory to a larger disk.',
  EDQUOT: 'The quota of this user is used up: make room or raise it.',
  EFBIG: 'The file system does not take a file of this size.',
  EIO: 'The disk reported an input/output error: check it before you go on.',
  EACCES: 'Give the user that runs the job the right to read and write there.',
  EPERM: 'Give the user that runs the job the right to read and write there.',
  EROFS: 'The file system is mounted read-only: choose another directory or mount it writable.',
  EMFILE: 'The process has too many open files: raise `ulimit -n`.',
  ENFILE: 'The system has too many open files: close some, or raise the limit.',
  ENOENT: 'Check the path: something on it does not exist.',
  ENOTDIR: 'A part of the path is a file where a folder is needed: choose another directory, or move that file away.',
  EEXIST: 'Something stands at that path already; nothing was replaced.',
  EXDEV: 'The two paths lie on different file systems: choose directories on one.',
  ENAMETOOLONG: 'Choose a shorter directory.',
  THREAD_LOST: 'It is not known whether the operation took place. The next one starts a new thread.',
}

/** A StreamError of code FILE_ERROR. `details.systemCode` is the system's code, UNKNOWN when it gave none. */
export function fileError(thrown: unknown, failed: FailedOperation): StreamError {
  if (StreamError.is(thrown)) return thrown
  const systemCode = (thrown as { code?: unknown } | null)?.code
  const code = typeof systemCode === 'string' ? systemCode : 'UNKNOWN'
  const said = thrown instanceof Error ? thrown.message : String(thrown)
  return new StreamError('FILE_ERROR', {
    message: `Could not ${failed.operation} '${failed.path}': ${said}.`,
    hint: HINTS[code] ?? 'See the system code, and check the disk and the rights on that path.',
    details: {
      systemCode: code,
      path: failed.path,
      operation: failed.operation,
      ...(failed.step === undefined ? {} : { step: failed.step }),
    },
    cause: thrown,
  })
}

/** The system's code of an error of the file-system port; undefined for any other error. */
export function systemCodeOf(thrown: unknown): string | undefined {
  if (!StreamError.is(thrown) || thrown.code !== 'FILE_ERROR') return undefined
  const code = thrown.details.systemCode
  return typeof code === 'string' ? code : undefined
}

/** In a batch: the operation that failed, from 0. */
export function failedStepOf(thrown: unknown): number | undefined {
  if (!StreamError.is(thrown)) return undefined
  const step = thrown.details.step
  return typeof step === 'number' ? step : undefined
}
