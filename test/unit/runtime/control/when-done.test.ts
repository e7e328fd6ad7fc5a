import { describe, expect, test } from 'vitest'
import { whenDone } from '../../../../src/runtime/control/when-done.ts'

const heard = (work: () => unknown) => {
  const log: unknown[] = []
  whenDone(
    work,
    (value) => log.push(['done', value]),
    (thrown) => log.push(['failed', thrown]),
  )
  return log
}

describe('the answer of work', () => {
  test('that returns a value or throws is heard at once', () => {
    expect(heard(() => 1)).toEqual([['done', 1]])
    expect(
      heard(() => {
        throw 'a text'
      }),
    ).toEqual([['failed', 'a text']])
  })

  test('that returns a promise is heard when it settles, once', async () => {
    const [resolved, rejected] = [heard(() => Promise.resolve(2)), heard(() => Promise.reject('no'))]
    expect([resolved, rejected]).toEqual([[], []])
    await Promise.resolve()
    expect([resolved, rejected]).toEqual([[['done', 2]], [['failed', 'no']]])
  })
})
