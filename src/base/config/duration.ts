/**
 * Durations: what users may write for one, and its milliseconds. Flink's unit names; whole milliseconds only, because
 * a shorter one would silently become 0, which often means "off".
 */
import { StreamError } from '../errors.ts'

/** Nanoseconds of each unit, and the names that Flink gives it. */
const UNITS = [
  { nanos: 86_400_000_000_000n, names: ['d', 'day', 'days'] },
  { nanos: 3_600_000_000_000n, names: ['h', 'hour', 'hours'] },
  { nanos: 60_000_000_000n, names: ['min', 'm', 'minute', 'minutes'] },
  { nanos: 1_000_000_000n, names: ['s', 'sec', 'secs', 'second', 'seconds'] },
  { nanos: 1_000_000n, names: ['ms', 'milli', 'millis', 'millisecond', 'milliseconds'] },
  { nanos: 1_000n, names: ['µs', 'micro', 'micros', 'microsecond', 'microseconds'] },
  { nanos: 1n, names: ['ns', 'nano', 'nanos', 'nanosecond', 'nanoseconds'] },
] as const

type UnitName = (typeof UNITS)[number]['names'][number]

/** A number of milliseconds, a `Time`, or a text such as `'10 s'`, `'5 min'`, `'500 ms'`: a misspelt unit does not compile. */
export type Duration = number | Time | `${number} ${UnitName}` | `${number}${UnitName}`

/** Java's time units, as Flink's `Time.of` takes them. */
export const TimeUnit = {
  NANOSECONDS: 'NANOSECONDS',
  MICROSECONDS: 'MICROSECONDS',
  MILLISECONDS: 'MILLISECONDS',
  SECONDS: 'SECONDS',
  MINUTES: 'MINUTES',
  HOURS: 'HOURS',
  DAYS: 'DAYS',
} as const
export type TimeUnit = (typeof TimeUnit)[keyof typeof TimeUnit]

const NANOS_OF: Readonly<Record<TimeUnit, bigint>> = {
  NANOSECONDS: 1n,
  MICROSECONDS: 1_000n,
  MILLISECONDS: 1_000_000n,
  SECONDS: 1_000_000_000n,
  MINUTES: 60_000_000_000n,
  HOURS: 3_600_000_000_000n,
  DAYS: 86_400_000_000_000n,
}

/** A span of whole milliseconds, 0 or more. */
export class Time {
  readonly #ms: number

  private constructor(ms: number) {
    this.#ms = ms
  }

  /** Throws CONFIG_INVALID unless the result is a whole number of milliseconds, 0 or more. */
  static of(size: number, unit: TimeUnit): Time {
    const nanos = Object.hasOwn(NANOS_OF, unit) ? NANOS_OF[unit] : undefined
    const ms = nanos === undefined || !Number.isSafeInteger(size) ? undefined : wholeMs(BigInt(size) * nanos)
    if (ms === undefined) throw notADuration(`${size} ${unit}`, 'Time.of', {})
    return new Time(ms)
  }

  /** As `Time.of`. */
  static milliseconds(size: number): Time {
    return Time.of(size, TimeUnit.MILLISECONDS)
  }
  /** As `Time.of`. */
  static seconds(size: number): Time {
    return Time.of(size, TimeUnit.SECONDS)
  }
  /** As `Time.of`. */
  static minutes(size: number): Time {
    return Time.of(size, TimeUnit.MINUTES)
  }
  /** As `Time.of`. */
  static hours(size: number): Time {
    return Time.of(size, TimeUnit.HOURS)
  }
  /** As `Time.of`. */
  static days(size: number): Time {
    return Time.of(size, TimeUnit.DAYS)
  }

  /** A text from elsewhere, such as `'10 s'`; without a unit it counts milliseconds. Throws CONFIG_INVALID. */
  static parse(text: string): Time {
    return new Time(parseDuration(text, 'Time.parse'))
  }

  /** 0 or more. */
  toMilliseconds(): number {
    return this.#ms
  }

  /** Such as `10 s`; `Time.parse` reads it. */
  toString(): string {
    return formatDuration(this.#ms)
  }
}

/** What is legal for an option, both ends included. Left out: 0 and no upper end. */
export interface DurationRange {
  readonly minMs?: number | undefined
  readonly maxMs?: number | undefined
}

/** The milliseconds of a duration given to `option`. Throws CONFIG_INVALID naming option, value and what is legal. */
export function toMilliseconds(value: Duration, option: string, range: DurationRange = {}): number {
  return parseDuration(value, option, range)
}

/** As `toMilliseconds`, for a value of which nothing is known. */
export function parseDuration(value: unknown, option: string, range: DurationRange = {}): number {
  const ms = readDuration(value)
  if (ms === undefined || !isWithin(ms, range)) throw notADuration(value, option, range)
  return ms
}

/** Milliseconds, or undefined when the value is no duration: negative, a fraction of a millisecond, an unknown unit. */
export function readDuration(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 ? value : undefined
  if (typeof value === 'string') return readText(value)
  return isTime(value) ? readDuration(value.toMilliseconds()) : undefined
}

/** Says in words what `range` allows. */
export function describeDurations({ minMs = 0, maxMs }: DurationRange): string {
  const from = minMs > 0 ? ` of ${formatDuration(minMs)} or more` : ''
  const to = maxMs === undefined ? '' : `${from === '' ? ' of' : ' and'} ${formatDuration(maxMs)} or less`
  return `a duration${from}${to} in whole milliseconds, such as 500 ms, 10 s, 5 min, 1 h`
}

/** The shortest exact text: `90000` is `'90 s'`, `3600000` is `'1 h'`. Reading it gives the same milliseconds. */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0 ms'
  const unit = UNITS.find(({ nanos }) => (BigInt(ms) * 1_000_000n) % nanos === 0n) ?? UNITS[4]
  return `${(BigInt(ms) * 1_000_000n) / unit.nanos} ${unit.names[0]}`
}

export const isWithin = (ms: number, { minMs = 0, maxMs = Number.POSITIVE_INFINITY }: DurationRange): boolean =>
  ms >= minMs && ms <= maxMs

function readText(text: string): number | undefined {
  const [, digits, unit] = /^\s*(\d+)\s*([a-zµμ]*)\s*$/i.exec(text) ?? []
  if (digits === undefined || unit === undefined) return undefined
  // Keyboards have two signs for micro.
  const name = (unit === '' ? 'ms' : unit).toLowerCase().replace('μ', 'µ')
  const found = UNITS.find(({ names }) => (names as readonly string[]).includes(name))
  return found === undefined ? undefined : wholeMs(BigInt(digits) * found.nanos)
}

function wholeMs(nanos: bigint): number | undefined {
  const ms = Number(nanos / 1_000_000n)
  return nanos >= 0n && nanos % 1_000_000n === 0n && Number.isSafeInteger(ms) ? ms : undefined
}

/** By its method, not its class: two copies of the package may meet. */
function isTime(value: unknown): value is { toMilliseconds(): unknown } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'toMilliseconds' in value &&
    typeof value.toMilliseconds === 'function'
  )
}

function notADuration(value: unknown, option: string, range: DurationRange): StreamError {
  const shown = typeof value === 'string' ? `"${value}"` : String(value)
  return new StreamError('CONFIG_INVALID', {
    message: `${option}: ${shown} is not a legal duration.`,
    hint: `Legal is ${describeDurations(range)}.`,
    details: { option, value: shown, legal: describeDurations(range) },
  })
}
