/** JSON for Flink's Java clients: numbers that a JS number cannot hold are written digit by digit. */

/** Java's largest and smallest long. Stand for themselves anywhere in what `jsonText` is given. */
export const LONG_MAX = Symbol('9223372036854775807')
export const LONG_MIN = Symbol('-9223372036854775808')

/**
 * As `JSON.stringify`, and beyond it: `LONG_MAX`, `LONG_MIN` and bigints are written as numbers; what is no finite number
 * is written as a text, `"NaN"` or `"Infinity"`, which is what Java's writers do.
 */
export function jsonText(value: unknown): string {
  return textOf(value) ?? 'null'
}

/** Undefined for what JSON has no place for: a member with such a value is left out. */
function textOf(value: unknown): string | undefined {
  if (value === LONG_MAX || value === LONG_MIN) return value.description
  if (typeof value === 'bigint') return String(value)
  if (typeof value === 'number' && !Number.isFinite(value)) return `"${value}"`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(jsonText).join(',')}]`
  const members = Object.entries(value).flatMap(([name, member]) => {
    const text = textOf(member)
    return text === undefined ? [] : [`${JSON.stringify(name)}:${text}`]
  })
  return `{${members.join(',')}}`
}
