/** A record as one line of text; refuses what cannot be written faithfully. */
import { messageOf, StreamError } from '../../base/errors.ts'
import type { RecordFormat } from './record-encoding.ts'

export const linesFormat: RecordFormat<string> = formatOf('.txt', textLine)
export const jsonLinesFormat: RecordFormat<unknown> = formatOf('.jsonl', jsonLine)

function formatOf<T>(ending: string, encode: (value: T) => string): RecordFormat<T> {
  const encoder = { encode }
  return { ending, createEncoder: () => encoder }
}

/**
 * The text itself. RECORD_NOT_WRITABLE for anything but a text, which plain JavaScript may hand over, and for half of a
 * surrogate pair, which UTF-8 has no bytes for.
 */
export function textLine(value: unknown): string {
  if (typeof value === 'string') {
    if (isWellFormed(value)) return value
    throw notWritable(
      'A sink of lines got a text with half of a surrogate pair',
      'It would come back as another character: cut texts between characters, or write them as JSON.',
    )
  }
  throw notWritable(`A sink of lines got a value of type ${typeof value}`, 'Map the records to text before the sink.')
}

/** RECORD_NOT_WRITABLE where JSON has no text for the value: undefined, a function, a bigint, a cycle. */
export function jsonLine(value: unknown): string {
  let line: string | undefined
  try {
    line = JSON.stringify(value)
  } catch (thrown) {
    // Thrown by JSON.stringify, or by a toJSON of the user.
    throw notWritable(`A record has no JSON form: ${messageOf(thrown)}`, HINT, thrown)
  }
  if (line === undefined) throw notWritable(`A record of type ${typeof value} has no JSON form`, HINT)
  return line
}

/** Whether UTF-8 has bytes for all of it. */
export function isWellFormed(text: string): boolean {
  // Since Node 20; the library of ES2023 does not declare it.
  return (text as string & { isWellFormed(): boolean }).isWellFormed()
}

/** RECORD_NOT_WRITABLE. */
export function notWritable(message: string, hint: string, cause?: unknown): StreamError {
  return new StreamError('RECORD_NOT_WRITABLE', { message: `${message}.`, hint, cause })
}

const HINT = 'Map the records to plain objects, arrays, texts, numbers and booleans before the sink.'
