/** What an answer of a REST interface means: an object, or the error that a person can do something about. Pure. */
import { StreamError } from '../base/errors.ts'
import type { HttpAnswer } from '../base/http-client.ts'
import { RemoteFailure, remoteFailure } from './remote-failure.ts'

export type JsonObject = Readonly<Record<string, unknown>>

/** How much of an answer that cannot be read is shown. */
const EXCERPT_LENGTH = 200

/**
 * The object of an answer; an empty one is `{}`. Throws REST_REFUSED for errors of the server and REST_ANSWER_INVALID
 * for what no REST interface says. `request` is for messages: `POST http://localhost:8081/v1/jobs/…/stop`.
 */
export function objectOf(answer: HttpAnswer, request: string): JsonObject {
  const { status, text } = answer
  const json = jsonOf(text)
  const errors = errorsIn(json)
  if (errors !== undefined) throw refused(errors, status, request)
  if (status >= 300 && status < 400)
    throw invalid(request, `redirects to ${answer.location ?? 'nowhere'} (${status}), which is not followed`)
  if (status >= 400) throw invalid(request, `has status ${status} and no errors in it: ${excerpt(text)}`)
  if (!isObject(json)) throw invalid(request, `is no JSON object: ${excerpt(text)}`)
  return json
}

/** For answers that lack what must be in them. `what` is read behind `The answer to … `. */
export function invalid(request: string, what: string): StreamError {
  return new StreamError('REST_ANSWER_INVALID', {
    message: `The answer to ${request} ${what}.`,
    hint: 'Is that the REST interface of Millrace or Flink? Check the address, and the path in front of /v1 if there is one.',
    details: { request },
  })
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function jsonOf(text: string): unknown {
  if (text.trim() === '') return {}
  try {
    return JSON.parse(text)
  } catch {
    // No JSON: whoever asks shows the text instead.
    return undefined
  }
}

/** As Flink's client does: an object with `errors` and nothing else is an error, whatever the status says. */
function errorsIn(json: unknown): readonly string[] | undefined {
  if (!isObject(json) || Object.keys(json).length !== 1 || !Array.isArray(json.errors)) return undefined
  return json.errors.map((error) => (typeof error === 'string' ? error : JSON.stringify(error)))
}

function refused(errors: readonly string[], status: number, request: string): StreamError {
  const failures = errors.map(remoteFailure).filter((failure) => failure !== undefined)
  const words = failures.map(({ message }) => message).join(' ')
  const [cause] = failures.map((failure) => failure.cause).filter((inner) => inner instanceof RemoteFailure)
  return new StreamError('REST_REFUSED', {
    message: `${request} was refused (${status})${words === '' ? '.' : `: ${words}`}`,
    hint: hintOf(status, words),
    details: { request, status, errors },
    ...(cause === undefined ? {} : { cause }),
  })
}

function hintOf(status: number, words: string): string | undefined {
  if (status === 401)
    return 'Put the token of the server into $MILLRACE_TOKEN, or name its file with --token-file or $MILLRACE_TOKEN_FILE.'
  if (words.includes('must be provided'))
    return 'Name a directory for the savepoint, or set execution.checkpointing.savepoint-dir where the job runs.'
  if (status === 404) return 'millrace list -a shows the jobs of this address.'
  if (status === 503) return 'The server is not ready, or busy: try again later.'
  return undefined
}

function excerpt(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim()
  return line.length <= EXCERPT_LENGTH ? `'${line}'` : `'${line.slice(0, EXCERPT_LENGTH)}' ...`
}
