import { describe, expect, test } from 'vitest'
import { StreamError } from '../../../src/base/errors.ts'
import { errorLines, errorObject } from '../../../src/cli/describe-error.ts'

const withStack = (error: Error, stack: string) => Object.assign(error, { stack })

const userError = withStack(
  new TypeError('x is not a function'),
  [
    'TypeError: x is not a function',
    '    at node:internal/process:1:2',
    '    at call (/app/node_modules/lib/index.js:5:6)',
    '    at parse (file:///jobs/my%20count.ts:12:7)',
    '    at file:///jobs/other.ts:1:1',
  ].join('\n'),
)
const failure = new StreamError('JOB_FAILED', {
  message: "Job 'words' failed.",
  hint: 'Look at the cause.',
  cause: new StreamError('USER_FUNCTION_FAILED', { message: "map 'parse' threw.", cause: userError }),
})

describe('an error', () => {
  test('is shown with code, message, hint, chain of causes, and the place in the user’s code', () => {
    expect(errorLines(failure, { stacks: false })).toEqual([
      "error JOB_FAILED: Job 'words' failed.",
      '  hint: Look at the cause.',
      "  caused by USER_FUNCTION_FAILED: map 'parse' threw.",
      '  caused by TypeError: x is not a function',
      '  at /jobs/my count.ts:12:7',
    ])
  })

  test('leaves out a cause that says the same once more', () => {
    const cause = new StreamError('INVALID_KEY', { message: 'key is a Date.', hint: 'Use getTime().' })
    const error = new StreamError('INVALID_KEY', {
      message: 'Operator "sum": key is a Date.',
      hint: 'Use getTime().',
      cause,
    })
    expect(errorLines(error, { stacks: false })).toEqual([
      'error INVALID_KEY: Operator "sum": key is a Date.',
      '  hint: Use getTime().',
    ])
  })

  test('shows whole stack traces only when asked', () => {
    const lines = errorLines(failure, { stacks: true })
    expect(lines.filter((line) => line.includes('node:internal'))).toHaveLength(1)
    expect(errorLines(failure, { stacks: false }).join()).not.toContain('node:internal')
  })

  test('that cannot be compiled has its place in the first line', () => {
    const error = withStack(
      new SyntaxError('Unexpected token'),
      'file:///jobs/count.js:3\nconst = 1\n\nSyntaxError: Unexpected token',
    )
    expect(errorLines(error, { stacks: false })).toEqual([
      'error SyntaxError: Unexpected token',
      '  at /jobs/count.js:3',
    ])
  })

  test('whose causes go round in a circle is cut off', () => {
    const error = new Error('a')
    error.cause = new Error('b', { cause: error })
    expect(errorLines(error, { stacks: true }).filter((line) => /^(error| {2}caused)/.test(line))).toHaveLength(10)
  })

  test('that is none is shown as what was thrown', () => {
    expect(errorLines('just text', { stacks: false })).toEqual(['error thrown: just text'])
    expect(errorLines(null, { stacks: false })).toEqual(['error thrown: null'])
  })

  test('is plain JSON for programs', () => {
    expect(JSON.parse(JSON.stringify(errorObject(failure)))).toEqual({
      code: 'JOB_FAILED',
      name: 'StreamError',
      message: "Job 'words' failed.",
      hint: 'Look at the cause.',
      causes: [
        { code: 'USER_FUNCTION_FAILED', name: 'StreamError', message: "map 'parse' threw." },
        { name: 'TypeError', message: 'x is not a function', at: '/jobs/my count.ts:12:7' },
      ],
    })
  })
})
