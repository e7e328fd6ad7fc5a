/** `millrace inspect`: what a checkpoint or savepoint holds. It reads, and does nothing else. */
import { StreamError } from '../base/errors.ts'
import { countedFiles } from '../inspect/checkpoint/counted-files.ts'
import { inspectCheckpoint } from '../inspect/checkpoint/inspect-checkpoint.ts'
import { keyOfArgument } from '../inspect/checkpoint/key-argument.ts'
import { type OpenCheckpoint, openCheckpoint } from '../inspect/checkpoint/open-checkpoint.ts'
import { printable, printableJson } from '../inspect/checkpoint/printable.ts'
import { chooseState } from '../inspect/checkpoint/state-choice.ts'
import { eachEntry } from '../inspect/checkpoint/state-entries.ts'
import { errorLines, errorObject } from './describe-error.ts'
import { exitCodeOfError, SUCCESS } from './exit-code.ts'
import type { InspectRequest } from './inspect-command.ts'
import { reportLines } from './inspect-lines.ts'
import { type ReadingProgress, readingProgress } from './inspect-progress.ts'
import type { ProcessBoundary } from './process-boundary.ts'

/** Resolves with the exit code: 0, 1 for what is damaged, missing or unknown, 2 for bad arguments. Never rejects. */
export async function inspect(request: InspectRequest, boundary: ProcessBoundary): Promise<number> {
  const progress = readingProgress(boundary.err)
  try {
    await show(request, boundary, progress)
    progress.end()
    return SUCCESS
  } catch (thrown) {
    progress.end()
    if (thrown === NOBODY_READS) return SUCCESS
    showError(thrown, request, boundary)
    return exitCodeOfError(thrown)
  }
}

async function show(request: InspectRequest, boundary: ProcessBoundary, progress: ReadingProgress): Promise<void> {
  const key = request.key === undefined ? undefined : keyOfArgument(request.key)
  const checkpoint = await openCheckpoint(countedFiles(boundary.files, progress.read), request.path)
  progress.expect(checkpoint.metadata)
  if (request.state !== undefined) return showState(checkpoint, request.state, key, boundary)
  const report = await inspectCheckpoint(checkpoint)
  progress.end()
  boundary.out.write(request.json ? document(report) : `${reportLines(report).join('\n')}\n`)
}

/** A write for each line would take longer than reading and showing it. */
const FLUSH_LENGTH = 64 * 1024

/** Thrown out of the walk when whoever reads the lines has had enough, as `head` has. */
const NOBODY_READS = Symbol('nobody reads the output')

async function showState(
  checkpoint: OpenCheckpoint,
  state: string,
  key: ReturnType<typeof keyOfArgument> | undefined,
  { out, err }: ProcessBoundary,
): Promise<void> {
  const choice = await chooseState(checkpoint, state)
  let entries = 0
  let text = ''
  const flush = async () => {
    out.write(printableJson(text))
    text = ''
    if ((await out.taken?.()) === 'nobodyReads') throw NOBODY_READS
  }
  await eachEntry(checkpoint, choice, key, (entry) => {
    text += `${JSON.stringify(entry)}\n`
    entries++
    return text.length < FLUSH_LENGTH ? undefined : flush()
  })
  await flush()
  if (key !== undefined && entries === 0)
    err.write('no entry of that key; --key is JSON text: 42 is a number, \'"42"\' a text\n')
}

function showError(thrown: unknown, { json, state }: InspectRequest, { out, err, environment }: ProcessBoundary): void {
  const error = printableError(thrown)
  if (json && state === undefined) out.write(document({ verified: false, error: errorObject(error) }))
  else for (const line of errorLines(error, { stacks: Boolean(environment.MILLRACE_DEBUG) })) err.write(`${line}\n`)
}

/** Its words may repeat what stands in the files. */
function printableError(thrown: unknown): unknown {
  if (!StreamError.is(thrown)) return thrown
  const { code, message, hint, details, cause } = thrown
  return new StreamError(code, {
    message: printable(message),
    hint: hint === undefined ? undefined : printable(hint),
    details,
    ...(cause === undefined ? {} : { cause: printableError(cause) }),
  })
}

function document(content: unknown): string {
  return `${printableJson(JSON.stringify(content, undefined, 2))}\n`
}
