/** Failures of checkpoints in words: from what was thrown to the chart's reason, and from the chart's order to an error. */
import type { CoordinatorOrder } from '#machines/checkpoint-coordinator-vocabulary'
import { StreamError } from '../../base/errors.ts'
import type { Cause, Causes } from './causes.ts'
import { textOf } from './text-of.ts'

/** Why a checkpoint fails of `thrown`. */
export function failureOf(
  thrown: unknown,
  otherwise: string,
): { readonly reason: string; readonly message: string; readonly visible: 'no' | 'unknown' } {
  const details = StreamError.is(thrown) ? thrown.details : {}
  const named = typeof details.reason === 'string' ? details.reason : undefined
  return {
    reason: named ?? (StreamError.is(thrown) && thrown.code === 'FILE_ERROR' ? 'IO_EXCEPTION' : otherwise),
    message: textOf(thrown),
    visible: details.visible === 'unknown' ? 'unknown' : 'no',
  }
}

const WHEN_RUNNING =
  'Trigger again when all of them are. A task that has finished will not be; with periodic checkpoints (enableCheckpointing) it need not.'

/** What the asker gets. */
export function requestFailure(order: Extract<CoordinatorOrder, { type: 'rejectRequest' }>): StreamError {
  const { checkpointId, kind, reason, message } = order
  const what = kind === 'checkpoint' ? 'checkpoint' : 'savepoint'
  const which =
    checkpointId === null ? `The ${what} was not triggered` : `The ${what} with id ${checkpointId} was aborted`
  return new StreamError('CHECKPOINT_FAILED', {
    message: `${which} (${reason}): ${message}`,
    hint: `The job runs on. ${reason === 'NOT_ALL_REQUIRED_TASKS_RUNNING' ? WHEN_RUNNING : 'Trigger again when the reason is gone.'}`,
    details: { checkpointId, kind, reason },
  })
}

/**
 * What fails the job: that too many checkpoints failed, with what was thrown in the task as its cause; or that alone, when
 * no restart helps against it and the next checkpoint would fail of it as well.
 */
export function jobFailure(order: Extract<CoordinatorOrder, { type: 'failJob' }>, causes: Causes): Cause {
  const { cause } = order
  if (cause?.restartHelps === false) return cause
  const exceeded = causes.of(exceededBy(order, causes), 'CHECKPOINT_FAILURES_EXCEEDED')
  return cause?.operator === undefined ? exceeded : { ...exceeded, operator: cause.operator }
}

function exceededBy(order: Extract<CoordinatorOrder, { type: 'failJob' }>, causes: Causes): StreamError {
  const { checkpointId, reason, message, cause, task } = order
  const which = checkpointId === null ? 'a checkpoint' : `checkpoint ${checkpointId}`
  const where = task === null ? '' : ` in subtask ${task.task} (attempt ${task.attempt})`
  return new StreamError('CHECKPOINT_FAILURES_EXCEEDED', {
    message: `Failure of ${which}${where} fails the job (${reason}): ${message}`,
    hint: 'Allow more failures in a row with execution.checkpointing.tolerable-failed-checkpoints, or remove the reason.',
    details: { checkpointId, reason, task: task?.task ?? null, attempt: task?.attempt ?? null },
    ...(cause === null ? {} : { cause: causes.thrown(cause) }),
  })
}
