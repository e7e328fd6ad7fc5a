/** From the JSON form of a value back to the value. What a user typed: everything in it is checked. */
import { StreamError } from '../../base/errors.ts'
import { ARRAY_VIEWS, ERRORS } from '../../elements/value-tags.ts'

/** The value whose JSON form this is. Throws COMMAND_INVALID for a form that does not exist, or is not of its shape. */
export function valueOfJsonForm(json: unknown): unknown {
  if (typeof json !== 'object' || json === null) return json
  if (Array.isArray(json)) return json.map(valueOfJsonForm)
  const names = Object.keys(json)
  const [name] = names
  if (name?.startsWith('$') === true) {
    const read = names.length === 1 && Object.hasOwn(FORMS, name) ? FORMS[name] : undefined
    if (read === undefined) throw malformed(name, 'there is no such form')
    return read((json as Record<string, unknown>)[name])
  }
  return withProperties(
    {},
    names.map((one) => [one, (json as Record<string, unknown>)[one]]),
  )
}

const NUMBERS: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
  '-0': -0,
}

const FORMS: Readonly<Record<string, (content: unknown) => unknown>> = {
  $undefined: () => undefined,
  $number(content) {
    const text = textIn('$number', content)
    if (!Object.hasOwn(NUMBERS, text)) throw malformed('$number', 'it is none of NaN, Infinity, -Infinity and -0')
    return NUMBERS[text]
  },
  $bigint(content) {
    const text = textIn('$bigint', content)
    if (!/^-?\d+$/.test(text)) throw malformed('$bigint', 'it is no whole number')
    return BigInt(text)
  },
  $date: (content) => new Date(content === null ? Number.NaN : textIn('$date', content)),
  $map: (content) =>
    new Map(pairsIn('$map', content).map(([key, value]) => [valueOfJsonForm(key), valueOfJsonForm(value)])),
  $set: (content) => new Set(listIn('$set', content).map(valueOfJsonForm)),
  $object: (content) => withProperties({}, pairsIn('$object', content)),
  $nullObject: (content) => withProperties(Object.create(null) as object, pairsIn('$nullObject', content)),
  $array(content) {
    const { length, entries } = objectIn('$array', content)
    if (!Number.isInteger(length) || (length as number) < 0 || (length as number) > 0xffff_ffff)
      throw malformed('$array', 'its length is none')
    const array: unknown[] = []
    array.length = length as number
    return withProperties(array, pairsIn('$array', entries))
  },
  $regexp(content) {
    const { source, flags, lastIndex } = objectIn('$regexp', content)
    try {
      const expression = new RegExp(textIn('$regexp', source), textIn('$regexp', flags))
      expression.lastIndex = Number(valueOfJsonForm(lastIndex))
      return expression
    } catch {
      // SyntaxError, or a part that is no text.
      throw malformed('$regexp', 'it is no regular expression')
    }
  },
  $bytes: (content) => bytesIn('$bytes', content),
  $buffer: (content) => Buffer.from(bytesIn('$buffer', content)),
  $arrayBuffer: (content) => bytesIn('$arrayBuffer', content).buffer,
  $view(content) {
    const { type, base64 } = objectIn('$view', content)
    const View = ARRAY_VIEWS.find(({ name }) => name === type)
    const bytes = bytesIn('$view', base64)
    const width = View?.BYTES_PER_ELEMENT ?? 1
    if (View === undefined || bytes.length % width !== 0) throw malformed('$view', 'it is no typed array')
    return new View(bytes.buffer, 0, bytes.length / width)
  },
  $boxed(content) {
    const primitive = valueOfJsonForm(content)
    if (typeof primitive === 'object' || primitive === undefined) throw malformed('$boxed', 'it holds no primitive')
    return Object(primitive) as unknown
  },
  $error(content) {
    const { type, properties } = objectIn('$error', content)
    const Constructor = ERRORS.find(({ name }) => name === type)
    if (Constructor === undefined) throw malformed('$error', 'there is no such error')
    const error = new Constructor()
    Reflect.deleteProperty(error, 'stack')
    for (const one of listIn('$error', properties)) {
      const { name, value, enumerable } = objectIn('$error', one)
      define(error, textIn('$error', name), valueOfJsonForm(value), enumerable === true)
    }
    return error
  },
}

function withProperties<T extends object>(target: T, pairs: readonly (readonly unknown[])[]): T {
  for (const [name, value] of pairs) define(target, textIn('object', name), valueOfJsonForm(value), true)
  return target
}

/** An assignment of `__proto__` would set the prototype. */
function define(target: object, name: string, value: unknown, enumerable: boolean): void {
  Object.defineProperty(target, name, { value, enumerable, configurable: true, writable: true })
}

function textIn(form: string, content: unknown): string {
  if (typeof content !== 'string') throw malformed(form, 'a text is due')
  return content
}

function listIn(form: string, content: unknown): readonly unknown[] {
  if (!Array.isArray(content)) throw malformed(form, 'a list is due')
  return content
}

function pairsIn(form: string, content: unknown): readonly (readonly unknown[])[] {
  return listIn(form, content).map((pair) => {
    if (!Array.isArray(pair) || pair.length !== 2) throw malformed(form, 'pairs are due')
    return pair
  })
}

function objectIn(form: string, content: unknown): Record<string, unknown> {
  if (typeof content !== 'object' || content === null || Array.isArray(content))
    throw malformed(form, 'an object is due')
  return content as Record<string, unknown>
}

/** On a buffer of its own: a view of several bytes an element must begin at its start. */
function bytesIn(form: string, content: unknown): Uint8Array<ArrayBuffer> {
  const bytes = Buffer.from(textIn(form, content), 'base64')
  const copy = new Uint8Array(bytes.length)
  copy.set(bytes)
  return copy
}

function malformed(form: string, what: string): StreamError {
  return new StreamError('COMMAND_INVALID', {
    message: `The JSON form ${form} cannot be read: ${what}.`,
    hint: 'Values that JSON does not have are written as in docs/guides/command-line.md, such as {"$bigint":"1"}.',
    details: { form },
  })
}
