/** Opens the checkpoint store of a job, and gives the job's side the view of it that it needs. Decides nothing. */

import type { ConfigurationReader } from '../base/config/configuration-reader.ts'
import { StreamError } from '../base/errors.ts'
import type { Ports } from '../base/ports.ts'
import type { CheckpointMetadata } from '../checkpoint/checkpoint-metadata.ts'
import type { CompletedCheckpoint } from '../checkpoint/completed-checkpoints.ts'
import { type OpenedJob, openJob } from '../checkpoint/job-directory.ts'
import type { EndingSavepoint } from '../checkpoint/job-record.ts'
import type { JobStorage } from '../checkpoint/job-storage.ts'
import type { JobGraph } from '../graph/job-graph.ts'
import type { SnapshotWriter } from '../state/snapshot.ts'
import type { JobOrderOf } from './control/job.ts'
import type { JobSettings } from './job-settings.ts'
import type { JobStore, StoredCheckpoint } from './job-store.ts'

export interface StartFrom {
  /** A savepoint or a retained checkpoint: its folder or its `_metadata` file. With `resume`, only where there is no record. */
  readonly fromSavepoint?: string | undefined
  readonly allowNonRestoredState?: boolean | undefined
  readonly claimMode?: 'NO_CLAIM' | 'CLAIM' | undefined
  readonly resume?: 'latest' | undefined
  readonly takeover?: boolean | undefined
}

/** `owned`: one of the job's own checkpoints. `claimed`: it was the user's or another job's, and belongs to this one now. */
export interface StartedFrom extends StoredCheckpoint {
  readonly owned: boolean
  readonly claimed: boolean
  /** The job was drained with it: what it covers is committed, and nothing more is read. */
  readonly drained: boolean
}

export interface OpenedStore {
  readonly type: 'opened'
  readonly jobId: string
  readonly epoch: number
  readonly store: JobStore
  /** Of what the job starts from. */
  readonly metadata: CheckpointMetadata | undefined
  readonly startedFrom: StartedFrom | undefined
  /** Its own, and before them what it has claimed: oldest first. */
  readonly completed: readonly StoredCheckpoint[]
  readonly nextCheckpointId: number
  /** Calls `listener` when a write shows that another process has taken the job over (JOB_FENCED). */
  whenFenced(listener: (error: StreamError) => void): void
  close(): Promise<void>
}

export interface EndedBefore {
  readonly type: 'alreadyEnded'
  readonly jobId: string
  readonly status: string
  readonly message: string
}

export interface StoreOptions {
  readonly ports: Ports
  readonly jobName: string
  readonly configuration: ConfigurationReader
  readonly start: StartFrom
}

/** Throws what `openJob` throws, and a FILE_ERROR with what helps then. */
export async function openStore(
  graph: JobGraph,
  settings: JobSettings,
  options: StoreOptions,
): Promise<OpenedStore | EndedBefore> {
  const { ports, jobName, start, configuration } = options
  const { directory, inlineThresholdBytes } = settings.storage
  if (settings.checkpointing && directory === undefined) ports.logger.warn(memoryOnly(jobName))
  const job = await starting(jobName, () =>
    openJob({
      ports,
      directory,
      name: jobName,
      fixedJobId: configuration.get('pipeline.fixed-job-id'),
      resume: start.resume,
      fromSavepoint: start.fromSavepoint,
      claimMode: start.claimMode,
      takeover: start.takeover ?? false,
      graphHash: graph.hash,
      inlineThresholdBytes,
    }),
  )
  for (const note of job.notes) ports.logger.info(note)
  for (const warning of job.warnings) ports.logger.warn(warning)
  if (job.start.kind === 'alreadyEnded')
    return { type: 'alreadyEnded', jobId: job.jobId, status: job.storage.record().status, message: job.start.message }
  let fenced: (error: StreamError) => void = () => {}
  return {
    type: 'opened',
    jobId: job.jobId,
    epoch: job.epoch,
    store: storeOf(job, jobName, (error) => fenced(error)),
    whenFenced: (listener) => {
      fenced = listener
    },
    ...startOf(job),
    completed: [...(job.claimed === undefined ? [] : [job.claimed]), ...job.retained].map(storedAs),
    nextCheckpointId: job.nextCheckpointId,
    close: () => job.storage.close(),
  }
}

