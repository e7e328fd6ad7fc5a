/** Reads one value as its definition says, says what is legal, and writes a value down. Knows nothing of files and levels. */
import { describeDurations, formatDuration, isWithin, readDuration } from './duration.ts'
import { describeMemorySizes, formatMemorySize, readMemorySize } from './memory-size.ts'
import type { OptionDefinition } from './option-definition.ts'

export type PlainValue = string | number | boolean

/** The value in its plain form (milliseconds, bytes, the choice as the table spells it), or undefined when it is not legal. */
export function readOptionValue(definition: OptionDefinition, raw: unknown): PlainValue | undefined {
  switch (definition.type) {
    case 'duration': {
      const ms = readDuration(raw)
      return ms !== undefined && isWithin(ms, definition) ? ms : undefined
    }
    case 'memory': {
      const bytes = readMemorySize(raw)
      const { minBytes = 0, maxBytes = Number.POSITIVE_INFINITY } = definition
      return bytes !== undefined && bytes >= minBytes && bytes <= maxBytes ? bytes : undefined
    }
    case 'integer':
    case 'number': {
      const value = readNumber(raw)
      const {
        min = Number.NEGATIVE_INFINITY,
        max = Number.POSITIVE_INFINITY,
        above = Number.NEGATIVE_INFINITY,
      } = definition
      if (value === undefined || (definition.type === 'integer' && !Number.isSafeInteger(value))) return undefined
      return value >= min && value <= max && value > above ? value : undefined
    }
    case 'boolean': {
      if (typeof raw === 'boolean') return raw
      const word = typeof raw === 'string' ? raw.trim().toLowerCase() : undefined
      return word === 'true' ? true : word === 'false' ? false : undefined
    }
    case 'text': {
      // A YAML file without quotes gives numbers and booleans where a text is meant.
      const text = typeof raw === 'string' ? raw.trim() : typeof raw === 'object' ? '' : String(raw)
      return text !== '' && (definition.pattern?.test(text) ?? true) ? text : undefined
    }
    case 'choice': {
      const word = String(raw).trim().toLowerCase()
      const meant = synonymOf(definition, raw) ?? word
      return definition.values.find((value) => value.toLowerCase() === meant)
    }
    default:
      return definition satisfies never
  }
}

/** What another spelling of a choice means; undefined when it is none. */
export function synonymOf(definition: OptionDefinition, raw: unknown): string | undefined {
  if (definition.type !== 'choice' || definition.synonyms === undefined) return undefined
  const word = String(raw).trim().toLowerCase()
  return Object.hasOwn(definition.synonyms, word) ? definition.synonyms[word] : undefined
}

/** Says in words what is legal: the end of an error message, a column of docs/CONFIGURATION.md. */
export function describeLegal(definition: OptionDefinition): string {
  switch (definition.type) {
    case 'duration':
      return describeDurations(definition)
    case 'memory':
      return describeMemorySizes(definition)
    case 'integer':
    case 'number':
      return describeNumbers(definition)
    case 'boolean':
      return 'true or false'
    case 'text':
      return definition.legal ?? 'a text'
    case 'choice':
      return `one of ${definition.values.join(', ')}`
    default:
      return definition satisfies never
  }
}

/** A plain value as one would write it into a file. */
export function formatOptionValue(definition: OptionDefinition, value: PlainValue): string {
  if (definition.type === 'duration') return formatDuration(Number(value))
  if (definition.type === 'memory') return formatMemorySize(Number(value))
  return String(value)
}

function readNumber(raw: unknown): number | undefined {
  if (typeof raw === 'number') return Number.isFinite(raw) ? raw : undefined
  if (typeof raw !== 'string' || !/^\s*[-+]?\d+(\.\d+)?(e[-+]?\d+)?\s*$/i.test(raw)) return undefined
  return Number(raw)
}

function describeNumbers(definition: OptionDefinition & { readonly type: 'integer' | 'number' }): string {
  const noun = definition.type === 'integer' ? 'a whole number' : 'a number'
  const { min, max, above } = definition
  if (above !== undefined) return `${noun} above ${above}`
  if (min !== undefined && max !== undefined) return `${noun} from ${min} to ${max}`
  return min === undefined ? noun : `${noun}, ${min} or more`
}
