import { describe, expect, test } from 'vitest'
import { deepFreeze, isChangeOfFrozen } from '../../../src/elements/deep-freeze.ts'

describe('deepFreeze', () => {
  test('gives the very value back, primitives and functions untouched', () => {
    const held = { a: 1 }
    expect(deepFreeze(held)).toBe(held)
    const fn = () => 1
    for (const value of [undefined, null, 1, 'x', 1n, Symbol.iterator, fn]) expect(deepFreeze(value)).toBe(value)
    expect(Object.isFrozen(fn)).toBe(false)
  })

  test('freezes objects, arrays, instances and what Maps, Sets and symbols hold, all the way down', () => {
    class Point {
      readonly at = { x: 1 }
    }
    const name = Symbol('name')
    const parts = { plain: {}, list: [{}], point: new Point(), key: {}, value: {}, element: {}, hidden: {}, named: {} }
    const held = {
      plain: { plain: parts.plain },
      list: parts.list,
      point: parts.point,
      map: new Map([[parts.key, parts.value]]),
      set: new Set([parts.element]),
      bare: Object.assign(Object.create(null), { x: {} }),
      [name]: parts.named,
    }
    Object.defineProperty(held, 'hidden', { value: parts.hidden, enumerable: false })
    deepFreeze(held)
    for (const part of [
      held,
      held.plain,
      held.bare,
      held.bare.x,
      parts.list[0],
      parts.point.at,
      ...Object.values(parts),
    ])
      expect(Object.isFrozen(part)).toBe(true)
  })

  test('goes into what a program froze itself', () => {
    const held = Object.freeze({ inner: { x: 1 } })
    deepFreeze(held)
    expect(Object.isFrozen(held.inner)).toBe(true)
  })

  test('bears cycles, and what lies deeper than calls may', () => {
    const ring: { next?: object } = {}
    ring.next = { back: ring }
    deepFreeze(ring)
    expect(Object.isFrozen(ring.next)).toBe(true)
    let list: { next: unknown } = { next: undefined }
    const last = list
    for (let depth = 0; depth < 200_000; depth++) list = { next: list }
    deepFreeze(list)
    expect(Object.isFrozen(last)).toBe(true)
  })

  test('leaves what cannot be frozen, and calls no getter', () => {
    const held = {
      bytes: new Uint8Array([1]),
      buffer: Buffer.from('x'),
      memory: new ArrayBuffer(1),
      pattern: /x/g,
      promise: Promise.resolve(),
      proxy: new Proxy({}, { preventExtensions: () => expect.unreachable() }),
      get computed(): never {
        return expect.unreachable()
      },
    }
    deepFreeze(held)
    held.bytes[0] = 2
    expect(held.pattern.test('x')).toBe(true)
    expect(Object.isFrozen(held)).toBe(true)
  })

  test('a Map, a Set and a Date are frozen around, not in what they are', () => {
    const held = { map: new Map([[1, 1]]), at: new Date(0) }
    deepFreeze(held)
    held.map.set(1, 2)
    held.at.setTime(5)
    expect([held.map.get(1), held.at.getTime()]).toEqual([2, 5])
  })
})

describe('isChangeOfFrozen', () => {
  const frozen = deepFreeze({ a: 1, list: [2, 1] })
  test.each([
    ['assigning', () => Object.assign(frozen, { a: 2 })],
    ['adding', () => Object.assign(frozen, { b: 2 })],
    ['deleting', () => delete (frozen as { a?: number }).a],
    ['defining', () => Object.defineProperty(frozen, 'a', { value: 3 })],
    ['defining anew', () => Object.defineProperty(frozen, 'c', { value: 3 })],
    ['push', () => frozen.list.push(3)],
    ['pop', () => frozen.list.pop()],
    ['sort', () => frozen.list.sort()],
    ['splice', () => frozen.list.splice(0, 1)],
    ['length', () => Reflect.apply(Array.prototype.splice, frozen.list, [0])],
    ['the prototype', () => Object.setPrototypeOf(frozen, {})],
  ])('knows the error of %s', (_, change) => {
    let thrown: unknown
    try {
      change()
    } catch (error) {
      thrown = error
    }
    expect(isChangeOfFrozen(thrown)).toBe(true)
  })

  test('knows other errors as others', () => {
    for (const thrown of [
      new TypeError('x is not a function'),
      new Error('read only property'),
      'read only property',
      null,
    ])
      expect(isChangeOfFrozen(thrown)).toBe(false)
  })
})
