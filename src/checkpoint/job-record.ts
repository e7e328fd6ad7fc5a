/** `job.json`: what is known of a job besides its checkpoints. Never needed to trust a checkpoint, only to find the right one. */
import { crc32 } from '../base/digest.ts'
import { StreamError } from '../base/errors.ts'
import { isBoolean, isInteger, isNumber, isObject, isOneOf, isOneOfTypes, isString, isText, optional } from './shape.ts'

export interface JobRecord {
  readonly name: string
  readonly jobId: string
  readonly epoch: number
  /** What this epoch began with. */
  readonly startedFrom: StartedFrom
  /** Checkpoints of this epoch have this id or a higher one. */
  readonly firstCheckpointId: number
  /** Whether a checkpoint of this epoch was published: if none is found then, they are lost. */
  readonly hasCheckpoints: boolean
  readonly status: RecordedStatus
  /** `deleting`: the job's end deletes them; never resumed from. */
  readonly checkpoints: 'kept' | 'deleting'
  /** The savepoint with which the job ends; written before its commits begin, and from then on the only way to go on. */
  readonly endingSavepoint?: EndingSavepoint | undefined
  readonly newestSavepoint?: string | undefined
  /** Where that lies what the job has claimed, and deletes once it is subsumed. Undefined when it has been deleted. */
  readonly claimed?: string | undefined
  readonly graphHash: string
  /** Wall clock, ms since the epoch. */
  readonly writtenAtMs: number
}

export type StartedFrom =
  | { readonly type: 'nothing' }
  /** One of the job's own. */
  | { readonly type: 'checkpoint'; readonly epoch: number; readonly checkpointId: number }
  /** Whatever was named with `-s`, or the savepoint that ended the run before. */
  | { readonly type: 'savepoint'; readonly path: string }

export interface EndingSavepoint {
  readonly kind: 'stop' | 'drain' | 'cancel'
  readonly path: string
}

/** Flink's job statuses. */
export type RecordedStatus = (typeof STATUSES)[number]

const STATUSES = [
  'CREATED',
  'INITIALIZING',
  'RUNNING',
  'FAILING',
  'RESTARTING',
  'CANCELLING',
  'SUSPENDED',
  'FINISHED',
  'FAILED',
  'CANCELED',
] as const

/** FINISHED, FAILED and CANCELED are ends; a SUSPENDED job is meant to go on, every other one was interrupted. */
export function isUnfinished({ status }: JobRecord): boolean {
  return status !== 'FINISHED' && status !== 'FAILED' && status !== 'CANCELED'
}

/** Nobody goes on with it by itself: it has ended, or has never begun. */
export function isIdle(record: JobRecord): boolean {
  return !isUnfinished(record) || record.status === 'CREATED'
}

export function encodeRecord(record: JobRecord): Uint8Array {
  return encoder.encode(`${JSON.stringify({ version: VERSION, checksum: checksumOf(record), record }, undefined, 2)}\n`)
}

/** @param path for errors. Throws JOB_RECORD_DAMAGED. */
export function decodeRecord(bytes: Uint8Array, path: string): JobRecord {
  if (bytes.length > MAX_BYTES) throw unreadable(path, `it has ${bytes.length} bytes`)
  let json: unknown
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (thrown) {
    // Cut or changed.
    throw unreadable(path, thrown instanceof Error ? thrown.message : String(thrown))
  }
  const wrong = isFile(json, 'record')
  if (wrong !== undefined) throw unreadable(path, wrong)
  const { record, checksum } = json as { readonly record: JobRecord; readonly checksum: number }
  if (checksum !== checksumOf(record)) throw unreadable(path, 'its checksum does not match')
  return record
}

const VERSION = 1
const MAX_BYTES = 64 * 1024
const encoder = new TextEncoder()

function checksumOf(record: JobRecord): number {
  return crc32(encoder.encode(JSON.stringify(record)))
}

function unreadable(path: string, what: string): StreamError {
  return new StreamError('JOB_RECORD_DAMAGED', {
    message: `The job record '${path}' cannot be read: ${what}.`,
    hint: 'Start from a checkpoint or savepoint by its path (-s PATH); remove the damaged record when the job is not needed any more.',
    details: { path },
  })
}

const isFile = isObject({
  version: isOneOf(VERSION),
  checksum: isInteger(0),
  record: isObject({
    name: isString,
    jobId: isText(/^[0-9a-f]{32}$/),
    epoch: isInteger(1),
    startedFrom: isOneOfTypes({
      nothing: isObject({}),
      checkpoint: isObject({ epoch: isInteger(1), checkpointId: isInteger(1) }),
      savepoint: isObject({ path: isString }),
    }),
    firstCheckpointId: isInteger(1),
    hasCheckpoints: isBoolean,
    status: isOneOf(...STATUSES),
    checkpoints: isOneOf('kept', 'deleting'),
    endingSavepoint: optional(isObject({ kind: isOneOf('stop', 'drain', 'cancel'), path: isString })),
    newestSavepoint: optional(isString),
    claimed: optional(isString),
    graphHash: isString,
    writtenAtMs: isNumber,
  }),
})
