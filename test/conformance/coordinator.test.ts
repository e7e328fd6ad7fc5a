import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { type CoordinatorTrace, replayCoordinator } from '../../src/testing/replay-coordinator.ts'
import { differences } from './expectation.ts'

type Case = CoordinatorTrace & {
  readonly name: string
  readonly source: string
  readonly expect: Record<string, unknown>
}
const traces: readonly Case[] = JSON.parse(
  readFileSync(new URL('../fixtures/conformance/coordinator-traces.json', import.meta.url), 'utf8'),
)

describe('the checkpoint coordinator does as Flink does', () => {
  it('in all 66 traces', () => {
    expect(traces.length).toBe(66)
    expect(new Set(traces.map((trace) => trace.name)).size).toBe(66)
  })

  it.each(traces)('$name ($source)', async ({ name: _name, source: _source, expect: expected, ...trace }) => {
    expect(differences(expected, await replayCoordinator(trace))).toEqual([])
  })

  it('and another outcome would be noticed', async () => {
    const [trace] = traces as [Case]
    const seen = await replayCoordinator({ ...trace, steps: trace.steps.slice(0, -1) })
    expect(differences(trace.expect, seen)).not.toEqual([])
  })

  it('and an unknown step is refused', async () => {
    await expect(replayCoordinator({ config: {}, tasks: 1, steps: ['dance 1'] })).rejects.toMatchObject({
      code: 'TRACE_INVALID',
    })
  })
})

describe('beyond the traces', () => {
  const run = (config: CoordinatorTrace['config'], ...steps: string[]) => replayCoordinator({ config, tasks: 2, steps })

  it('metadata that cannot be written aborts the checkpoint and counts', async () => {
    expect(await run({}, 'trigger checkpoint', 'finalizeFails 1', 'trigger checkpoint')).toMatchObject({
      triggered: [
        [1, 0],
        [2, 0],
      ],
      aborted: [[1, 'FINALIZE_CHECKPOINT_FAILURE']],
      notifiedAborted: [1],
      completed: [],
      jobFailures: 1,
    })
  })

  it('a shut down coordinator gives everything up and refuses what comes', async () => {
    const seen = await run(
      {},
      'trigger checkpoint',
      'trigger checkpoint',
      'shutdown',
      'ack 1',
      'trigger savepoint',
      'start',
    )
    expect(seen).toMatchObject({
      triggered: [[1, 0]],
      aborted: [[1, 'CHECKPOINT_COORDINATOR_SHUTDOWN']],
      notifiedAborted: [1],
      completed: [],
      rejected: ['CHECKPOINT_COORDINATOR_SHUTDOWN', 'CHECKPOINT_COORDINATOR_SHUTDOWN'],
      jobFailures: 0,
    })
  })

  it('stopping fails what is queued with the same reason as what is pending', async () => {
    expect(await run({ intervalMs: 10 }, '+25', 'stop', '+100')).toMatchObject({
      triggered: [[1, 10]],
      aborted: [[1, 'CHECKPOINT_COORDINATOR_SUSPEND']],
      rejected: ['CHECKPOINT_COORDINATOR_SUSPEND'],
    })
  })

  it('starting while started gives up what is pending and counts the interval anew', async () => {
    expect(await run({ intervalMs: 10 }, '+15', 'start', '+10')).toMatchObject({
      triggered: [
        [1, 10],
        [2, 25],
      ],
      aborted: [[1, 'CHECKPOINT_COORDINATOR_SUSPEND']],
    })
  })
})
