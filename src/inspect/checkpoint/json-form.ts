/**
 * Values of the default serializer as JSON that loses nothing: what JSON has stands as it is, the rest in an object with
 * one name that begins with `$`. The list of them is in docs/guides/command-line.md; `json-form-reader.ts` is the way back.
 */
import { types } from 'node:util'

/** A JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json }

/** Of any value that the default serializer reads. Looks no deeper than that serializer goes. */
export function jsonFormOf(value: unknown): Json {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0) ? value : { $number: numberText(value) }
    case 'bigint':
      return { $bigint: String(value) }
    case 'object':
      return value === null ? null : objectForm(value)
    default:
      return { $undefined: true }
  }
}

export function base64Of(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}

const numberText = (value: number): string => (Object.is(value, -0) ? '-0' : String(value))

function objectForm(value: object): Json {
  if (Array.isArray(value)) return arrayForm(value)
  if (types.isMap(value)) return { $map: [...value].map(([key, entry]) => [jsonFormOf(key), jsonFormOf(entry)]) }
  if (types.isSet(value)) return { $set: [...value].map(jsonFormOf) }
  if (types.isDate(value)) return { $date: Number.isNaN(value.getTime()) ? null : value.toISOString() }
  if (types.isRegExp(value))
    return { $regexp: { source: value.source, flags: value.flags, lastIndex: jsonFormOf(value.lastIndex) } }
  if (types.isArrayBuffer(value)) return { $arrayBuffer: base64Of(new Uint8Array(value)) }
  if (ArrayBuffer.isView(value)) return viewForm(value)
  if (types.isBoxedPrimitive(value)) return { $boxed: jsonFormOf(value.valueOf()) }
  if (types.isNativeError(value)) return errorForm(value)
  return propertiesForm(value)
}

function arrayForm(value: readonly unknown[]): Json {
  const names = Object.keys(value)
  // Without holes and without names of its own: an array that says to have four billion elements may have two.
  if (names.length === value.length && names.every((name, index) => name === String(index)))
    return value.map(jsonFormOf)
  return { $array: { length: value.length, entries: entriesOf(value, names) } }
}

function viewForm(value: ArrayBufferView): Json {
  const bytes = base64Of(new Uint8Array(value.buffer, value.byteOffset, value.byteLength))
  if (Buffer.isBuffer(value)) return { $buffer: bytes }
  const type = kindOf(value)
  return type === 'Uint8Array' ? { $bytes: bytes } : { $view: { type, base64: bytes } }
}

function errorForm(value: Error): Json {
  const properties = Object.getOwnPropertyNames(value).map((name) => ({
    name,
    // Not of its descriptor: newer engines keep the stack behind an accessor.
    value: jsonFormOf(Reflect.get(value, name)),
    enumerable: Object.prototype.propertyIsEnumerable.call(value, name),
  }))
  return { $error: { type: kindOf(value), properties } }
}

/** Not by `constructor`, which the value may have as a property of its own. */
function kindOf(value: object): string {
  return (Object.getPrototypeOf(value) as { readonly constructor: { readonly name: string } }).constructor.name
}

function propertiesForm(value: object): Json {
  const names = Object.keys(value)
  if (Object.getPrototypeOf(value) === null) return { $nullObject: entriesOf(value, names) }
  if (names.some((name) => name.startsWith('$'))) return { $object: entriesOf(value, names) }
  // Without prototype, so that `__proto__` is a name as any other.
  const form = Object.create(null) as Record<string, Json>
  for (const name of names) form[name] = jsonFormOf((value as Record<string, unknown>)[name])
  return form
}

function entriesOf(value: object, names: readonly string[]): Json {
  return names.map((name) => [name, jsonFormOf((value as Record<string, unknown>)[name])])
}
