/** What was thrown, in words. User code may throw anything, also what refuses to be told in words. */

/** Never throws. */
export function textOf(thrown: unknown): string {
  try {
    return thrown instanceof Error ? String(thrown.message) : `thrown: ${String(thrown)}`
  } catch {
    // A getter or a toString of the user's, or an object without one.
    return `thrown: something of type ${typeof thrown} that has no text`
  }
}
