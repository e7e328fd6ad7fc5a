/** What whoever asked for a savepoint is told when it was not taken, or the job did not end with it. Pure. */
import type { ErrorCode } from '../base/error-codes.ts'
import { StreamError } from '../base/errors.ts'
import type { Cause, Causes } from './control/causes.ts'
import type { JobOrderOf } from './control/job.ts'
import type { StopRefusal } from './control/stop-with-savepoint.ts'
import { textOf } from './control/text-of.ts'

export function directoryMissing(jobName: string): StreamError {
  return new StreamError('STORAGE_LOCATION', {
    message: `A savepoint of job "${jobName}" needs a folder, and neither the call names one nor is execution.checkpointing.savepoint-dir set.`,
    hint: 'Name the folder in the call, or set execution.checkpointing.savepoint-dir.',
    details: { option: 'execution.checkpointing.savepoint-dir' },
  })
}

/** `thrown`: what the disk says when the folder is made and tried, before anything is triggered. */
export function folderRefused(jobName: string, directory: string, thrown: unknown): unknown {
  if (!StreamError.is(thrown) || thrown.code !== 'FILE_ERROR') return thrown
  const { details, hint } = thrown
  return new StreamError('FILE_ERROR', {
    message: `No savepoint of job "${jobName}" can be written to '${directory}': ${thrown.message}`,
    hint: `${HELPS[String(details.systemCode)] ?? hint ?? 'See the system code.'} Or name another folder. Nothing was triggered, and the job runs on.`,
    details: { ...details, path: directory },
    cause: thrown,
  })
}

const IN_THE_WAY = 'A file is in the way of the folder: move it away.'
const HELPS: Readonly<Record<string, string>> = { EEXIST: IN_THE_WAY, ENOTDIR: IN_THE_WAY }

export function notWithinStop(jobName: string, what: string): StreamError {
  return new StreamError('CHECKPOINT_FAILED', {
    message: `The ${what} was not triggered: job "${jobName}" is being ended with a savepoint, and nothing may complete beside that one.`,
    hint: 'Wait for that savepoint.',
  })
}

/** Counts as no failure of the disk: what was written is whole, and is no part of the job's history. */
export function sealDenied(jobName: string, savepoint: string): StreamError {
  return new StreamError('CHECKPOINT_FAILED', {
    message: `The savepoint ${savepoint} was written, but job "${jobName}" went another way before its record named it; nothing was committed for it.`,
    hint: 'The folder is no part of what the job goes on from, and may be deleted.',
    details: { savepoint, reason: 'FINALIZE_CHECKPOINT_FAILURE', visible: 'no' },
  })
}

export function stopRefusal({
  jobName,
  ends,
  why,
  end,
  lastFailure,
  causes,
}: {
  readonly jobName: string
  readonly ends: 'stop' | 'cancel'
  readonly why: StopRefusal
  /** How the job ended, where it has. */
  readonly end: JobOrderOf<'endJob'> | undefined
  readonly lastFailure: Cause | undefined
  readonly causes: Causes
}): StreamError {
  const job = `Job "${jobName}"`
  const done = ends === 'stop' ? 'stopped' : 'cancelled'
  switch (why.type) {
    case 'busy':
      return refused(`${job} is being ended with a savepoint already.`, 'Wait for that one.')
    case 'notRunning':
      return refused(
        `${job} was not ${done} with a savepoint: it does not run, or is on its way to another end.`,
        'A job that is restarting can be asked again when it is RUNNING.',
      )
    case 'restarted': {
      const failure = lastFailure === undefined ? '' : `: ${textOf(causes.thrown(lastFailure))}`
      return refused(
        `${job} was not ${done}: it failed before its savepoint was complete, and goes on from its last checkpoint${failure}`,
        'Ask again when it is RUNNING.',
        lastFailure === undefined ? undefined : causes.thrown(lastFailure),
      )
    }
    case 'failed': {
      const thrown = causes.thrown(why.cause)
      if (StreamError.is(thrown) && thrown.code === 'FILE_ERROR' && !why.restarts) return thrown
      return refused(
        `${job} was not ${done}: ${textOf(thrown)}`,
        why.restarts
          ? 'Sources that had stopped for the savepoint cannot go on: the job goes back to its last checkpoint, where its restart strategy allows that. A job whose input had ended by itself goes on to its end.'
          : 'The job runs on, and its periodic checkpoints go on. Ask again when the reason is gone.',
        thrown,
      )
    }
    case 'ended':
      return endedOtherwise(`${job} was to be ${done} with a savepoint`, why, end, causes)
    default:
      return why satisfies never
  }
}

function endedOtherwise(
  asked: string,
  { status, savepoint, recorded }: Extract<StopRefusal, { readonly type: 'ended' }>,
  end: JobOrderOf<'endJob'> | undefined,
  causes: Causes,
): StreamError {
  const cause = end?.cause ?? (recorded ? null : (end?.notRecorded ?? null))
  const thrown = cause === null ? undefined : causes.thrown(cause)
  const why = cause === null ? '' : `: ${textOf(thrown)}`
  const taken = savepoint === null ? 'and did not come to that' : `which is complete: ${savepoint}`
  const unrecorded = recorded ? '' : ' and its record could not be written'
  return new StreamError(CODES[status], {
    message: `${asked}, ${taken}. It ended as ${status}${unrecorded}${why}`,
    hint:
      savepoint === null
        ? withoutSavepoint(status)
        : `Go on from the savepoint and from nothing older: ${recorded ? "with --resume (resume: 'latest'), or " : ''}with -s ${savepoint}. What it covers and is not committed yet is committed then.`,
    details: { status, ...(savepoint === null ? {} : { savepoint }) },
    ...(cause === null ? {} : { cause: thrown }),
  })
}

function withoutSavepoint(status: keyof typeof CODES): string {
  return status === 'FINISHED'
    ? 'Its input had ended by itself: everything is processed and committed, and there is nothing to go on with.'
    : 'The end of the job says how it can go on.'
}

const CODES = {
  FINISHED: 'CHECKPOINT_FAILED',
  FAILED: 'JOB_FAILED',
  CANCELED: 'JOB_CANCELED',
  SUSPENDED: 'JOB_SUSPENDED',
} as const satisfies Record<string, ErrorCode>

function refused(message: string, hint: string, cause?: unknown): StreamError {
  return new StreamError('CHECKPOINT_FAILED', { message, hint, ...(cause === undefined ? {} : { cause }) })
}
