/** One metric of one moment, and how Flink's answers and Prometheus write it. */

export interface Metric {
  /** Flink's, with dots: `Status.JVM.Memory.Heap.Used`. */
  readonly name: string
  /** ±Infinity: Java's largest and smallest long. Prometheus gets 1 and 0 for booleans, and 0 for texts. */
  readonly value: number | string | boolean
  /** A floating point number in Flink: whole ones are written with `.0`. */
  readonly isFraction?: boolean | undefined
}

const LONG_MAX_TEXT = '9223372036854775807'
const LONG_MIN_TEXT = '-9223372036854775808'

export function fraction(name: string, value: number): Metric {
  return { name, value, isFraction: true }
}

/** As Flink's answers have it: always a text. */
export function metricText({ value, isFraction }: Metric): string {
  if (value === Number.POSITIVE_INFINITY) return LONG_MAX_TEXT
  if (value === Number.NEGATIVE_INFINITY) return LONG_MIN_TEXT
  return isFraction === true && Number.isInteger(value) ? `${value}.0` : String(value)
}

/** What can be reckoned with; undefined: it is no number. */
export function metricNumber({ value }: Metric): number | undefined {
  if (typeof value !== 'number') return undefined
  return Math.max(Number(LONG_MIN_TEXT), Math.min(value, Number(LONG_MAX_TEXT)))
}