function startOf({ start, claimed }: OpenedJob): Pick<OpenedStore, 'metadata' | 'startedFrom'> {
  if (start.kind !== 'checkpoint' && start.kind !== 'savepoint') return { metadata: undefined, startedFrom: undefined }
  const { metadata } = start
  const owned = start.kind === 'checkpoint'
  const drained = start.kind === 'savepoint' && start.drained
  return {
    metadata,
    startedFrom: { ...storedAs(start), owned, claimed: start.location === claimed?.location, drained },
  }
}

function storeOf({ storage }: OpenedJob, jobName: string, fenced: (error: StreamError) => void): JobStore {
  /** What was read and verified, for those who read its state. */
  const loaded = new Map<string, CompletedCheckpoint>()
  /** Whoever called is told as well. */
  const watched = async <T>(call: () => Promise<T>): Promise<T> => {
    try {
      return await call()
    } catch (thrown) {
      if (StreamError.is(thrown) && thrown.code === 'JOB_FENCED') fenced(thrown)
      throw thrown
    }
  }
  return {
    durable: storage.durable,
    snapshotWriter: watchedWriter(storage.snapshotWriter(), watched),
    reader: (location) => storage.snapshotReader(loaded.get(location) as CompletedCheckpoint),
    async load(location) {
      const checkpoint = await storage.readVerified(location)
      loaded.clear()
      loaded.set(location, checkpoint)
      return checkpoint.metadata
    },
    begin: (checkpointId) => storage.begin(checkpointId),
    async publish(metadata) {
      const { path, size } = await watched(() => storage.publish(metadata))
      return { location: path, bytes: size }
    },
    prepareSavepointFolder: (targetDirectory) => storage.prepareSavepointFolder(targetDirectory),
    async publishSavepoint(targetDirectory, metadata) {
      const { path, size } = await watched(() => storage.publishSavepoint(targetDirectory, metadata))
      return { location: path, bytes: size }
    },
    stillOurs: () => watched(() => storage.writeRecord({})),
    listCompleted: async () => (await storage.readCompleted()).map(storedAs),
    discard: (checkpoint) => watched(() => storage.discard(checkpoint)),
    discardPending: (checkpointId) => watched(() => storage.discardPending(checkpointId)),
    removeHandles: (handles) => watched(() => storage.removeHandles(handles)),
    writeRecord(order) {
      const write = () => watched(() => storage.writeRecord(recordChange(order)))
      return order.status === 'CREATED' ? starting(jobName, write) : write()
    },
  }
}

/** Nothing has begun that a restart strategy could restart: whoever started the program is told what helps. */
async function starting<T>(jobName: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (thrown) {
    if (!StreamError.is(thrown) || thrown.code !== 'FILE_ERROR') throw thrown
    throw new StreamError('FILE_ERROR', {
      message: `Job "${jobName}" could not be started: ${thrown.message}`,
      hint: `${thrown.hint ?? 'See the system code.'} Then start the program again, with --resume (resume: 'latest') as before: no record was read, and a job that has not begun is not restarted by itself.`,
      details: thrown.details,
      cause: thrown,
    })
  }
}

function watchedWriter(writer: SnapshotWriter, watched: <T>(call: () => Promise<T>) => Promise<T>): SnapshotWriter {
  return {
    open(identity, scope) {
      const stream = writer.open(identity, scope)
      return {
        append(bytes) {
          const waiting = stream.append(bytes)
          return waiting instanceof Promise ? watched(() => waiting) : undefined
        },
        finish: () => watched(() => stream.finish()),
        abandon: () => stream.abandon(),
      }
    },
  }
}

function storedAs({ location, metadata }: CompletedCheckpoint): StoredCheckpoint {
  return { checkpointId: metadata.checkpointId, location }
}

function recordChange({
  status,
  checkpoints,
  sealed,
}: JobOrderOf<'writeRecord'>): Parameters<JobStorage['writeRecord']>[0] {
  return { status, checkpoints, ...(sealed === null ? {} : { endingSavepoint: endingSavepoint(status, sealed) }) }
}

function endingSavepoint(
  status: string,
  sealed: { readonly savepoint: string; readonly drained: boolean },
): EndingSavepoint {
  // Drained it stays, however the job ends: what waited has come out, and nothing may be read behind it.
  const kind = sealed.drained ? 'drain' : status === 'CANCELED' ? 'cancel' : 'stop'
  return { kind, path: sealed.savepoint }
}

function memoryOnly(jobName: string): string {
  return `Job "${jobName}" has no checkpoint directory: its checkpoints are in memory, so they outlive a failed task, not the process. Set execution.checkpointing.dir to keep them.`
}
