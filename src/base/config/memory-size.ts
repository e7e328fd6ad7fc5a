/** Sizes of memory: what users may write for one, and its bytes. Flink's unit names; every unit is 1024 of the one below. */
import { StreamError } from '../errors.ts'

const UNITS = [
  { bytes: 2 ** 40, names: ['tb', 't', 'tebibytes'] },
  { bytes: 2 ** 30, names: ['gb', 'g', 'gibibytes'] },
  { bytes: 2 ** 20, names: ['mb', 'm', 'mebibytes'] },
  { bytes: 2 ** 10, names: ['kb', 'k', 'kibibytes'] },
  { bytes: 1, names: ['bytes', 'b'] },
] as const

type UnitName = (typeof UNITS)[number]['names'][number]

/** A number of bytes, or a text such as `'20 kb'`, `'64 mb'`: a misspelt unit does not compile. */
export type MemorySize = number | `${number} ${UnitName}` | `${number}${UnitName}`

/** What is legal for an option, both ends included. Left out: 0 and no upper end. */
export interface MemoryRange {
  readonly minBytes?: number | undefined
  readonly maxBytes?: number | undefined
}

/** The bytes of a size given to `option`. Throws CONFIG_INVALID naming option, value and what is legal. */
export function parseMemorySize(value: unknown, option: string, range: MemoryRange = {}): number {
  const bytes = readMemorySize(value)
  const { minBytes = 0, maxBytes = Number.POSITIVE_INFINITY } = range
  if (bytes === undefined || bytes < minBytes || bytes > maxBytes) {
    const shown = typeof value === 'string' ? `"${value}"` : String(value)
    throw new StreamError('CONFIG_INVALID', {
      message: `${option}: ${shown} is not a legal size of memory.`,
      hint: `Legal is ${describeMemorySizes(range)}.`,
      details: { option, value: shown, legal: describeMemorySizes(range) },
    })
  }
  return bytes
}

/** Bytes, or undefined when the value is no size: negative, a fraction, an unknown unit. Without a unit a text counts bytes. */
export function readMemorySize(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 ? value : undefined
  if (typeof value !== 'string') return undefined
  const [, digits, unit] = /^\s*(\d+)\s*([a-z]*)\s*$/i.exec(value) ?? []
  if (digits === undefined || unit === undefined) return undefined
  const name = unit === '' ? 'b' : unit.toLowerCase()
  const found = UNITS.find(({ names }) => (names as readonly string[]).includes(name))
  const bytes = found === undefined ? Number.NaN : Number(digits) * found.bytes
  return Number.isSafeInteger(bytes) ? bytes : undefined
}

/** Says in words what `range` allows. */
export function describeMemorySizes({ minBytes = 0, maxBytes }: MemoryRange): string {
  const from = minBytes > 0 ? ` of ${formatMemorySize(minBytes)} or more` : ''
  const to = maxBytes === undefined ? '' : `${from === '' ? ' of' : ' and'} ${formatMemorySize(maxBytes)} or less`
  return `a size of memory${from}${to}, such as 512 bytes, 20 kb, 64 mb`
}

/** The shortest exact text: `20480` is `'20 kb'`. Reading it gives the same bytes. */
export function formatMemorySize(bytes: number): string {
  const unit = bytes === 0 ? UNITS[4] : (UNITS.find((one) => bytes % one.bytes === 0) ?? UNITS[4])
  return `${bytes / unit.bytes} ${unit.names[0]}`
}
