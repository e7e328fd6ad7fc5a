/** What ends jobs over REST, what may be switched off, and what is refused for good. */
import { describe, expect, it } from 'vitest'
import { fakeJob, JOB, Operations, recordedRefusal, refusalOf } from './operations-fixture.ts'

const UNKNOWN = '0'.repeat(32)

describe('A cancellation over REST', () => {
  it.each(['?mode=cancel', '?mode=CANCEL', ''])('is accepted at once, whenever the job ends: %j', async (query) => {
    let isCancelled = false
    const cancel = () => {
      isCancelled = true
      return new Promise<void>(() => {})
    }
    const operations = new Operations({ jobs: [fakeJob(JOB, { cancel }).job] })
    expect(await operations.ask('PATCH', `/jobs/${JOB}${query}`)).toEqual({ status: 202, body: {} })
    expect(isCancelled).toBe(true)
  })

  it('by the button of the dashboard, and by its page of applications, is the same', async () => {
    const { job, asked } = fakeJob(JOB)
    const operations = new Operations({ jobs: [job] })
    expect(await operations.ask('GET', `/jobs/${JOB}/yarn-cancel`)).toEqual({ status: 202, body: {} })
    expect(await operations.ask('POST', `/applications/${JOB}/cancel`)).toEqual({ status: 202, body: {} })
    expect(asked).toHaveLength(2)
  })

  it('that fails later disturbs nobody', async () => {
    const cancel = () => Promise.reject(new Error('too late'))
    const operations = new Operations({ jobs: [fakeJob(JOB, { cancel }).job] })
    expect((await operations.ask('PATCH', `/jobs/${JOB}`)).status).toBe(202)
  })

  it.each([
    ['PATCH', `/jobs/${UNKNOWN}?mode=cancel`, 'cancel-unknown-job'],
    ['PATCH', `/jobs/${JOB}?mode=nope`, 'cancel-mode-bad'],
    ['PATCH', `/jobs/${JOB}?mode=stop`, 'cancel-mode-stop'],
    ['GET', `/jobs/${JOB}/yarn-stop`, 'yarn-stop'],
    ['PATCH', '/jobs/xyz', 'bad-job-id'],
  ] as const)('is refused as Flink refuses it: %s %s', async (method, path, name) => {
    const { job, asked } = fakeJob(JOB)
    expect(refusalOf(await new Operations({ jobs: [job] }).ask(method, path))).toEqual(recordedRefusal(name))
    expect(asked).toEqual([])
  })

  it.each([
    ['FINISHED', 'cancel-finished-job'],
    ['FAILED', 'cancel-failed-job'],
  ] as const)('of a job that is %s is a conflict', async (status, name) => {
    const { job, asked } = fakeJob(JOB, {}, status)
    expect(refusalOf(await new Operations({ jobs: [job] }).ask('PATCH', `/jobs/${JOB}?mode=cancel`))).toEqual(
      recordedRefusal(name),
    )
    expect(asked).toEqual([])
  })

  it('of a job that is CANCELED already is accepted', async () => {
    const { job } = fakeJob(JOB, {}, 'CANCELED')
    expect(await new Operations({ jobs: [job] }).ask('PATCH', `/jobs/${JOB}`)).toEqual({ status: 202, body: {} })
  })
})

describe('With web.cancel.enable set to false', () => {
  it.each([
    ['PATCH', `/jobs/${JOB}?mode=cancel`, {}],
    ['GET', `/jobs/${JOB}/yarn-cancel`, {}],
    ['POST', `/applications/${JOB}/cancel`, {}],
    ['POST', `/jobs/${JOB}/stop`, { targetDirectory: '/savepoints' }],
    ['POST', `/jobs/${JOB}/savepoints`, { 'target-directory': '/savepoints', 'cancel-job': true }],
    ['POST', '/savepoint-disposal', { 'savepoint-path': '/savepoints/one' }],
  ] as const)('%s %s is refused', async (method, path, body) => {
    const { job, asked } = fakeJob(JOB)
    const operations = new Operations({ jobs: [job], settings: { cancelEnabled: false } })
    expect((await operations.ask(method, path, body)).status).toBe(403)
    expect([asked, operations.started]).toEqual([[], 0])
  })

  it('savepoints and checkpoints that end nothing are taken', async () => {
    const { job, asked } = fakeJob(JOB)
    const operations = new Operations({ jobs: [job], settings: { cancelEnabled: false } })
    await operations.run(`/jobs/${JOB}/savepoints`, { 'target-directory': '/savepoints' })
    await operations.run(`/jobs/${JOB}/checkpoints`, {})
    expect(asked).toHaveLength(2)
  })
})

describe('What REST does not do here', () => {
  it.each([
    ['PATCH', `/jobs/${JOB}/rescaling?parallelism=2`, 'rescaling'],
    ['PATCH', `/jobs/${JOB}/rescaling`, 'rescaling-no-parallelism'],
    ['GET', `/jobs/${JOB}/rescaling/${UNKNOWN}`, 'unknown-trigger-rescaling'],
  ] as const)('is refused as Flink refuses it: %s %s', async (method, path, name) => {
    expect(refusalOf(await new Operations().ask(method, path))).toEqual(recordedRefusal(name))
  })

  it('is to take jobs', async () => {
    const [status, text] = refusalOf(await new Operations().ask('POST', '/jobs'))
    expect([status, text.startsWith(recordedRefusal('submit-json')[1])]).toEqual([400, true])
  })

  it('is to end the process', async () => {
    expect((await new Operations().ask('DELETE', '/cluster')).status).toBe(403)
  })

  it('is to delete data sets', async () => {
    expect((await new Operations().ask('DELETE', `/datasets/${UNKNOWN}`)).status).toBe(404)
  })

  it('is to speak to coordinators', async () => {
    const operations = new Operations({ jobs: [fakeJob(JOB).job] })
    const path = `/jobs/${JOB}/coordinators/nope`
    expect(refusalOf(await operations.ask('POST', path, { serializedCoordinationRequest: [] }))).toEqual(
      recordedRefusal('coordinators-unknown'),
    )
    expect((await operations.ask('POST', path, { serializedCoordinationRequest: 'AA==' })).status).toBe(500)
  })

  it('is to bind a job to the life of a client, whose heartbeats are welcome', async () => {
    const operations = new Operations({ jobs: [fakeJob(JOB).job] })
    const beat = { expiredTimestamp: 1_795_406_935_742 }
    expect(await operations.ask('PATCH', `/jobs/${JOB}/clientHeartbeat`, beat)).toEqual({ status: 202, body: {} })
    expect((await operations.ask('PATCH', `/jobs/${UNKNOWN}/clientHeartbeat`, beat)).status).toBe(404)
    expect((await operations.ask('PATCH', `/jobs/${JOB}/clientHeartbeat`, { expiredTimestamp: 'x' })).status).toBe(400)
  })
})
