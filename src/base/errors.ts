/** The one error class of the house. Codes and their meaning stand in `error-codes.ts` and docs/ERRORS.md. */
import { ERROR_CODES, type ErrorCode } from './error-codes.ts'

/** The words of an error. */
export interface ErrorText {
  /** What happened, where, and with which value. */
  readonly message: string
  /** What to do about it. */
  readonly hint?: string | undefined
  /** Plain JSON: the values of the message, for programs. */
  readonly details?: Readonly<Record<string, unknown>> | undefined
  readonly cause?: unknown
}

const MARK = Symbol.for('millrace.StreamError')

/** Every error of the library. `code` says which, docs/ERRORS.md what to do. */
export class StreamError extends Error {
  readonly code: ErrorCode
  /** What to do about it. */
  readonly hint: string | undefined
  /** Plain JSON: the values of the message, for programs. */
  readonly details: Readonly<Record<string, unknown>>
  /** Whether running again from the last checkpoint can succeed; false ends the job without asking the restart strategy. */
  readonly restartHelps: boolean
  readonly [MARK] = true

  constructor(code: ErrorCode, text: ErrorText) {
    super(text.message, 'cause' in text ? { cause: text.cause } : undefined)
    this.name = 'StreamError'
    this.code = code
    this.hint = text.hint
    this.details = text.details ?? {}
    this.restartHelps = ERROR_CODES[code].restartHelps
  }

  /** Works across two copies of the package. Never throws. */
  static is(value: unknown): value is StreamError {
    try {
      return typeof value === 'object' && value !== null && (value as { [MARK]?: unknown })[MARK] === true
    } catch {
      // A proxy of the user's, which may refuse anything.
      return false
    }
  }
}

/** An `Error` for whatever was thrown: user code may throw anything. The same object when it is an Error that has a text. */
export function toError(thrown: unknown): Error {
  const message = messageOf(thrown)
  try {
    if (thrown instanceof Error && thrown.message === message) return thrown
  } catch {
    // As in `messageOf`.
  }
  return new Error(message)
}

/** What was thrown, in words. User code may throw anything, also what refuses to be told in words. Never throws. */
export function messageOf(thrown: unknown): string {
  try {
    return thrown instanceof Error ? String(thrown.message) : `thrown: ${String(thrown)}`
  } catch {
    // A getter, a proxy or a toString of the user's, or an object without one.
    return `thrown: something of type ${typeof thrown} that has no text`
  }
}
