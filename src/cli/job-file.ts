/** Checks a job file before it is loaded, and says what was wrong when loading it failed. */
import { StreamError } from '../base/errors.ts'
import type { FileSystem } from '../base/file-system.ts'

const ENDINGS = ['.js', '.mjs', '.cjs', '.ts', '.mts']
/** Of Node, for an import that leads nowhere. */
const UNRESOLVED = new Set([
  'ERR_MODULE_NOT_FOUND',
  'MODULE_NOT_FOUND',
  'ERR_PACKAGE_PATH_NOT_EXPORTED',
  'ERR_PACKAGE_IMPORT_NOT_DEFINED',
  'ERR_UNSUPPORTED_DIR_IMPORT',
  'ERR_UNKNOWN_FILE_EXTENSION',
  'ERR_UNSUPPORTED_ESM_URL_SCHEME',
])

export const isTypeScript = (path: string): boolean => /\.m?ts$/.test(path)

/** Throws JOB_FILE_INVALID, as a mistake on the command line, when there is no such file or its ending says nothing. */
export async function checkJobFile(files: Pick<FileSystem, 'stat'>, path: string): Promise<void> {
  const status = await files.stat(path)
  if (status === undefined)
    throw wrongArgument(`The job file ${path} is not there.`, 'Check the path; it is relative to the working folder.')
  if (status.kind !== 'file') throw wrongArgument(`${path} is not a file.`, 'Name the file that calls env.execute().')
  if (!ENDINGS.some((ending) => path.endsWith(ending)))
    throw wrongArgument(`${path} is not a job file by its name.`, `A job file ends in one of ${ENDINGS.join(', ')}.`)
}

/** Of what older ones lack Node says only that a file cannot be compiled. `version` as `process.version`; throws UNSUPPORTED. */
export function checkNode(version: string): void {
  const [major = 0, minor = 0] = version.slice(1).split('.').map(Number)
  if (major > 20 || (major === 20 && minor >= 19)) return
  throw new StreamError('UNSUPPORTED', {
    message: `Millrace needs Node 20.19 or later; this is ${version}.`,
    hint: 'Install a newer Node, or put it first in PATH.',
    details: { version, exitCode: 2 },
  })
}

/** What to tell the user for what the import of a job file rejected with: its own StreamErrors stay as they are. */
export function explainImportFailure(path: string, thrown: unknown): StreamError {
  if (StreamError.is(thrown)) return thrown
  const code = typeof thrown === 'object' && thrown !== null && 'code' in thrown ? String(thrown.code) : ''
  if (UNRESOLVED.has(code))
    return new StreamError('JOB_FILE_INVALID', {
      message: `The job file ${path} imports what cannot be found.`,
      hint: 'Check the name of the import, and that its package is installed where the job file lies.',
      cause: thrown,
    })
  if (isCompileError(thrown))
    return new StreamError('JOB_FILE_INVALID', {
      message: `The job file ${path}, or a file that it imports, cannot be compiled.`,
      hint: isPlaced(thrown) ? 'Correct the place that is named below.' : UNKNOWN_SYNTAX,
      cause: thrown,
    })
  return new StreamError('JOB_FILE_FAILED', {
    message: `The job file ${path} threw outside of any job.`,
    hint: 'Correct the code at the place that is named below; MILLRACE_DEBUG=1 shows the whole stack trace.',
    cause: thrown,
  })
}

/** The transpiler has read the file, and Node has not: it does not say where. */
const UNKNOWN_SYNTAX =
  'Look for syntax that your Node does not know, such as `await using` before Node 24: use try and finally, or compile the job with tsc to an older "target" and run the result.'

/** The module was evaluated to its end, or can go no further, and no job was started. */
export function nothingStarted(path: string, evaluated: boolean): StreamError {
  return new StreamError('JOB_NOT_STARTED', {
    message: evaluated
      ? `The job file ${path} was evaluated to its end and has started no job.`
      : `The job file ${path} waits for something that can never happen, and has started no job.`,
    hint: 'A job is started by `await env.execute(name)`.',
  })
}

function wrongArgument(message: string, hint: string): StreamError {
  return new StreamError('JOB_FILE_INVALID', { message, hint, details: { exitCode: 2 } })
}

/**
 * Whether a file could not be compiled, rather than its code threw a SyntaxError (as `JSON.parse` does): the place stands
 * before the stack or in the message, or the compiler of Node is the first frame.
 */
export function isCompileError(thrown: unknown): thrown is SyntaxError {
  if (!(thrown instanceof Error) || thrown.name !== 'SyntaxError') return false
  const [, firstFrame = ''] = /^\s+at (.*)$/m.exec(thrown.stack ?? '') ?? []
  return isPlaced(thrown) || firstFrame.includes('node:internal/modules/')
}

const PLACE = /^(file:\/\/|\/|[A-Za-z]:\\).*:\d+/

const isPlaced = ({ stack = '', message }: SyntaxError): boolean => PLACE.test(stack) || PLACE.test(message)
