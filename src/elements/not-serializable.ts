/** Says why a value cannot be serialised: walks it again, slowly, and names the path of the first offending part. */
import { types } from 'node:util'
import { StreamError } from '../base/errors.ts'
import { DEEPEST } from './value-tags.ts'

/** Thrown inside a writer, which knows no path; caught at its door. */
export const REFUSED = new Error('a part of the value cannot be serialised')

/** The prototype of plain objects, also that of another realm. */
export function isPlainPrototype(prototype: object | null): boolean {
  return (
    prototype !== null &&
    (prototype === Object.prototype ||
      (Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'isPrototypeOf')))
  )
}

/** The error for a value that a writer has refused. */
export function refusal(value: unknown): StreamError {
  const { path, what } = findOffence(value, 'value', []) ?? {
    path: 'value',
    what: 'holds something that cannot be serialised',
  }
  return new StreamError('NOT_SERIALIZABLE', {
    message: `${path} ${what}, which cannot be serialised.`,
    hint: 'Keep plain data only, or give the state or the stream a serializer that knows this type.',
    details: { path },
  })
}

interface Offence {
  readonly path: string
  readonly what: string
}

function findOffence(value: unknown, path: string, around: readonly object[]): Offence | undefined {
  if (typeof value === 'function') return { path, what: 'is a function' }
  if (typeof value === 'symbol') return { path, what: 'is a symbol' }
  if (typeof value !== 'object' || value === null) return undefined
  if (around.includes(value)) return { path, what: 'is an object that contains itself' }
  if (around.length >= DEEPEST) return { path: shortened(path), what: `lies more than ${DEEPEST} objects deep` }
  const own = offenceOf(value)
  if (own !== undefined) return { path, what: own }
  const inside = [...around, value]
  for (const [step, part] of partsOf(value)) {
    const found = findOffence(part, path + step, inside)
    if (found !== undefined) return found
  }
  return undefined
}

/** What is wrong with the object itself, whatever it holds. */
function offenceOf(value: object): string | undefined {
  if (types.isProxy(value)) return 'is a proxy'
  const prototype = Object.getPrototypeOf(value) as object | null
  const plain = prototype === null || isPlainPrototype(prototype)
  if (plain || Array.isArray(value)) {
    if (!plain && !isPlainArrayPrototype(prototype)) return `is an instance of the class ${className(value)}`
    const symbol = Object.getOwnPropertySymbols(value)[0]
    if (symbol !== undefined) return `has a property named by ${String(symbol)}`
    const hidden = Object.getOwnPropertyNames(value).find(
      (name) => !Object.prototype.propertyIsEnumerable.call(value, name) && (plain || name !== 'length'),
    )
    return hidden === undefined ? undefined : `has the hidden property ${JSON.stringify(hidden)}`
  }
  if (types.isPromise(value)) return 'is a promise'
  if (
    types.isMap(value) ||
    types.isSet(value) ||
    types.isDate(value) ||
    types.isRegExp(value) ||
    types.isNativeError(value)
  )
    return isBuiltIn(prototype) ? hiddenExtras(value) : `is an instance of the class ${className(value)}`
  if (types.isSharedArrayBuffer(value)) return 'is shared memory'
  if (types.isAnyArrayBuffer(value) || ArrayBuffer.isView(value))
    return isBuiltIn(prototype) || Buffer.isBuffer(value)
      ? 'is a resizable, shared or detached buffer, or has properties of its own'
      : `is an instance of the class ${className(value)}`
  if (types.isBoxedPrimitive(value)) return types.isSymbolObject(value) ? 'is a symbol' : hiddenExtras(value)
  return `is an instance of the class ${className(value)}`
}

function hiddenExtras(value: object): string | undefined {
  if (types.isNativeError(value)) return undefined
  return Object.keys(value).length > 0 && !types.isStringObject(value)
    ? `has the extra property ${JSON.stringify(Object.keys(value)[0])}`
    : undefined
}

function isPlainArrayPrototype(prototype: object | null): boolean {
  return (
    prototype === Array.prototype ||
    (Array.isArray(prototype) && isPlainPrototype(Object.getPrototypeOf(prototype) as object | null))
  )
}

function isBuiltIn(prototype: object | null): boolean {
  const maker: unknown = prototype === null ? undefined : Reflect.get(prototype, 'constructor')
  return typeof maker === 'function' && /\[native code\]/.test(Function.prototype.toString.call(maker))
}

function className(value: object): string {
  const maker: unknown = Reflect.get(value, 'constructor')
  return typeof maker === 'function' && maker.name !== '' ? maker.name : '(without a name)'
}

function* partsOf(value: object): Generator<readonly [step: string, part: unknown]> {
  if (types.isMap(value)) {
    let place = 0
    for (const [key, part] of value) {
      yield [`.key(${place++})`, key]
      yield [typeof key === 'string' ? `.get(${JSON.stringify(key)})` : `.value(${place - 1})`, part]
    }
  } else if (types.isSet(value)) {
    let place = 0
    for (const part of value) yield [`.element(${place++})`, part]
  } else if (types.isNativeError(value)) {
    for (const name of Object.getOwnPropertyNames(value)) yield [step(value, name), Reflect.get(value, name)]
  } else if (!ArrayBuffer.isView(value)) {
    for (const name of Object.keys(value)) yield [step(value, name), Reflect.get(value, name)]
  }
}

function step(value: object, name: string): string {
  if (Array.isArray(value) && /^\d+$/.test(name)) return `[${name}]`
  return /^[\p{ID_Start}_$][\p{ID_Continue}$]*$/u.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`
}

function shortened(path: string): string {
  return path.length > 100 ? `${path.slice(0, 60)}…${path.slice(-30)}` : path
}
