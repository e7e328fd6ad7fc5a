/** Compares an answer with what a real Flink answered: keys and kinds of JSON, not values. */

/** Their keys are data: how many and which is up to the job. */
const MAPS = ['user-config', 'failureLabels', 'serialized-user-task-accumulators', 'accumulator-results', 'jobs']
const ID = /^[0-9a-f]{32}$/

/** One line for each difference. Where either side has a null, or the recording no such entry, there is nothing to compare. */
export function shapeDifferences(answer: unknown, recorded: unknown, at = ''): readonly string[] {
  if (answer === null || recorded === null) return []
  if (kind(answer) !== kind(recorded)) {
    // A percentile, which is whole as it comes.
    const isFigure = /\.p\d+$/.test(at) && typeof answer === 'number' && typeof recorded === 'number'
    return isFigure ? [] : [`${at}: ${kind(answer)}, recorded ${kind(recorded)}`]
  }
  if (Array.isArray(answer) && Array.isArray(recorded))
    return answer.flatMap((one, i) => {
      const alike = (candidate: unknown) => className(candidate) === className(one)
      const other = [recorded[i], ...recorded].filter((candidate) => candidate !== undefined).find(alike)
      return other === undefined ? [] : shapeDifferences(one, other, `${at}[]`)
    })
  if (!isObject(answer) || !isObject(recorded)) return []
  const name = at.split('.').at(-1) ?? ''
  if (MAPS.includes(name)) return []
  const ids = Object.keys(recorded).every((key) => ID.test(key)) && Object.keys(recorded).length > 0
  const missing = Object.keys(recorded).filter((key) => !ids && !(key in answer))
  const more = Object.keys(answer).filter((key) => !ids && !(key in recorded))
  return [
    ...missing.map((key) => `${at}.${key}: missing`),
    ...more.map((key) => `${at}.${key}: not recorded`),
    ...Object.entries(answer).flatMap(([key, value]) => {
      const other = ids ? Object.values(recorded)[0] : recorded[key]
      return other === undefined ? [] : shapeDifferences(value, other, `${at}.${key}`)
    }),
  ]
}

/** Where entries of several kinds stand in a list, it tells them apart. */
function className(value: unknown): unknown {
  return isObject(value) ? value.className : undefined
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function kind(value: unknown): string {
  if (Array.isArray(value)) return 'list'
  return typeof value === 'number' && Number.isInteger(value) ? 'whole number' : typeof value
}
