/**
 * Turns what was thrown into the plain data that charts carry, and back into the very object that was thrown: the user
 * gets that one. It keeps the newest hundred; of an older failure the text is left.
 */
import type { Cause } from '#machines/cause'
import { ERROR_CODES, type ErrorCode } from '../../base/error-codes.ts'
import { StreamError } from '../../base/errors.ts'
import { textOf } from './text-of.ts'

export type { Cause }

export interface Causes {
  /** `code`: what it counts as when it is not a StreamError already. */
  of(thrown: unknown, code: ErrorCode): Cause
  /** The thrown object, or an error made from the cause's text where none is kept. */
  thrown(cause: Cause): unknown
}

const KEPT = 100

/** `restartIsVain`: of what was thrown as no StreamError, that for which no restart helps, whatever its code says. */
export function causes(restartIsVain: (thrown: unknown) => boolean = () => false): Causes {
  const kept = new Map<number, unknown>()
  let newest = 0
  return {
    of(thrown, code) {
      newest += 1
      kept.set(newest, thrown)
      kept.delete(newest - KEPT)
      return StreamError.is(thrown)
        ? { code: thrown.code, message: thrown.message, restartHelps: thrown.restartHelps, thrown: newest }
        : {
            code,
            message: textOf(thrown),
            restartHelps: ERROR_CODES[code].restartHelps && !restartIsVain(thrown),
            thrown: newest,
          }
    },
    thrown(cause) {
      if (cause.thrown !== null && kept.has(cause.thrown)) return kept.get(cause.thrown)
      const code = cause.code in ERROR_CODES ? (cause.code as ErrorCode) : 'INTERNAL'
      return new StreamError(code, { message: cause.message })
    },
  }
}
