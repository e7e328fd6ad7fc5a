/** Which job is meant: by its fixed id, else by its name among the records of a checkpoint directory. */
import { messageOf, StreamError } from '../base/errors.ts'
import type { CheckpointStorage } from './checkpoint-storage.ts'
import { decodeRecord, isUnfinished, type JobRecord } from './job-record.ts'

export interface JobSearch {
  readonly record: JobRecord | undefined
  /** In words, where it was searched and what was found there; undefined when the job was found. */
  readonly said: string | undefined
}

/** The record of one job. Throws JOB_RECORD_DAMAGED. */
export async function readRecord(storage: CheckpointStorage, jobId: string): Promise<JobRecord | undefined> {
  const bytes = await storage.readRecord(jobId)
  return bytes === undefined ? undefined : decodeRecord(bytes, `${storage.location}/${jobId}/job.json`)
}

/**
 * One unfinished job of the name; else, of those that have ended, the one whose record is the newest. Throws
 * JOB_AMBIGUOUS when two are unfinished, JOB_RECORD_DAMAGED when none is found and one record cannot be read.
 */
export async function findJob(
  storage: CheckpointStorage,
  name: string,
  fixedJobId: string | undefined,
): Promise<JobSearch> {
  if (fixedJobId !== undefined) {
    const record = await readRecord(storage, fixedJobId)
    if (record !== undefined) return { record, said: undefined }
  }
  const { records, firstError } = await readAll(storage)
  if (fixedJobId === undefined) {
    const same = records.filter((record) => record.name === name)
    const unfinished = same.filter(isUnfinished)
    if (unfinished.length > 1) throw ambiguous(name, storage.location, unfinished)
    const record =
      unfinished[0] ?? same.sort((one, other) => one.writtenAtMs - other.writtenAtMs || one.epoch - other.epoch).at(-1)
    if (record !== undefined) return { record, said: undefined }
    if (firstError !== undefined) throw firstError
  }
  const names = [...new Set(records.map((record) => `'${record.name}'`))].sort()
  const wanted = fixedJobId === undefined ? `named '${name}'` : `of id ${fixedJobId}`
  return {
    record: undefined,
    said: `No job ${wanted} in '${storage.location}'; names there: ${names.length === 0 ? 'none' : names.join(', ')}. Starting with empty state.`,
  }
}

/**
 * A line for the log when an unfinished job of this name stands beside the job that begins with empty state: it would do
 * again what that one has done. Undefined when there is none. What cannot be read there is no obstacle.
 */
export async function unfinishedBeside(
  storage: CheckpointStorage,
  name: string,
  jobId: string,
): Promise<string | undefined> {
  const { records } = await readAll(storage)
  const beside = records
    .filter((record) => record.name === name && record.jobId !== jobId && isUnfinished(record))
    .sort((one, other) => one.writtenAtMs - other.writtenAtMs)
  const newest = beside.at(-1)
  if (newest === undefined) return undefined
  const isOnly = beside.length === 1
  const others = isOnly ? '' : `, and ${beside.length - 1} more`
  const which = isOnly ? '' : ` with -D pipeline.fixed-job-id=${newest.jobId}`
  const checkpoint = await newestCheckpoint(storage, newest.jobId)
  return `Job '${name}' begins with empty state beside an unfinished job of the same name in '${storage.location}': ${newest.jobId} (${newest.status}, ${checkpoint})${others}. What that one has written is written once more. Go on with it instead by --resume (resume: 'latest')${which}, or remove its folder '${storage.location}/${newest.jobId}' when it neither runs nor is needed any more.`
}

async function newestCheckpoint(storage: CheckpointStorage, jobId: string): Promise<string> {
  try {
    const newest = (await storage.listCheckpoints(jobId)).at(-1)
    return newest === undefined ? 'no checkpoint' : `newest checkpoint ${newest.checkpointId}`
  } catch (thrown) {
    // The folder is another job's, perhaps another user's: the line says what is known without it.
    return `its checkpoints cannot be listed: ${messageOf(thrown)}`
  }
}

async function readAll(
  storage: CheckpointStorage,
): Promise<{ readonly records: JobRecord[]; readonly firstError: unknown }> {
  const records: JobRecord[] = []
  let firstError: unknown
  for (const jobId of await storage.listJobs()) {
    try {
      const record = await readRecord(storage, jobId)
      if (record !== undefined) records.push(record)
    } catch (thrown) {
      // It may be another job's: that matters only when no record fits.
      firstError ??= thrown
    }
  }
  return { records, firstError }
}

function ambiguous(name: string, where: string, records: readonly JobRecord[]): StreamError {
  const ids = records.map(({ jobId, status }) => `${jobId} (${status})`)
  return new StreamError('JOB_AMBIGUOUS', {
    message: `${records.length} unfinished jobs in '${where}' are named '${name}': ${ids.join(', ')}.`,
    hint: 'Say which one with -D pipeline.fixed-job-id=ID, or remove the folder of the one that is not needed any more.',
    details: { name, where, jobIds: records.map(({ jobId }) => jobId) },
  })
}
