import { describe, expect, test } from 'vitest'
import { StreamError } from '../../../src/base/errors.ts'
import { endingOf, exitCodeOfError, exitCodeOfRun } from '../../../src/cli/exit-code.ts'

const error = (...[code, details]: [ConstructorParameters<typeof StreamError>[0], Record<string, unknown>?]) =>
  new StreamError(code, { message: code, details })

describe('the exit code', () => {
  test.each([
    [error('CONFIG_INVALID'), 2],
    [error('CONFIG_FILE_MISSING'), 2],
    [error('COMMAND_INVALID'), 2],
    [error('RESUME_NEEDS_DIRECTORY'), 2],
    [error('REST_UNPROTECTED'), 2],
    [error('JOB_FILE_INVALID', { exitCode: 2 }), 2],
    [error('JOB_FILE_INVALID'), 1],
    [error('UNSUPPORTED'), 1],
    [new Error('x'), 1],
    [undefined, 1],
  ])('for %s is %d', (thrown, code) => {
    expect(exitCodeOfError(thrown)).toBe(code)
  })

  test('of a run is that of its first error, else of its jobs, else of the signal', () => {
    const run = { endings: [], errors: [], signal: undefined } as const
    expect(exitCodeOfRun({ ...run, endings: ['finished', 'canceled', 'suspended'] })).toBe(0)
    expect(exitCodeOfRun({ ...run, endings: ['suspended'], signal: 'SIGTERM' })).toBe(143)
    expect(exitCodeOfRun({ ...run, endings: ['suspended', 'failed'], signal: 'SIGTERM' })).toBe(1)
    expect(exitCodeOfRun({ ...run, endings: ['failed'], errors: [error('CONFIG_INVALID')] })).toBe(2)
  })

  test('knows how a job ended from what its result rejected with', () => {
    expect([error('JOB_CANCELED'), error('JOB_SUSPENDED'), error('JOB_FAILED'), new Error('x')].map(endingOf)).toEqual([
      'canceled',
      'suspended',
      'failed',
      'failed',
    ])
  })
})
