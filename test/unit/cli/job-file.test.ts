import { describe, expect, test } from 'vitest'
import { StreamError } from '../../../src/base/errors.ts'
import { checkNode, explainImportFailure } from '../../../src/cli/job-file.ts'

const withStack = (error: Error, stack: string) => Object.assign(error, { stack })

test('a Node that is too old is refused by its version', () => {
  for (const version of ['v20.19.0', 'v22.0.0', 'v100.1.2']) expect(() => checkNode(version)).not.toThrow()
  for (const version of ['v18.20.8', 'v20.18.3'])
    expect(() => checkNode(version)).toThrow(`Millrace needs Node 20.19 or later; this is ${version}.`)
})

describe('a job file that could not be loaded', () => {
  test.each([
    [Object.assign(new Error('Cannot find module'), { code: 'ERR_MODULE_NOT_FOUND' }), 'JOB_FILE_INVALID'],
    [withStack(new SyntaxError('bad'), 'file:///job.js:1\nx\n\nSyntaxError: bad'), 'JOB_FILE_INVALID'],
    [new SyntaxError('/job.ts:2:10: Unexpected token'), 'JOB_FILE_INVALID'],
    [
      withStack(
        new SyntaxError('bad'),
        'SyntaxError: bad\n    at compileSourceTextModule (node:internal/modules/esm/utils:346:16)',
      ),
      'JOB_FILE_INVALID',
    ],
    [
      withStack(
        new SyntaxError('Unexpected token in JSON'),
        'SyntaxError: Unexpected token in JSON\n    at JSON.parse (<anonymous>)',
      ),
      'JOB_FILE_FAILED',
    ],
    [new TypeError('x'), 'JOB_FILE_FAILED'],
    ['text', 'JOB_FILE_FAILED'],
  ])('for %s is explained by %s', (thrown, code) => {
    expect(explainImportFailure('/job.ts', thrown)).toMatchObject({ code, cause: thrown })
  })

  test('is told to look for syntax that Node does not know where Node names no place', () => {
    const stack =
      "SyntaxError: Unexpected identifier 'job'\n    at compileSourceTextModule (node:internal/modules/esm/utils:346:16)"
    const unplaced = withStack(new SyntaxError("Unexpected identifier 'job'"), stack)
    expect(explainImportFailure('/job.ts', unplaced).hint).toContain('`await using` before Node 24')
    const placed = withStack(new SyntaxError('bad'), 'file:///job.js:1\nx\n\nSyntaxError: bad')
    expect(explainImportFailure('/job.ts', placed).hint).toBe('Correct the place that is named below.')
  })

  test('for an error of ours keeps it as it is', () => {
    const error = new StreamError('CONFIG_INVALID', { message: 'x' })
    expect(explainImportFailure('/job.ts', error)).toBe(error)
  })
})
