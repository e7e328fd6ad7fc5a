/** Why an operation failed, as the exception that Flink would have thrown: its class and its words where it has any, ours inside. */
import { messageOf, StreamError } from '../base/errors.ts'
import { checkpointFailureText } from './checkpoint-failure-reasons.ts'
import { fileLocation } from './file-location.ts'
import { JOB_NOT_FOUND, jobNotFoundMessage } from './refusals.ts'
import type { JavaThrowable } from './serialized-throwable.ts'

const FLINK_EXCEPTION = 'org.apache.flink.util.FlinkException'
const CHECKPOINT_EXCEPTION = 'org.apache.flink.runtime.checkpoint.CheckpointException'
const IO_EXCEPTION = 'java.io.IOException'
const END_OF_JOB: Readonly<Record<string, string>> = {
  JOB_FAILED: 'org.apache.flink.runtime.client.JobExecutionException',
  JOB_CANCELED: 'org.apache.flink.runtime.client.JobCancellationException',
}

/** What the work of an asynchronous operation rejects with. */
export class OperationFailure extends Error {
  override readonly name = 'OperationFailure'
  readonly throwable: JavaThrowable

  constructor(throwable: JavaThrowable) {
    super(throwable.message)
    this.throwable = throwable
  }
}

/** Also of a job that has ended: Flink's dispatcher knows running ones alone. */
export function jobNotFound(jobId: string): JavaThrowable {
  return { className: JOB_NOT_FOUND, message: jobNotFoundMessage(jobId) }
}

/** Of a checkpoint, a savepoint, or a savepoint that was to end its job. */
export function checkpointFailure(thrown: unknown): JavaThrowable {
  if (!StreamError.is(thrown)) return unexpected(thrown)
  const { code, details } = thrown
  if (code === 'FILE_ERROR') return folderFailure(thrown)
  if (code !== 'CHECKPOINT_FAILED') return { className: END_OF_JOB[code] ?? FLINK_EXCEPTION, message: inWords(thrown) }
  const { reason } = details
  const because = typeof reason === 'string' ? ` Failure reason: ${checkpointFailureText(reason)}` : ''
  return { className: CHECKPOINT_EXCEPTION, message: `${inWords(thrown)}${because}` }
}

/** `path`: as the request names it. */
export function disposalFailure(thrown: unknown, path: string): JavaThrowable {
  return {
    className: FLINK_EXCEPTION,
    message: `Could not dispose savepoint ${path}.`,
    cause: reasonAgainst(thrown, path),
  }
}

/** For what nobody foresaw. */
export function unexpected(thrown: unknown): JavaThrowable {
  return { className: FLINK_EXCEPTION, message: StreamError.is(thrown) ? inWords(thrown) : messageOf(thrown) }
}

/** The folder of the savepoint cannot be made or written to. */
function folderFailure(error: StreamError): JavaThrowable {
  const { path } = error.details
  const disk: JavaThrowable = { className: 'java.nio.file.FileSystemException', message: inWords(error) }
  const folder = typeof path === 'string' ? fileLocation(path) : 'the directory'
  return {
    className: CHECKPOINT_EXCEPTION,
    message: checkpointFailureText('IO_EXCEPTION'),
    cause: { className: IO_EXCEPTION, message: `Failed to create savepoint directory at ${folder}`, cause: disk },
  }
}

function reasonAgainst(thrown: unknown, path: string): JavaThrowable {
  if (!StreamError.is(thrown)) return unexpected(thrown)
  if (thrown.code !== 'CHECKPOINT_MISSING') return { className: IO_EXCEPTION, message: inWords(thrown) }
  const missing = `Cannot find checkpoint or savepoint file/directory '${path}' on file system 'file'.`
  // Its hint is for whoever wants to go on from it.
  return { className: 'java.io.FileNotFoundException', message: `${missing} ${thrown.message}` }
}

/** What happened and what to do about it, on one line: Java prints a message as it is. */
function inWords({ message, hint }: StreamError): string {
  return `${message}${hint === undefined ? '' : ` ${hint}`}`.replaceAll(/\s*\n\s*/g, ' ')
}
