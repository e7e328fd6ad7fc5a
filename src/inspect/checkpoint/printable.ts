/** Text from files that nobody vouches for, made fit for a terminal: nothing in it moves the cursor, hides or reverses. */

/** Control and format characters (escape sequences, right-to-left marks), lone surrogates, private use, line separators. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu
/** The same without the line feeds that JSON has between its values. Inside of its texts there are none. */
const UNPRINTABLE_IN_JSON = /(?!\n)[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu

/** One line of plain text: what is not printable stands as `\u001b`. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, escaped)
}

/** A JSON text, which means the same afterwards. */
export function printableJson(json: string): string {
  return json.replace(UNPRINTABLE_IN_JSON, escaped)
}

function escaped(character: string): string {
  let text = ''
  for (let i = 0; i < character.length; i++) text += `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`
  return text
}
