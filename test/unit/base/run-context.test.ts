import { readFileSync } from 'node:fs'
import { afterEach, describe, expect, test } from 'vitest'
import { silentLogger } from '../../../src/base/logger.ts'
import { offerRunContext, type RunContext, type RunningJob, runContext } from '../../../src/base/run-context.ts'
import { VERSION } from '../../../src/base/version.ts'
import type { JobHandle } from '../../../src/runtime/job-handle.ts'

const context = (version: string): RunContext => ({
  version,
  layers: [],
  options: {
    fromSavepoint: undefined,
    allowNonRestoredState: false,
    claimMode: undefined,
    resume: undefined,
    takeover: false,
    rest: undefined,
  },
  logger: silentLogger,
  jobStarted() {},
  jobRefused() {},
  jobSkipped() {},
})

afterEach(() => offerRunContext(undefined))

describe('the run context', () => {
  test('is there only under millrace run', () => {
    expect(runContext()).toBeUndefined()
    const offered = context(VERSION)
    offerRunContext(offered)
    expect(runContext()).toBe(offered)
    offerRunContext(undefined)
    expect(runContext()).toBeUndefined()
  })

  test('crosses two copies of the package by a symbol that both know', () => {
    const offered = context(VERSION)
    offerRunContext(offered)
    expect(Reflect.get(globalThis, Symbol.for('millrace.run'))).toBe(offered)
  })

  test('of another major version is refused, of another minor version it is not', () => {
    offerRunContext(context('99.0.0'))
    expect(runContext).toThrow(
      expect.objectContaining({ code: 'VERSIONS_DIFFER', message: expect.stringContaining('99.0.0') }),
    )
    offerRunContext(context(`${VERSION.split('.')[0]}.99.0`))
    expect(runContext()?.version).toContain('.99.0')
  })

  test('takes a job of the runtime as it is', () => {
    const asRunningJob: (handle: JobHandle) => RunningJob = (handle) => handle
    expect(asRunningJob).toBeTypeOf('function')
  })

  test('knows the version of its own package', () => {
    const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'))
    expect(VERSION).toBe(version)
  })
})
