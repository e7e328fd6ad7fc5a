/** The key that a user names on the command line: JSON text, in the JSON form of values, or else plain text. */
import { StreamError } from '../../base/errors.ts'
import { type MapKey, mapKeyOf } from '../../state/key.ts'
import { valueOfJsonForm } from './json-form-reader.ts'

/** `42` is a number, `"42"` a text, `abc` a text too. Throws COMMAND_INVALID. */
export function keyOfArgument(text: string): MapKey {
  try {
    return mapKeyOf(keyIn(text))
  } catch (thrown) {
    // Ours: no form of a value, or no key. Else a RangeError: it nests deeper than the stack.
    throw new StreamError('COMMAND_INVALID', {
      message: `--key cannot be read: ${StreamError.is(thrown) ? thrown.message : 'it nests too deep'}`,
      hint: (StreamError.is(thrown) ? thrown.hint : undefined) ?? 'A key is JSON text, or plain text.',
      cause: thrown,
    })
  }
}

function keyIn(text: string): unknown {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    // SyntaxError: no JSON, so a plain text.
    return text
  }
  return valueOfJsonForm(json)
}
