import { describe, expect, test } from 'vitest'
import { StreamError } from '../../../../src/base/errors.ts'
import { causes } from '../../../../src/runtime/control/causes.ts'

describe('causes', () => {
  test('are plain JSON, and lead back to the very object that was thrown', () => {
    const kept = causes()
    for (const thrown of [new RangeError('boom'), 'a text', { odd: 1 }, undefined, null]) {
      const cause = kept.of(thrown, 'USER_FUNCTION_FAILED')
      expect(kept.thrown(JSON.parse(JSON.stringify(cause)))).toBe(thrown)
      expect(cause).toMatchObject({ code: 'USER_FUNCTION_FAILED', restartHelps: true })
    }
  })

  test('keep the code of a StreamError, and whether a restart helps', () => {
    expect(causes().of(new StreamError('STATE_CORRUPT', { message: 'x' }), 'USER_FUNCTION_FAILED')).toMatchObject({
      code: 'STATE_CORRUPT',
      message: 'x',
      restartHelps: false,
    })
  })

  test('of long ago, or made by a chart, become an error with their text', () => {
    const kept = causes()
    const first = kept.of(new RangeError('first'), 'COMMIT_FAILED')
    for (let more = 0; more < 100; more++) kept.of(more, 'COMMIT_FAILED')
    expect(kept.thrown(first)).toMatchObject({ code: 'COMMIT_FAILED', message: 'first' })
    const made = { code: 'COMMIT_TIMED_OUT', message: 'late', restartHelps: true, thrown: null }
    expect(kept.thrown(made)).toMatchObject({ code: 'COMMIT_TIMED_OUT', message: 'late', restartHelps: true })
    expect(kept.thrown({ ...made, code: 'WHAT' })).toMatchObject({ code: 'INTERNAL' })
  })
})
