import { describe, expect, it } from 'vitest'
import { StreamError } from '../../../src/base/errors.ts'
import { throwableSnapshot } from '../../../src/runtime/throwable-snapshot.ts'

class PaymentRefused extends Error {}

const linesOf = (thrown: unknown) => throwableSnapshot(thrown).stack.split('\n')

describe('What is kept of a thrown object', () => {
  it('is its name, its message and its stack, whose first line says both', () => {
    const { name, message, stack } = throwableSnapshot(new RangeError('no two'))
    expect([name, message]).toEqual(['RangeError', 'no two'])
    expect(stack).toMatch(/^RangeError: no two\n {4}at /)
    expect(stack).toContain('throwable-snapshot.test.ts')
  })

  it('names the class of the user’s own error, though its objects call themselves Error', () => {
    const thrown = new PaymentRefused('too much')
    expect(throwableSnapshot(thrown).name).toBe('PaymentRefused')
    expect(linesOf(thrown)[0]).toBe('PaymentRefused: too much')
  })

  it('has the message of now where it was changed after the throw, and one that looks like frames once', () => {
    const changed = new Error('before')
    changed.message = 'after'
    expect(linesOf(changed).slice(0, 2)).toEqual(['Error: after', expect.stringMatching(/^ {4}at /)])
    const odd = new Error('first\n    at second')
    expect(throwableSnapshot(odd).stack.split('at second')).toHaveLength(2)
  })

  it('has the stacks of its causes, each once, however they lead back', () => {
    const deepest = new TypeError('deepest')
    const middle = new Error('middle', { cause: deepest })
    Object.assign(deepest, { cause: middle })
    const heads = linesOf(new Error('outer', { cause: middle })).filter((line) => !line.startsWith('    at '))
    expect(heads).toEqual(['Error: outer', 'Caused by: Error: middle', 'Caused by: TypeError: deepest'])
  })

  it('has the hint of an error of the library', () => {
    const thrown = new StreamError('FILE_ERROR', { message: 'no space', hint: 'Make some.', cause: 'ENOSPC' })
    const heads = linesOf(thrown).filter((line) => !line.startsWith('    at '))
    expect(heads).toEqual(['StreamError: no space', ' Hint: Make some.', 'Caused by: string: thrown: ENOSPC'])
  })

  it.each([
    ['a text', 'broken', ['string', 'thrown: broken']],
    ['nothing', undefined, ['undefined', 'thrown: undefined']],
    ['null', null, ['null', 'thrown: null']],
    ['a symbol', Symbol('s'), ['symbol', 'thrown: Symbol(s)']],
    ['a plain object', { code: 7 }, ['Object', 'thrown: [object Object]']],
    ['an object without a prototype', Object.create(null), ['Object', expect.stringContaining('has no text')]],
  ])('is told also of %s', (_, thrown, [name, message]) => {
    expect(throwableSnapshot(thrown)).toMatchObject({ name, message })
  })

  it('is told of whatever throws when it is looked at', () => {
    const refuses = () => {
      throw new Error('do not look')
    }
    const everywhere = new Proxy(new Error('x'), { get: refuses, getPrototypeOf: refuses, has: refuses })
    const getters = new Error('y')
    // The stack first: making it reads the others.
    for (const key of ['stack', 'message', 'name', 'cause']) Object.defineProperty(getters, key, { get: refuses })
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    for (const thrown of [everywhere, getters, proxy, new Error('z', { cause: everywhere })])
      expect(JSON.stringify(throwableSnapshot(thrown))).toContain('"stack":"')
  })

  it('is bounded: a text without end, causes without end', () => {
    const endless = { get cause() { return Object.create(this, { again: { value: {} } }) } } // biome-ignore format: one line
    expect(throwableSnapshot(endless).stack.length).toBeLessThan(10_000)
    const { message, stack, name } = throwableSnapshot(
      Object.assign(new Error('m'.repeat(1e6)), { name: 'n'.repeat(1e6) }),
    )
    expect([name.length, message.length, stack.length]).toEqual([256, 16_384, 65_536])
    expect(stack.endsWith('\n... (cut)')).toBe(true)
  })

  it('holds no secret, in no part of it', () => {
    class Leaky extends Error {
      override readonly name = 'sesame'
    }
    const thrown = new Leaky('it is sesame', { cause: new Error('sesame') })
    const hidden = throwableSnapshot(thrown, (text) => text.replaceAll('sesame', '******'))
    expect(JSON.stringify(hidden)).not.toContain('sesame')
    expect(hidden).toMatchObject({ name: '******', message: 'it is ******' })
  })
})
