/** What whoever waits for a job gets at its end: a result, or the error that says how it ended. Pure. */
import { StreamError } from '../base/errors.ts'
import type { Causes } from './control/causes.ts'
import type { JobOrderOf } from './control/job.ts'
import { textOf } from './control/text-of.ts'

/**
 * Undefined for a job that finished. `changesRecord`: under `execution.debug-freeze`, whether what was thrown is the
 * change of a frozen value.
 */
export function endError(
  jobName: string,
  end: JobOrderOf<'endJob'>,
  causes: Causes,
  changesRecord: (thrown: unknown) => boolean = () => false,
): StreamError | undefined {
  const job = `Job "${jobName}"`
  switch (end.status) {
    case 'FINISHED':
      return undefined
    case 'CANCELED':
      return new StreamError('JOB_CANCELED', { message: `${job} was cancelled.`, details: { status: end.status } })
    case 'SUSPENDED':
      return new StreamError('JOB_SUSPENDED', {
        message: `${job} was suspended.`,
        hint: "Start it again with --resume (resume: 'latest'): it goes on from its last checkpoint.",
        details: { status: end.status },
      })
    case 'FAILED': {
      // Undefined can be thrown, too.
      const thrown = end.cause === null ? {} : { cause: causes.thrown(end.cause) }
      const why = 'cause' in thrown ? `: ${textOf(thrown.cause)}` : ''
      const operator = end.cause?.operator
      // Many of our own messages name it.
      const where = operator === undefined || why.includes(`"${operator}"`) ? '' : ` in operator "${operator}"`
      const denied = end.denied === null ? '' : ` (${end.denied})`
      const { sealed } = end
      return new StreamError('JOB_FAILED', {
        message: `${job} failed${where}${why}${denied}`,
        hint:
          'cause' in thrown && changesRecord(thrown.cause) ? CHANGED : sealed === null ? undefined : goOnFrom(sealed),
        details: {
          status: end.status,
          ...(operator === undefined ? {} : { operator }),
          ...(sealed === null ? {} : { savepoint: sealed.savepoint }),
        },
        ...thrown,
      })
    }
    default:
      return end.status satisfies never
  }
}

/** It was not restarted: whatever it goes on from but the savepoint would repeat what was committed. */
function goOnFrom({ savepoint }: { readonly savepoint: string }): string {
  return `It was being stopped with the savepoint ${savepoint}, which is complete: start it again with --resume (resume: 'latest'), and what is not committed yet is committed from there.`
}

const CHANGED =
  'execution.debug-freeze (--check) is on: a record must not be changed once it was emitted, nor a value that a state was given or gave. Make a new object: ({ ...value, count: value.count + 1 }).'
