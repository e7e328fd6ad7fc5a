import { describe, expect, it } from 'vitest'
import type { Cause } from '../../../src/runtime/control/causes.ts'
import { FailureHistory } from '../../../src/runtime/failure-history.ts'

const causeOf = (message: string): Cause => ({ code: 'INTERNAL', message, restartHelps: true, thrown: null })

/** Failures by their messages: `root+concurrent+concurrent`, the newest first. */
function fixture(most = 16) {
  const history = new FailureHistory(most)
  const heard = (message: string, cause = causeOf(message)) => {
    history.heard(cause, { atMs: 0, throwable: { name: 'Error', message, stack: message }, task: null })
    return cause
  }
  const put = (message: string) => history.asked(heard(message))
  const restarted = () => {
    history.granted()
    history.statusChanged('RESTARTING')
  }
  const listed = () =>
    history
      .failures()
      .map(({ throwable, concurrent }) => [throwable, ...concurrent.map((one) => one.throwable)])
      .map((all) => all.map(({ message }) => message).join('+'))
  return { history, heard, put, restarted, listed }
}

describe('The failures of a job', () => {
  it('are one for each restart, with those that came until the job was RUNNING again', () => {
    const { history, heard, put, restarted, listed } = fixture()
    put('a')
    heard('b')
    restarted()
    heard('c')
    history.statusChanged('RUNNING')
    put('d')
    restarted()
    expect(listed()).toEqual(['d', 'a+b+c'])
  })

  it('are one more where state could not be restored: the strategy is asked again', () => {
    const { history, heard, put, restarted, listed } = fixture()
    put('a')
    restarted()
    const joined = heard('enumerator')
    heard('task')
    expect(listed()).toEqual(['a+enumerator+task'])
    history.asked(joined)
    restarted()
    heard('later')
    expect(listed()).toEqual(['enumerator+later', 'a+task'])
  })

  it('are one for that which the strategy refused, and what fails on the way out is beside it', () => {
    const { history, heard, put, listed } = fixture()
    put('a')
    history.statusChanged('FAILING')
    heard('b')
    history.statusChanged('FAILED')
    expect(listed()).toEqual(['a+b'])
  })

  it('are one for that which no restart helps, also while another one is being handled', () => {
    const { history, heard, put, restarted, listed } = fixture()
    put('a')
    restarted()
    history.statusChanged('FAILING')
    heard('for good')
    heard('b')
    expect(listed()).toEqual(['for good+b', 'a'])
  })

  it('are the newest ones', () => {
    const { history, put, restarted, listed } = fixture(2)
    for (const message of ['a', 'b', 'c']) {
      put(message)
      restarted()
      history.statusChanged('RUNNING')
    }
    expect(listed()).toEqual(['c', 'b'])
  })

  it('keep a hundred beside one', () => {
    const { heard, put, listed } = fixture()
    put('root')
    for (let index = 0; index < 100; index++) heard(`${index}`)
    heard('too many')
    expect(listed()[0]?.split('+')).toHaveLength(101)
    expect(listed()[0]).not.toContain('too many')
  })

  it('are known by their causes', () => {
    const { history, heard } = fixture()
    const [root, beside] = [heard('root'), heard('beside')]
    expect([root, beside, causeOf('root')].map((cause) => history.knows(cause))).toEqual([true, true, false])
  })
})
