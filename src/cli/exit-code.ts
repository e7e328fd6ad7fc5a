/** Exit codes: 0 finished, cancelled or nothing to do; 1 failed or refused; 2 bad arguments or configuration; 130, 143 by a signal. */
import type { ErrorCode } from '../base/error-codes.ts'
import { StreamError } from '../base/errors.ts'
import type { EndingSignal } from './process-boundary.ts'

export const SUCCESS = 0
export const FAILED = 1
const BAD_ARGUMENTS = 2

const OF_ARGUMENTS: readonly ErrorCode[] = [
  'COMMAND_INVALID',
  'CONFIG_FILE_MISSING',
  'CONFIG_INVALID',
  'REST_UNPROTECTED',
  'RESUME_NEEDS_DIRECTORY',
]

/** How one job of the run ended. */
export type JobEnding = 'finished' | 'canceled' | 'suspended' | 'failed'

/** `details.exitCode: 2` marks other errors that the arguments are to blame for, such as a job file that is missing. */
export function exitCodeOfError(error: unknown): number {
  if (!StreamError.is(error)) return FAILED
  return OF_ARGUMENTS.includes(error.code) || error.details.exitCode === BAD_ARGUMENTS ? BAD_ARGUMENTS : FAILED
}

export const exitCodeOfSignal = (signal: EndingSignal): number => (signal === 'SIGINT' ? 130 : 143)

export function endingOf(failure: unknown): JobEnding {
  if (!StreamError.is(failure)) return 'failed'
  if (failure.code === 'JOB_CANCELED') return 'canceled'
  return failure.code === 'JOB_SUSPENDED' ? 'suspended' : 'failed'
}

export interface RunEnd {
  readonly endings: readonly JobEnding[]
  /** Jobs that did not start, and what the job file threw beside its jobs. */
  readonly errors: readonly unknown[]
  readonly signal: EndingSignal | undefined
}

/** Of a run whose jobs have all ended. A job that ended by itself before the signal took effect ends as it would have. */
export function exitCodeOfRun({ endings, errors, signal }: RunEnd): number {
  const [first] = errors
  if (first !== undefined) return exitCodeOfError(first)
  if (endings.includes('failed')) return FAILED
  return signal !== undefined && endings.includes('suspended') ? exitCodeOfSignal(signal) : SUCCESS
}
