/** Savepoints, stops and checkpoints over REST: triggers, how they stand, and every refusal that Flink was seen to make. */
import { describe, expect, it } from 'vitest'
import { StreamError } from '../../../../src/base/errors.ts'
import {
  fakeJob,
  JOB,
  NO_JSON,
  Operations,
  OTHER_JOB,
  recorded,
  recordedRefusal,
  refusalOf,
  STORED_MS,
  TRIGGER,
} from './operations-fixture.ts'

const DIRECTORY = { 'target-directory': 'file:///savepoints' }
const UNKNOWN = '0'.repeat(32)
const RUNNING = `/jobs/${JOB}`

describe('A savepoint over REST', () => {
  it('is triggered as Flink’s command line does it, and its path told when it is complete', async () => {
    const wishes: unknown[] = []
    let complete: (path: string) => void = () => {}
    const { job } = fakeJob(JOB, {
      triggerSavepoint(wish) {
        wishes.push(wish)
        return new Promise((resolve) => {
          complete = resolve
        })
      },
    })
    const operations = new Operations({ jobs: [job] })
    const sent = {
      'target-directory': 'file:///savepoints',
      'cancel-job': false,
      formatType: 'CANONICAL',
      triggerId: null,
    }
    const trigger = await operations.ask('POST', `${RUNNING}/savepoints`, sent)
    expect(trigger).toEqual({ status: 202, body: { 'request-id': expect.stringMatching(/^[0-9a-f]{32}$/) } })
    const status = `${RUNNING}/savepoints/${trigger.body['request-id']}`
    expect(await operations.ask('GET', status)).toEqual({
      status: 200,
      body: recorded('async', 'savepoint-without-checkpointing-in-progress').body,
    })
    complete('/savepoints/savepoint-8630b4-0123456789ab')
    await operations.settled()
    expect(await operations.ask('GET', status)).toEqual({
      status: 200,
      body: { status: { id: 'COMPLETED' }, operation: { location: 'file:/savepoints/savepoint-8630b4-0123456789ab' } },
    })
    expect(wishes).toEqual([{ targetDirectory: '/savepoints', formatType: 'CANONICAL' }])
  })

  it('is native where that is asked for', async () => {
    const { job, asked } = fakeJob(JOB)
    await new Operations({ jobs: [job] }).run(`${RUNNING}/savepoints`, { ...DIRECTORY, formatType: 'NATIVE' })
    expect(asked).toEqual([['savepoint', { targetDirectory: '/savepoints', formatType: 'NATIVE' }]])
  })

  it('cancels its job where that is asked for', async () => {
    const { job, asked } = fakeJob(JOB)
    await new Operations({ jobs: [job] }).run(`${RUNNING}/savepoints`, { ...DIRECTORY, 'cancel-job': true })
    expect(asked).toEqual([['cancel with savepoint', { targetDirectory: '/savepoints', formatType: undefined }]])
  })

  it('is taken once for one trigger id', async () => {
    const { job, asked } = fakeJob(JOB)
    const operations = new Operations({ jobs: [job] })
    for (const triggerId of [TRIGGER, TRIGGER.toUpperCase(), TRIGGER])
      expect(await operations.ask('POST', `${RUNNING}/savepoints`, { ...DIRECTORY, triggerId })).toEqual({
        status: 202,
        body: { 'request-id': TRIGGER },
      })
    await operations.settled()
    expect(asked).toHaveLength(1)
  })

  it('goes where the job is configured to put it when no directory is named', async () => {
    const configuration = { savepointDirectory: '/own', checkpointDirectory: null }
    const { job, asked } = fakeJob(JOB, { executionGraph: () => ({ configuration }) as never })
    await new Operations({ jobs: [job] }).run(`${RUNNING}/savepoints`, {})
    expect(asked).toEqual([['savepoint', { targetDirectory: undefined, formatType: undefined }]])
  })

  it('goes where the configuration of the process says when the job says nothing', async () => {
    const { job, asked } = fakeJob(JOB)
    const configuration = { 'execution.checkpointing.savepoint-dir': 'file:///default' }
    await new Operations({ jobs: [job], configuration }).run(`${RUNNING}/savepoints`, {})
    expect(asked).toEqual([['savepoint', { targetDirectory: 'file:///default', formatType: undefined }]])
  })

  it.each([
    ['savepoints', {}, 'savepoint-no-directory'],
    ['savepoints', { nope: 1 }, 'savepoint-bad-unknown-field'],
    ['savepoints', recorded('errors', 'savepoint-no-directory-nulls').sent, 'savepoint-no-directory-nulls'],
    ['savepoints', [], 'savepoint-bad-array'],
    ['savepoints', NO_JSON, 'savepoint-bad-json'],
    ['savepoints', { formatType: 'NOPE' }, 'savepoint-bad-format'],
    ['savepoints', { 'cancel-job': 'maybe' }, 'savepoint-bad-type'],
    ['savepoints', { triggerId: 'xyz' }, 'savepoint-bad-trigger-id'],
    ['stop', { drain: false }, 'stop-no-directory'],
    ['stop', { 'target-directory': 'file:///x' }, 'stop-bad-unknown-field'],
    ['stop', { drain: 'maybe' }, 'stop-bad-drain'],
    ['stop', { targetDirectory: 'file:///x', triggerId: 'xyz' }, 'stop-bad-trigger-id'],
    ['stop', NO_JSON, 'stop-bad-json'],
    ['checkpoints', { checkpointType: 'NOPE' }, 'checkpoint-bad-type'],
    ['checkpoints', NO_JSON, 'checkpoint-bad-json'],
  ])('of a request that cannot be right is refused as Flink refuses it: %s %j', async (what, sent, recording) => {
    const { job, asked } = fakeJob(JOB)
    const operations = new Operations({ jobs: [job] })
    const answer = await operations.ask('POST', `${RUNNING}/${what}`, sent)
    expect(refusalOf(answer)).toEqual(recordedRefusal(recording))
    expect(Object.keys(answer.body)).toEqual(['errors'])
    expect([asked, operations.started]).toEqual([[], 0])
  })

  it.each([
    [{ 'target-directory': 5 }],
    [{ ...DIRECTORY, formatType: 0 }],
    [{ ...DIRECTORY, triggerId: 'ab' }],
    [{ ...DIRECTORY, 'cancel-job': 1 }],
    ['hello'],
  ])('takes nothing of a wrong type: %j', async (sent) => {
    const operations = new Operations({ jobs: [fakeJob(JOB).job] })
    expect(await operations.ask('POST', `${RUNNING}/savepoints`, sent)).toMatchObject({ status: 400 })
    expect(operations.started).toBe(0)
  })

  it('is not misled by names that every object has', async () => {
    const { job } = fakeJob(JOB)
    const sent = JSON.parse('{"__proto__":{"target-directory":"/etc","cancel-job":true}}')
    const answer = await new Operations({ jobs: [job] }).ask('POST', `${RUNNING}/savepoints`, sent)
    expect(refusalOf(answer)).toEqual(recordedRefusal('savepoint-no-directory'))
  })

  it.each([
    ['of a job that does not exist', UNKNOWN, 'RUNNING'],
    ['of a job that has ended', JOB, 'FINISHED'],
  ] as const)('%s is accepted, and the failure told to whoever asks how it stands', async (_, jobId, status) => {
    const { job, asked } = fakeJob(JOB, {}, status)
    for (const [what, body] of [
      ['savepoints', DIRECTORY],
      ['stop', { targetDirectory: '/savepoints' }],
    ] as const) {
      const { body: answer } = await new Operations({ jobs: [job] }).run(
        `/jobs/${jobId}/${what}`,
        body,
        `/jobs/${jobId}/savepoints`,
      )
      expect(answer.status).toEqual({ id: 'COMPLETED' })
      expect(answer.operation['failure-cause']['stack-trace']).toBe(
        `org.apache.flink.runtime.messages.FlinkJobNotFoundException: Could not find Flink job (${jobId})\n`,
      )
    }
    expect(asked).toEqual([])
  })

  it('that is not taken names the reason in Flink’s words, and ours', async () => {
    const thrown = new StreamError('CHECKPOINT_FAILED', {
      message: 'The savepoint was not triggered.',
      hint: 'Trigger again later.',
      details: { reason: 'NOT_ALL_REQUIRED_TASKS_RUNNING' },
    })
    const { job } = fakeJob(JOB, { triggerSavepoint: () => Promise.reject(thrown) })
    const { body } = await new Operations({ jobs: [job] }).run(`${RUNNING}/savepoints`, DIRECTORY)
    expect(body.operation['failure-cause']).toMatchObject({
      class: 'org.apache.flink.runtime.checkpoint.CheckpointException',
      'stack-trace':
        'org.apache.flink.runtime.checkpoint.CheckpointException: The savepoint was not triggered. Trigger again later. Failure reason: Not all required tasks are currently running.\n',
    })
  })

  it('whose directory cannot be made fails with the chain of exceptions that was recorded', async () => {
    const thrown = new StreamError('FILE_ERROR', { message: 'EEXIST.', details: { path: '/savepoints/file/deeper' } })
    const { job } = fakeJob(JOB, { triggerSavepoint: () => Promise.reject(thrown) })
    const { body } = await new Operations({ jobs: [job] }).run(`${RUNNING}/savepoints`, DIRECTORY)
    expect(body.operation['failure-cause']['stack-trace'].split('\n')).toEqual([
      'org.apache.flink.runtime.checkpoint.CheckpointException: An Exception occurred while triggering the checkpoint. IO-problem detected.',
      'Caused by: java.io.IOException: Failed to create savepoint directory at file:/savepoints/file/deeper',
      'Caused by: java.nio.file.FileSystemException: EEXIST.',
      '',
    ])
  })

  it.each([
    ['JOB_FAILED', 'org.apache.flink.runtime.client.JobExecutionException'],
    ['JOB_CANCELED', 'org.apache.flink.runtime.client.JobCancellationException'],
    ['JOB_SUSPENDED', 'org.apache.flink.util.FlinkException'],
  ] as const)('whose job ends otherwise fails with %s as %s', async (code, className) => {
    const thrown = new StreamError(code, { message: 'It ended.' })
    const { job } = fakeJob(JOB, { stopWithSavepoint: () => Promise.reject(thrown) })
    const { body } = await new Operations({ jobs: [job] }).run(
      `${RUNNING}/stop`,
      { targetDirectory: '/savepoints' },
      `${RUNNING}/savepoints`,
    )
    expect(body.operation['failure-cause'].class).toBe(className)
  })

  it('is not known under another id, to another job, or after its time', async () => {
    const operations = new Operations({ jobs: [fakeJob(JOB).job, fakeJob(OTHER_JOB).job] })
    await operations.run(`${RUNNING}/savepoints`, { ...DIRECTORY, triggerId: TRIGGER })
    const missing = async (path: string) => refusalOf(await operations.ask('GET', path))
    expect(await missing(`${RUNNING}/savepoints/${UNKNOWN}`)).toEqual(recordedRefusal('unknown-trigger-savepoint'))
    expect(await missing(`/jobs/${OTHER_JOB}/savepoints/${TRIGGER}`)).toEqual(recordedRefusal('trigger-of-another-job'))
    expect(await missing(`${RUNNING}/savepoints/xyz`)).toEqual(recordedRefusal('bad-trigger-savepoint'))
    expect((await operations.ask('GET', `${RUNNING}/savepoints/${TRIGGER}`)).status).toBe(200)
    operations.clock.skip(STORED_MS + 1)
    expect((await operations.ask('GET', `${RUNNING}/savepoints/${TRIGGER}`)).status).toBe(404)
  })

  it('is refused with 503 where a hundred operations are under way', async () => {
    const { job } = fakeJob(JOB, { triggerSavepoint: () => new Promise(() => {}) })
    const operations = new Operations({ jobs: [job] })
    const answers = await Promise.all(
      Array.from({ length: 1_000 }, () => operations.ask('POST', `${RUNNING}/savepoints`, DIRECTORY)),
    )
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(100)
    expect(answers.filter(({ status }) => status === 503)).toHaveLength(900)
    expect(operations.started).toBe(100)
  })
})

