/** Freezes a value with everything that it holds: what `execution.debug-freeze` does to records and to values of state. */
import { types } from 'node:util'

/** What was frozen here. A program that freezes an object itself may have left alone what it holds. */
const frozen = new WeakSet<object>()

/**
 * The value itself, whose objects cannot be changed any more: plain objects, arrays, instances of classes, and what Maps
 * and Sets hold. Not to be frozen, and left as they are: the entries of a Map or Set as such, the time of a Date, private
 * fields, the bytes of a buffer or typed array, regular expressions, promises, proxies and functions. No getter is called.
 */
export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !frozen.has(value)) freezeAll(value)
  return value
}

/** Whether it is what the engine throws where strict code changes something frozen. */
export function isChangeOfFrozen(thrown: unknown): boolean {
  return (
    types.isNativeError(thrown) &&
    thrown.name === 'TypeError' &&
    /read only property|not extensible|Cannot delete property|Cannot redefine property/.test(thrown.message)
  )
}

/** A stack of its own: what a value holds may lie deeper than calls may. */
function freezeAll(root: object): void {
  const open = [root]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (frozen.has(next) || !canBeFrozen(next)) continue
    frozen.add(next)
    Object.freeze(next)
    addParts(next, open)
  }
}

function canBeFrozen(value: object): boolean {
  return !(
    ArrayBuffer.isView(value) ||
    types.isAnyArrayBuffer(value) ||
    types.isProxy(value) ||
    // Using it with the flags g or y changes it.
    types.isRegExp(value) ||
    types.isPromise(value)
  )
}

function addParts(value: object, open: object[]): void {
  if (types.isMap(value))
    for (const [key, part] of value) {
      addObject(key, open)
      addObject(part, open)
    }
  else if (types.isSet(value)) for (const part of value) addObject(part, open)
  for (const name of Reflect.ownKeys(value)) addObject(Reflect.getOwnPropertyDescriptor(value, name)?.value, open)
}

function addObject(part: unknown, open: object[]): void {
  if (typeof part === 'object' && part !== null) open.push(part)
}
