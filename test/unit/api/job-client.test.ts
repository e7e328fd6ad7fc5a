import { describe, expect, it } from 'vitest'
import { JobClient } from '../../../src/api/job-client.ts'
import { StreamError } from '../../../src/base/errors.ts'
import type { JobEvent, JobExecutionResult, JobHandle, JobStatus } from '../../../src/runtime/job-handle.ts'

/** A job that does what the test says. */
class ScriptedJob implements JobHandle {
  readonly jobId = 'a'.repeat(32)
  readonly jobName = 'scripted'
  readonly asked: string[] = []
  readonly result: Promise<JobExecutionResult>
  suspendFails = false
  readonly #listeners = new Set<(event: JobEvent) => void>()
  #resolve: (result: JobExecutionResult) => void = () => {}
  #reject: (error: unknown) => void = () => {}

  constructor() {
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    this.result.catch(() => {})
  }

  status(): JobStatus {
    return 'RUNNING'
  }

  async triggerCheckpoint(options: object = {}): Promise<number> {
    this.asked.push(`checkpoint ${JSON.stringify(options)}`)
    return 7
  }

  async triggerSavepoint(options: object = {}): Promise<string> {
    this.asked.push(`savepoint ${JSON.stringify(options)}`)
    return '/savepoints/one'
  }

  async stopWithSavepoint(options: object): Promise<string> {
    this.asked.push(`stop ${JSON.stringify(options)}`)
    return '/savepoints/last'
  }

  async cancelWithSavepoint(options: object = {}): Promise<string> {
    this.asked.push(`cancel ${JSON.stringify(options)}`)
    return '/savepoints/last'
  }

  async suspend(options?: { readonly timeoutMs?: number | undefined }): Promise<void> {
    this.asked.push(`suspend ${options?.timeoutMs ?? ''}`.trim())
    if (this.suspendFails) throw new StreamError('CHECKPOINT_FAILED', { message: 'no last checkpoint' })
    this.fails(new StreamError('JOB_SUSPENDED', { message: 'suspended' }))
  }

  async cancel(): Promise<void> {
    this.asked.push('cancel')
    this.fails(new StreamError('JOB_CANCELED', { message: 'canceled' }))
  }

