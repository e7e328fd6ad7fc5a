/** CSV as in RFC 4180, on text: the fields of a record, and whether a line leaves a quoted field open. Pure. */

const QUOTE = '"'

/** Whether a quoted field is open behind this line of a record; `open`: one was, before it. */
export function isOpenBehind(line: string, delimiter: string, open: boolean): boolean {
  if (!open && !line.includes(QUOTE)) return false
  let at = 0
  let quoted = open
  for (;;) {
    if (!quoted && line.startsWith(QUOTE, at)) {
      quoted = true
      at++
    }
    if (quoted) {
      const closing = closingQuote(line, at)
      if (closing < 0) return true
      at = closing + 1
      quoted = false
    }
    const next = line.indexOf(delimiter, at)
    if (next < 0) return false
    at = next + delimiter.length
  }
}

/** The fields of one record. Throws an Error that says what is wrong with the quotes. */
export function fieldsOf(record: string, delimiter: string): readonly string[] {
  return record.includes(QUOTE) ? quotedFields(record, delimiter) : record.split(delimiter)
}

function quotedFields(record: string, delimiter: string): readonly string[] {
  const fields: string[] = []
  for (let at = 0; ; ) {
    if (!record.startsWith(QUOTE, at)) {
      const end = endOfField(record, delimiter, at)
      const field = record.slice(at, end)
      if (field.includes(QUOTE)) throw new Error(`Quote inside of field ${fields.length + 1}, which is not quoted`)
      fields.push(field)
      if (end === record.length) return fields
      at = end + delimiter.length
      continue
    }
    const closing = closingQuote(record, at + 1)
    if (closing < 0) throw new Error(`the quote of field ${fields.length + 1} is not closed`)
    fields.push(record.slice(at + 1, closing).replaceAll('""', QUOTE))
    if (closing + 1 === record.length) return fields
    if (!record.startsWith(delimiter, closing + 1))
      throw new Error(`Quote inside of field ${fields.length}: behind it stands neither a delimiter nor the end`)
    at = closing + 1 + delimiter.length
  }
}

function endOfField(record: string, delimiter: string, from: number): number {
  const end = record.indexOf(delimiter, from)
  return end < 0 ? record.length : end
}

/** -1: there is none. Two quotes stand for one that belongs to the field. */
function closingQuote(text: string, from: number): number {
  let at = text.indexOf(QUOTE, from)
  while (at >= 0 && text[at + 1] === QUOTE) at = text.indexOf(QUOTE, at + 2)
  return at
}
