/** Mistakes that are made on purpose around the API: the simulation must find each of them. */
import type { AsyncOperations } from '../../../src/rest/async-operations.ts'
import type { JobHandle } from '../../../src/runtime/job-handle.ts'

export const SABOTAGES = [
  /** A trigger id that is known starts its operation again. */
  'a repeated trigger is another operation',
  /** The next process goes on from an older savepoint than the one that ended the job. */
  'an older savepoint',
  /** A stop is told as soon as there is a savepoint; the job goes on a while and is canceled then. */
  'a stop that is told too early',
  /** A savepoint for a canceled job leaves it running. */
  'a cancel that does not cancel',
  /** A result is lost before it was kept for its time. */
  'a result that is forgotten',
  /** Counts of tasks stand at nothing for a moment. */
  'counts that go backwards',
] as const
export type Sabotage = (typeof SABOTAGES)[number]

export function operationsWith(operations: AsyncOperations, sabotage: Sabotage | undefined): AsyncOperations {
  let started = 0
  switch (sabotage) {
    case 'a repeated trigger is another operation':
      return {
        ...operations,
        start(key, work) {
          if (operations.status(key) === undefined) operations.start(key, work)
          else operations.start({ ...key, triggerId: `${key.triggerId} again ${started++}` }, work)
        },
      }
    case 'a result that is forgotten':
      return {
        ...operations,
        status(key) {
          const status = operations.status(key)
          return key.kind === 'checkpoint' && status?.id === 'COMPLETED' && started++ % 2 === 1 ? undefined : status
        },
      }
    default:
      return operations
  }
}

export function servedWith(job: JobHandle, sabotage: Sabotage | undefined): JobHandle {
  switch (sabotage) {
    case 'a stop that is told too early':
      return {
        ...job,
        async stopWithSavepoint(wish) {
          const path = await job.triggerSavepoint(wish)
          void job.cancel()
          return path
        },
      }
    case 'a cancel that does not cancel':
      return { ...job, cancelWithSavepoint: (wish) => job.triggerSavepoint(wish) }
    case 'counts that go backwards': {
      let looks = 0
      const measured = () => {
        const isWrong = looks++ % 10 === 9
        return job.measurements().map((task) => (isWrong ? { ...task, numRecordsIn: 0 } : task))
      }
      return { ...job, measurements: measured }
    }
    default:
      return job
  }
}
