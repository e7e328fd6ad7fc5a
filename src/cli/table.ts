/** Text in columns for a terminal or a file, without colours. Pure. */

const GAP = '  '

/** One line a row; each column as wide as its widest cell, the last one as it comes. */
export function alignedRows(rows: readonly (readonly string[])[]): readonly string[] {
  const plain = rows.map((row) => row.map(plainText))
  const widths: number[] = []
  for (const row of plain)
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, lengthOf(cell))
    })
  return plain.map((row) =>
    row
      .map((cell, column) => cell + blanks((widths[column] ?? 0) - lengthOf(cell)))
      .join(GAP)
      .trimEnd(),
  )
}

/** Names come from files: what moves the cursor or turns the line round is shown as its escape instead. */
export function plainText(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0
    return `\\u{${code.toString(16)}}`
  })
}

/** In characters, not in halves of them. */
const lengthOf = (text: string): number => [...text].length

const blanks = (count: number): string => ' '.repeat(Math.max(0, count))
