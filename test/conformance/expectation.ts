/**
 * How a conformance trace is compared: every key that `expect` holds must be equal, a key that it does not hold is free,
 * at every depth. Lists must have the same length and order.
 */

/** Every place where `actual` is not what `expected` holds, in words; empty when it conforms. */
export function differences(expected: unknown, actual: unknown, place = 'outcome'): readonly string[] {
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual)) return [`${place}: a list was expected, ${show(actual)} came`]
    if (actual.length !== expected.length)
      return [`${place}: ${show(expected)} was expected, ${show(actual)} came (${actual.length} entries)`]
    return expected.flatMap((item, index) => differences(item, actual[index], `${place}[${index}]`))
  }
  if (isMap(expected)) {
    if (!isMap(actual)) return [`${place}: a map was expected, ${show(actual)} came`]
    return Object.entries(expected).flatMap(([key, value]) =>
      Object.hasOwn(actual, key)
        ? differences(value, actual[key], `${place}.${key}`)
        : [`${place}.${key}: ${show(value)} was expected, there is no such key`],
    )
  }
  return Object.is(expected, actual) ? [] : [`${place}: ${show(expected)} was expected, ${show(actual)} came`]
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function show(value: unknown): string {
  return JSON.stringify(value) ?? String(value)
}