describe('A stop over REST', () => {
  it.each([true, false])(
    'ends the job with a savepoint, with drain %s, and stands among the savepoints',
    async (drain) => {
      const { job, asked } = fakeJob(JOB)
      const sent = { targetDirectory: 'file:///savepoints', drain, formatType: 'CANONICAL', triggerId: null }
      const answer = await new Operations({ jobs: [job] }).run(`${RUNNING}/stop`, sent, `${RUNNING}/savepoints`)
      expect(answer.body.operation).toEqual({ location: 'file:/savepoints/savepoint-8630b4-0123456789ab' })
      expect(asked).toEqual([['stop', { targetDirectory: '/savepoints', formatType: 'CANONICAL', drain }]])
    },
  )
})

describe('A checkpoint over REST', () => {
  it.each([
    [{}, 'CONFIGURED'],
    [{ checkpointType: null, triggerId: null }, 'CONFIGURED'],
    [{ checkpointType: 'CONFIGURED' }, 'CONFIGURED'],
    [{ checkpointType: 'FULL' }, 'FULL'],
  ] as const)('is taken for %j, and its id told', async (sent, type) => {
    const { job, asked } = fakeJob(JOB)
    const answer = await new Operations({ jobs: [job] }).run(`${RUNNING}/checkpoints`, sent)
    expect(answer).toEqual({ status: 200, body: { status: { id: 'COMPLETED' }, operation: { checkpointId: 26 } } })
    expect(asked).toEqual([['checkpoint', { type }]])
  })

  it('is not taken as incremental, as in Flink', async () => {
    const operations = new Operations({ jobs: [fakeJob(JOB).job] })
    const { sent, status, body } = recorded('async', 'checkpoint-incremental-trigger')
    const answer = await operations.ask('POST', `${RUNNING}/checkpoints`, sent)
    const heads = ({ errors }: { errors: string[] }) => errors.map((text) => text.split('\n').slice(0, 2))
    expect([answer.status, heads(answer.body)]).toEqual([status, heads(body)])
  })

  it('that fails says so in camel case', async () => {
    const { body } = await new Operations().run(`/jobs/${UNKNOWN}/checkpoints`, {})
    expect(Object.keys(body.operation)).toEqual(['failureCause'])
  })

  it('is not known under another id', async () => {
    const answer = await new Operations().ask('GET', `${RUNNING}/checkpoints/${UNKNOWN}`)
    expect(refusalOf(answer)).toEqual(recordedRefusal('unknown-trigger-checkpoint'))
  })
})
