import { describe, expect, it } from 'vitest'
import { jsonText } from '../../../../src/rest/json-text.ts'
import { checkpointsRoutes } from '../../../../src/rest/routes/checkpoints.ts'
import type { JobConfigurationSnapshot } from '../../../../src/runtime/execution-graph-snapshot.ts'
import { recordings } from '../../../fixtures/flink-rest/recordings.ts'
import { JOB, OUT, TOTALS } from './orders-ids.ts'
import { ordersGraph, ordersJob } from './orders-job.ts'
import { ask } from './read-routes.ts'
import { tracked, trackedCheckpoints } from './tracked-checkpoints.ts'

const AT = `/jobs/${JOB}/checkpoints`

const NOTHING = { min: 0, max: 0, avg: 0, p50: null, p90: null, p95: null, p99: null, p999: null }

const withHistory = (...history: readonly ReturnType<typeof tracked>[]) => [
  { ...ordersJob(), checkpoints: () => ({ ...trackedCheckpoints(), history }) },
]

describe('The checkpoints of a job', () => {
  it('are counted, and the newest of each kind are named', async () => {
    const { body } = await ask(AT)
    expect(body.counts).toEqual({ restored: 2, total: 31, in_progress: 1, completed: 21, failed: 9 })
    expect(body.latest).toMatchObject({
      completed: { id: 25, is_savepoint: false, external_path: 'file:/data/checkpoints/chk-25', discarded: false },
      savepoint: { id: 15, is_savepoint: true, external_path: 'file:/data/save%20points/savepoint-8630b4' },
      failed: { id: 17, className: 'failed', end_to_end_duration: 6, latest_ack_timestamp: -1 },
      restored: {
        id: 8,
        restore_timestamp: 650_000,
        is_savepoint: false,
        external_path: 'file:/data/checkpoints/chk-8',
      },
    })
  })

  it('have percentiles, or "NaN" where there was nothing to count', async () => {
    const { body } = await ask(AT)
    expect(body.summary.end_to_end_duration).toMatchObject({ min: 9, max: 236, avg: 33, p90: 66.7 })
    const summary = { ...trackedCheckpoints().summary, persistedBytes: NOTHING }
    const none = await ask(AT, {
      jobs: [{ ...ordersJob(), checkpoints: () => ({ ...trackedCheckpoints(), summary }) }],
    })
    expect(none.body.summary.persisted_data).toEqual({
      ...{ min: 0, max: 0, avg: 0, p50: 'NaN', p90: 'NaN', p95: 'NaN', p99: 'NaN', p999: 'NaN' },
    })
  })

  it('are of four types', async () => {
    const jobs = withHistory(
      tracked({ checkpointId: 1, kind: 'synchronousSavepoint', savepointFormat: 'NATIVE' }),
      tracked({ checkpointId: 2, kind: 'savepoint', savepointFormat: 'CANONICAL', unaligned: false }),
      tracked({ checkpointId: 3, unaligned: true }),
      tracked({ checkpointId: 4 }),
    )
    const { body } = await ask(AT, { jobs })
    expect(body.history.map((one: Record<string, unknown>) => [one.checkpoint_type, one.savepointFormat])).toEqual([
      ['SYNC_SAVEPOINT', 'NATIVE'],
      ['SAVEPOINT', 'CANONICAL'],
      ['UNALIGNED_CHECKPOINT', null],
      ['CHECKPOINT', null],
    ])
  })

  it('say why one failed, with what happened and with the reason that Flink knows', async () => {
    const { body } = await ask(`${AT}/details/17`)
    expect(body.failure_timestamp).toBe(700_006)
    expect(body.failure_message).toBe(
      'The disk is full. Failure reason: An Exception occurred while triggering the checkpoint. IO-problem detected.',
    )
    expect(body).not.toHaveProperty('external_path')
  })

  it('may be in memory', async () => {
    const { body } = await ask(AT, { jobs: withHistory(tracked({ checkpointId: 1, path: null })) })
    expect(body.history[0].external_path).toBe('<checkpoint-not-externally-addressable>')
  })
})

describe('One checkpoint', () => {
  it('is found also when the history has let go of it', async () => {
    const { body } = await ask(`${AT}/details/15`)
    expect(body).toMatchObject({ id: 15, className: 'completed', checkpoint_type: 'SAVEPOINT' })
    expect(body.tasks[TOTALS]).toMatchObject({ id: 15, status: 'COMPLETED', num_subtasks: 2, end_to_end_duration: 66 })
    expect(Object.keys(body.tasks)).toHaveLength(3)
  })

  it('shows each subtask of a vertex, or that it has not acknowledged', async () => {
    const done = await ask(`${AT}/details/25/subtasks/${TOTALS}`)
    expect(done.body.subtasks[1]).toMatchObject({
      ...{ className: 'completed', status: 'completed', index: 1, ack_timestamp: 700_066, end_to_end_duration: 66 },
      ...{ checkpoint: { sync: 2, async: 25 }, alignment: { processed: 7, duration: 1 }, start_delay: 3 },
    })
    expect(done.body.summary.checkpoint_duration.async).toMatchObject({ min: 9, max: 236, avg: 33, p50: 'NaN' })
    const failed = await ask(`${AT}/details/17/subtasks/${OUT}`)
    expect(failed.body.subtasks).toEqual([{ className: 'pending', index: 0, status: 'pending_or_failed' }])
  })
})

describe('How a job takes checkpoints', () => {
  const configured = async (given: Partial<JobConfigurationSnapshot>, of: object = {}) => {
    const { configuration } = ordersGraph()
    const checkpointing = { ...configuration.checkpointing, ...of }
    const graph = ordersGraph({ configuration: { ...configuration, ...given, checkpointing } })
    return (await ask(`${AT}/config`, { jobs: [ordersJob(graph)] })).body
  }

  it('is what the recorded job said, which is set in the same way', async () => {
    expect(await configured({})).toEqual(recordings('job-running')['checkpoints-config']?.body)
  })

  it('names the backend and where checkpoints lie', async () => {
    expect(await configured({ stateBackend: 'leveldb', checkpointDirectory: null })).toMatchObject({
      ...{ state_backend: 'LevelDBStateBackend', checkpoint_storage: 'JobManagerCheckpointStorage' },
    })
  })

  it.each([
    ['NO_EXTERNALIZED_CHECKPOINTS', { enabled: false, delete_on_cancellation: true }],
    ['DELETE_ON_CANCELLATION', { enabled: true, delete_on_cancellation: true }],
    ['RETAIN_ON_CANCELLATION', { enabled: true, delete_on_cancellation: false }],
  ])('says what stays when it is cancelled: %s', async (retention, externalization) => {
    expect(await configured({}, { retention })).toMatchObject({ externalization })
  })

  it('has the longest interval that Java knows where there is none', async () => {
    const { configuration } = ordersGraph()
    const checkpointing = { ...configuration.checkpointing, intervalMs: null }
    const job = ordersJob(ordersGraph({ configuration: { ...configuration, checkpointing } }))
    const route = checkpointsRoutes.find(({ path }) => path.endsWith('/config'))
    const request = { path: '', parameters: { jobid: JOB }, query: new URLSearchParams(), body: {} }
    const cluster = { jobs: { find: () => job } } as unknown as Parameters<NonNullable<typeof route>['handle']>[1]
    const answer = await route?.handle(request, cluster)
    expect(jsonText(answer)).toContain('"interval":9223372036854775807,')
  })
})
