/** The errors of whoever publishes: that it was replaced, and whether what failed may be visible all the same. */
import { StreamError } from '../base/errors.ts'
import { failedStepOf, systemCodeOf } from '../base/file-error.ts'
import type { FileOperation } from '../base/file-system.ts'

/** Of a writer that was replaced. */
export function fencedOff(where: string, epoch: number, cause?: unknown): StreamError {
  return new StreamError('JOB_FENCED', {
    message: `Another process has taken over the job in '${where}': this one (epoch ${epoch}) may write nothing any more.`,
    hint: 'Let the other process run. This one must end; nothing that it prepared was published.',
    details: { where, epoch, visible: 'no' },
    cause,
  })
}

/** A rename that the system refused for a reason of the paths has not taken place; of other failures nobody knows. */
const REFUSALS = new Set([
  'ENOENT',
  'ENOTEMPTY',
  'EEXIST',
  'ENOTDIR',
  'EXDEV',
  'EACCES',
  'EPERM',
  'EROFS',
  'ENOSPC',
  'EDQUOT',
])

/** Says whether it may have become visible. @param operations up to the one rename that makes something visible; none: nothing can have become so. */
export function withVisibility(thrown: unknown, operations: readonly FileOperation[]): unknown {
  if (!StreamError.is(thrown) || thrown.code === 'JOB_FENCED') return thrown
  const code = systemCodeOf(thrown) ?? ''
  const step = failedStepOf(thrown)
  const renameStep = operations.findIndex(({ type }) => type === 'rename')
  const isBefore = renameStep < 0 || (step !== undefined && step < renameStep)
  const isRefused = step === renameStep && REFUSALS.has(code)
  const { message, hint, details, cause } = thrown
  return new StreamError(thrown.code, {
    message,
    hint,
    details: { ...details, visible: isBefore || isRefused ? 'no' : 'unknown' },
    cause,
  })
}

/** It is certain that nothing became visible. */
export function isHidden(thrown: unknown): boolean {
  return StreamError.is(thrown) && thrown.details.visible === 'no'
}