  subscribe(listener: (event: JobEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  metrics(): never {
    throw new RangeError('not asked for')
  }

  checkpoints(): never {
    throw new RangeError('not asked for')
  }

  executionGraph(): never {
    throw new RangeError('not asked for')
  }

  measurements(): never {
    throw new RangeError('not asked for')
  }

  listeners(): number {
    return this.#listeners.size
  }

  says(status: JobStatus): void {
    for (const listener of this.#listeners) listener({ type: 'job.status', status, atMs: 0 })
  }

  finishes(): void {
    this.#resolve({ jobId: this.jobId, netRuntimeMs: 12 })
  }

  fails(error: unknown): void {
    this.#reject(error)
  }
}

const clientOf = (job: JobHandle, options: { signal?: AbortSignal; canSuspend?: boolean } = {}) =>
  new JobClient(job, { signal: options.signal, canSuspend: options.canSuspend ?? false })

describe('JobClient', () => {
  it('answers for the job', async () => {
    const job = new ScriptedJob()
    const client = clientOf(job)
    expect(client.jobId).toBe(job.jobId)
    expect(await client.getJobStatus()).toBe('RUNNING')
    expect(await client.triggerCheckpoint()).toBe(7)
    job.finishes()
    expect(await client.getJobExecutionResult()).toEqual({ jobId: job.jobId, netRuntimeMs: 12 })
  })

  it('hands on which checkpoint is asked for', async () => {
    const job = new ScriptedJob()
    const client = clientOf(job)
    for (const options of [{}, { type: 'FULL' }, { type: 'INCREMENTAL' }, { type: 'CONFIGURED' }] as const)
      expect(await client.triggerCheckpoint(options)).toBe(7)
    expect(job.asked).toEqual([
      'checkpoint {}',
      'checkpoint {"type":"FULL"}',
      'checkpoint {"type":"INCREMENTAL"}',
      'checkpoint {"type":"CONFIGURED"}',
    ])
  })

  it('hands on what is asked of savepoints', async () => {
    const job = new ScriptedJob()
    const client = clientOf(job)
    expect(await client.triggerSavepoint()).toBe('/savepoints/one')
    await client.triggerSavepoint('/s', { formatType: 'NATIVE' })
    expect(await client.stopWithSavepoint({ drain: true, targetDirectory: '/s' })).toBe('/savepoints/last')
    await client.cancelWithSavepoint('/s', { formatType: 'CANONICAL' })
    expect(job.asked).toEqual([
      'savepoint {}',
      'savepoint {"targetDirectory":"/s","formatType":"NATIVE"}',
      'stop {"drain":true,"targetDirectory":"/s"}',
      'cancel {"targetDirectory":"/s","formatType":"CANONICAL"}',
    ])
  })

  it('refuses what is no folder, no format and no decision about draining, naming the method', async () => {
    const job = new ScriptedJob()
    // From plain JavaScript anything may come.
    const client = clientOf(job) as unknown as Record<string, (...given: unknown[]) => Promise<string>>
    const mistakes: readonly (readonly [string, ...unknown[]])[] = [
      ['triggerCheckpoint', 'FULL'],
      ['triggerCheckpoint', null],
      ['triggerCheckpoint', { type: 'full' }],
      ['triggerSavepoint', ''],
      ['triggerSavepoint', 7],
      ['triggerSavepoint', '/s', { formatType: 'native' }],
      ['triggerSavepoint', '/s', null],
      ['stopWithSavepoint'],
      ['stopWithSavepoint', {}],
      ['stopWithSavepoint', { drain: 'yes' }],
      ['stopWithSavepoint', { drain: true, targetDirectory: '' }],
      ['stopWithSavepoint', { drain: true, formatType: 1 }],
      ['cancelWithSavepoint', {}],
    ]
    for (const [method, ...given] of mistakes)
      await expect(client[method]?.(...given), JSON.stringify([method, given])).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        message: expect.stringContaining(method),
      })
    expect(job.asked).toEqual([])
  })

  it('rejects with the error of the job itself, whose cause is what the user threw', async () => {
    const job = new ScriptedJob()
    const failure = new StreamError('JOB_FAILED', { message: 'failed', cause: { thrown: 'by a user' } })
    job.fails(failure)
    await expect(clientOf(job).getJobExecutionResult()).rejects.toBe(failure)
  })

  it('causes no unhandled rejection when nobody asks for the result', async () => {
    const unhandled: unknown[] = []
    const listen = (reason: unknown) => void unhandled.push(reason)
    process.on('unhandledRejection', listen)
    const job = new ScriptedJob()
    clientOf(job, { signal: new AbortController().signal })
    job.fails(new StreamError('JOB_FAILED', { message: 'nobody listens' }))
    await new Promise((resolve) => setImmediate(resolve))
    await new Promise((resolve) => setImmediate(resolve))
    process.off('unhandledRejection', listen)
    expect(unhandled).toEqual([])
  })

  it('cancels when its signal is aborted and no checkpoint can be kept; the reason is the cause', async () => {
    const job = new ScriptedJob()
    const controller = new AbortController()
    const client = clientOf(job, { signal: controller.signal })
    const reason = { why: 'enough' }
    controller.abort(reason)
    await expect(client.getJobExecutionResult()).rejects.toMatchObject({ code: 'JOB_CANCELED', cause: reason })
    expect(job.asked).toEqual(['cancel'])
  })

  it('suspends when its signal is aborted and a checkpoint can be kept', async () => {
    const job = new ScriptedJob()
    const controller = new AbortController()
    const client = clientOf(job, { signal: controller.signal, canSuspend: true })
    controller.abort('later')
    await expect(client.getJobExecutionResult()).rejects.toMatchObject({ code: 'JOB_SUSPENDED', cause: 'later' })
    expect(job.asked).toEqual(['suspend'])
  })

  it('cancels when suspending fails', async () => {
    const job = new ScriptedJob()
    job.suspendFails = true
    await clientOf(job, { canSuspend: true })[Symbol.asyncDispose]()
    expect(job.asked).toEqual(['suspend', 'cancel'])
  })

  it('ends the job at once when its signal was aborted while it started', async () => {
    const job = new ScriptedJob()
    const client = clientOf(job, { signal: AbortSignal.abort('too late') })
    await expect(client.getJobExecutionResult()).rejects.toMatchObject({ cause: 'too late' })
  })

  it('leaves the job alone when the signal is aborted after its end', async () => {
    const job = new ScriptedJob()
    const controller = new AbortController()
    const client = clientOf(job, { signal: controller.signal })
    job.finishes()
    await client.getJobExecutionResult()
    controller.abort()
    expect(job.asked).toEqual([])
  })

  it('waits for the end when its scope is left, and never throws', async () => {
    const job = new ScriptedJob()
    {
      await using _client = clientOf(job)
    }
    expect(job.asked).toEqual(['cancel'])
    await expect(job.result).rejects.toMatchObject({ code: 'JOB_CANCELED' })
  })

  it('a cancellation that was asked for has no foreign cause', async () => {
    const job = new ScriptedJob()
    const client = clientOf(job, { signal: new AbortController().signal })
    await client.cancel()
    await expect(client.getJobExecutionResult()).rejects.toSatisfy((error: StreamError) => error.cause === undefined)
  })
})

describe('the events of a job', () => {
  it('are all those from the call on, and end with the job', async () => {
    const job = new ScriptedJob()
    job.says('CREATED')
    const events = clientOf(job).events()
    job.says('RUNNING')
    job.says('FINISHED')
    job.finishes()
    const seen: string[] = []
    for await (const event of events) if (event.type === 'job.status') seen.push(event.status)
    expect(seen).toEqual(['RUNNING', 'FINISHED'])
    expect(job.listeners()).toBe(0)
  })

  it('reach somebody who waits, and several listeners', async () => {
    const job = new ScriptedJob()
    const [one, other] = [clientOf(job).events(), clientOf(job).events()]
    const waiting = [one.next(), one.next(), other.next()]
    job.says('RUNNING')
    job.says('FAILING')
    const statuses = (await Promise.all(waiting)).map(({ value }) => value.status)
    expect(statuses).toEqual(['RUNNING', 'FAILING', 'RUNNING'])
  })

  it('are let go for a reader who is too far behind: it gets what was kept, then an error, and the job is not held', async () => {
    const job = new ScriptedJob()
    const behind = clientOf(job).events()
    for (let each = 0; each < 10_500; each++) job.says('RUNNING')
    expect(job.listeners()).toBe(0)
    let read = 0
    const reading = (async () => {
      for await (const _ of behind) read++
    })()
    await expect(reading).rejects.toMatchObject({ code: 'EVENTS_LOST' })
    expect(read).toBe(10_000)
    expect(await behind.next()).toEqual({ done: true, value: undefined })
  })

  it('are not kept any longer once the loop is left', async () => {
    const job = new ScriptedJob()
    const events = clientOf(job).events()
    job.says('RUNNING')
    for await (const _event of events) break
    expect(job.listeners()).toBe(0)
    expect(await events.next()).toEqual({ done: true, value: undefined })
  })

  it('end also for a job that fails, and for somebody who waits at that moment', async () => {
    const job = new ScriptedJob()
    const waiting = clientOf(job).events().next()
    job.fails(new StreamError('JOB_FAILED', { message: 'failed' }))
    expect(await waiting).toEqual({ done: true, value: undefined })
  })
})
