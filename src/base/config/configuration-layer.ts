/** One level of a configuration as it was written: plain data, so that it can cross two copies of the package. */
import { StreamError } from '../errors.ts'
import { describeLegal, type PlainValue, readOptionValue } from './option-value.ts'
import { findOption, type OptionInput, type OptionKey, type OptionValue } from './options.ts'

export interface ConfigurationEntry {
  /** As it was written: also an older name, also one that is not known. */
  readonly key: string
  readonly value: unknown
  /** Of the file, from 1. */
  readonly line?: number | undefined
}

export interface ConfigurationLayer {
  readonly level: 'code' | 'command line' | 'file'
  /** Of the file. */
  readonly path?: string | undefined
  /** A later entry of the same key replaces an earlier one. */
  readonly entries: readonly ConfigurationEntry[]
}

/** A layer of what a program wrote into a `Configuration`, or its setters collected. Undefined values say nothing. */
export function codeLayer(configuration: Readonly<Record<string, unknown>>): ConfigurationLayer {
  const entries = Object.entries(configuration).flatMap(([key, value]) => (value === undefined ? [] : [{ key, value }]))
  return { level: 'code', entries }
}

/** Where an entry stands: `config.yaml:3`, `the command line`, `the code of the job`. */
export function originOf(layer: ConfigurationLayer, entry: ConfigurationEntry): string {
  if (layer.level === 'code') return 'the code of the job'
  if (layer.level === 'command line') return 'the command line'
  return entry.line === undefined
    ? (layer.path ?? 'the configuration file')
    : `${layer.path ?? 'the configuration file'}:${entry.line}`
}

/** For setters: the plain value of what was given to an option. Throws CONFIG_INVALID at once. */
export function checkedOption<K extends OptionKey>(
  key: K,
  value: OptionInput<K>,
  setter: string = key,
): OptionValue<K> {
  const definition = findOption(key)?.definition
  const plain = definition === undefined ? undefined : readOptionValue(definition, value)
  if (plain === undefined) throw invalidValue({ key, value, where: undefined, named: setter })
  return plain as OptionValue<K>
}

/** One level, each option with its newest value. */
export interface ReadLayer {
  readonly layer: ConfigurationLayer
  readonly values: ReadonlyMap<OptionKey, { readonly value: PlainValue; readonly entry: ConfigurationEntry }>
}

/** Reads every entry whose key is known. Throws CONFIG_INVALID at the first value that is not legal. */
export function readLayer(layer: ConfigurationLayer): ReadLayer {
  const values = new Map<OptionKey, { readonly value: PlainValue; readonly entry: ConfigurationEntry }>()
  for (const entry of layer.entries) {
    const option = findOption(entry.key)
    if (option === undefined) continue
    const value = readEntry(layer, entry)
    // In one level, an older name says nothing where the key itself is given.
    const earlier = values.get(option.key)
    const giveWay = earlier !== undefined && earlier.entry.key === option.key && entry.key !== option.key
    if (!giveWay) values.set(option.key, { value, entry })
  }
  return { layer, values }
}

/** The plain value of an entry whose key is known. Throws CONFIG_INVALID with file and line. */
function readEntry(layer: ConfigurationLayer, entry: ConfigurationEntry): PlainValue {
  const definition = findOption(entry.key)?.definition
  const plain = definition === undefined ? undefined : readOptionValue(definition, entry.value)
  if (plain === undefined) {
    const where = {
      text: originOf(layer, entry),
      file: layer.level === 'file' ? layer.path : undefined,
      line: entry.line,
    }
    throw invalidValue({ key: entry.key, value: entry.value, where, named: entry.key })
  }
  return plain
}

interface Invalid {
  readonly key: string
  readonly value: unknown
  readonly where:
    | { readonly text: string; readonly file: string | undefined; readonly line: number | undefined }
    | undefined
  /** What the user called: a setter, or the key. */
  readonly named: string
}

function invalidValue({ key, value, where, named }: Invalid): StreamError {
  const definition = findOption(key)?.definition
  const legal = definition === undefined ? 'nothing: the option does not exist' : describeLegal(definition)
  const shown = showValue(value)
  const option = named === key ? key : `${named} (${key})`
  return new StreamError('CONFIG_INVALID', {
    message: `${where === undefined ? '' : `${where.text}: `}${option} cannot be ${shown}.`,
    hint: `Legal is ${legal}.`,
    details: {
      option: key,
      value: shown,
      legal,
      ...(where?.file === undefined ? {} : { file: where.file, line: where.line }),
    },
  })
}

function showValue(value: unknown): string {
  if (typeof value === 'string') return `"${value}"`
  if (typeof value !== 'object' || value === null) return String(value)
  return Array.isArray(value)
    ? 'a list'
    : Object.getPrototypeOf(value) === Object.prototype
      ? 'an object'
      : String(value)
}
