/** Assertions stay on in production: stop rather than go on wrong. */
import { StreamError } from './errors.ts'

export function assert(condition: boolean, broken: string): asserts condition {
  if (!condition)
    throw new StreamError('INTERNAL', {
      message: `Millrace broke a rule of its own: ${broken}.`,
      hint: 'This is a defect of Millrace. Please report it with the stack trace.',
    })
}
