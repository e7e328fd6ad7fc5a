/** From what a job goes on: pure functions of its record and of what is published. */
import { StreamError } from '../base/errors.ts'
import { missing } from './checkpoint-errors.ts'
import type { CompletedCheckpoint, PublishedCheckpoints } from './completed-checkpoints.ts'
import type { JobRecord } from './job-record.ts'

export type ResumeDecision =
  /** Nothing is to be run. */
  | { readonly type: 'ended'; readonly message: string }
  /** `drained`: its sources had come to their end; what it covers is committed, and nothing more is read. */
  | { readonly type: 'savepoint'; readonly path: string; readonly drained: boolean }
  | { readonly type: 'checkpoint'; readonly checkpoint: CompletedCheckpoint }
  /** It had begun with nothing and nothing was completed. */
  | { readonly type: 'empty' }

/**
 * A savepoint that ends the job stands above every checkpoint. Else the newest checkpoint of the last epoch; else what
 * that epoch began with. Throws JOB_NOTHING_KEPT, or CHECKPOINT_* when what must be there is missing or damaged.
 */
export function decideResume(record: JobRecord, published: PublishedCheckpoints, where: string): ResumeDecision {
  const { status, endingSavepoint, startedFrom } = record
  const named = `Job '${record.name}' (${record.jobId})`
  if (status === 'FINISHED' && endingSavepoint?.kind === 'drain')
    return {
      type: 'ended',
      message: `${named} was drained; its last savepoint is ${endingSavepoint.path}. There is nothing to go on with.`,
    }
  if (endingSavepoint !== undefined)
    return { type: 'savepoint', path: endingSavepoint.path, drained: endingSavepoint.kind === 'drain' }
  if (status === 'FINISHED') return { type: 'ended', message: `${named} is finished. There is nothing to go on with.` }
  if (record.checkpoints === 'deleting') throw nothingKept(record, where)

  const newest = newestOfEpoch(record, published)
  if (newest !== undefined) return { type: 'checkpoint', checkpoint: newest }
  if (record.hasCheckpoints) throw missing(`${where}/chk-*`, `${named} had completed checkpoints, and none is there`)
  switch (startedFrom.type) {
    case 'savepoint':
      return { type: 'savepoint', path: startedFrom.path, drained: false }
    case 'checkpoint':
      return { type: 'checkpoint', checkpoint: exactly(startedFrom.epoch, startedFrom.checkpointId, published, where) }
    case 'nothing':
      if (status === 'FAILED' || status === 'CANCELED') throw nothingKept(record, where)
      return { type: 'empty' }
  }
}

/** Throws the error of one that cannot be read and may be the newest: never an older one instead. */
function newestOfEpoch(
  record: JobRecord,
  { completed, unreadable }: PublishedCheckpoints,
): CompletedCheckpoint | undefined {
  const last = completed.at(-1)
  const newest = last !== undefined && last.metadata.epoch >= record.epoch ? last : undefined
  const lowestDoubtful = newest === undefined ? record.firstCheckpointId : newest.metadata.checkpointId + 1
  for (const { checkpointId, error } of unreadable) if (checkpointId >= lowestDoubtful) throw error
  return newest
}

function exactly(
  epoch: number,
  checkpointId: number,
  { completed, unreadable }: PublishedCheckpoints,
  where: string,
): CompletedCheckpoint {
  const found = completed.find(({ metadata }) => metadata.epoch === epoch && metadata.checkpointId === checkpointId)
  if (found !== undefined) return found
  const broken = unreadable.find((one) => one.checkpointId === checkpointId)
  throw (
    broken?.error ??
    missing(`${where}/chk-${checkpointId}`, `the job was started from it (epoch ${epoch}) and has completed none since`)
  )
}

function nothingKept(record: JobRecord, where: string): StreamError {
  return new StreamError('JOB_NOTHING_KEPT', {
    message: `Job '${record.name}' (${record.jobId}) ended as ${record.status} and kept no checkpoint in '${where}'.`,
    hint: 'Start it from a savepoint (-s PATH), or anew without --resume. RETAIN_ON_CANCELLATION keeps checkpoints at the next end.',
    details: { jobId: record.jobId, status: record.status },
  })
}
