import { describe, expect, test, vi } from 'vitest'
import { StreamError } from '../../../src/index.ts'

describe('StreamError.is', () => {
  test('knows the errors of another copy of the package, which instanceof does not', async () => {
    vi.resetModules()
    const other = await import('../../../src/index.ts')
    expect(other.StreamError).not.toBe(StreamError)
    const foreign = new other.StreamError('JOB_FAILED', { message: 'of the other copy' })
    expect([foreign instanceof StreamError, StreamError.is(foreign)]).toEqual([false, true])
    expect(other.StreamError.is(new StreamError('JOB_FAILED', { message: 'of this copy' }))).toBe(true)
    if (StreamError.is(foreign)) expect(foreign.code).toBe('JOB_FAILED')
  })

  test('takes nothing else for one, whatever it looks like', () => {
    const alike = Object.assign(new Error('x'), { name: 'StreamError', code: 'JOB_FAILED', hint: 'x', details: {} })
    for (const other of [alike, undefined, null, 5, 'x', Symbol.for('millrace.StreamError'), () => {}])
      expect(StreamError.is(other)).toBe(false)
  })
})

test('A StreamError has code, message, hint, details, and as its cause the very object', () => {
  const cause = { thrown: 'anything' }
  const error = new StreamError('CONFIG_INVALID', { message: 'm', hint: 'h', details: { option: 'o' }, cause })
  expect(error).toBeInstanceOf(Error)
  expect([error.name, error.code, error.message, error.hint, error.details]).toEqual([
    'StreamError',
    'CONFIG_INVALID',
    'm',
    'h',
    { option: 'o' },
  ])
  expect(error.cause).toBe(cause)
  expect('cause' in new StreamError('CONFIG_INVALID', { message: 'm' })).toBe(false)
})
