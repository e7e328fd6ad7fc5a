import { describe, expect, it } from 'vitest'
import { codeLayer } from '../../../src/base/config/configuration-layer.ts'
import { ConfigurationReader } from '../../../src/base/config/configuration-reader.ts'
import { VirtualClock } from '../../../src/base/virtual-clock.ts'
import type { JobVertex } from '../../../src/graph/job-graph.ts'
import { causes } from '../../../src/runtime/control/causes.ts'
import { ExecutionGraph } from '../../../src/runtime/execution-graph.ts'
import { jobConfigurationSnapshot } from '../../../src/runtime/job-configuration-snapshot.ts'
import type { JobStatus, TaskStatus } from '../../../src/runtime/job-handle.ts'
import { readJobSettings } from '../../../src/runtime/job-settings.ts'

const vertexOf = (name: string, parallelism: number): JobVertex => ({
  ...{ id: name.repeat(32), name, parallelism, maxParallelism: 128, maxParallelismIsSet: false, operators: [] },
})

/** One vertex of two subtasks. */
function fixture() {
  const clock = new VirtualClock({ startMs: 1000 })
  const kept = causes()
  const reader = new ConfigurationReader([codeLayer({})])
  const graph = new ExecutionGraph({
    ...{ jobId: 'a'.repeat(32), jobName: 'x', clock, causes: kept, mostFailures: 16 },
    graph: { vertices: [vertexOf('v', 2)], edges: [], hash: '' },
    configuration: jobConfigurationSnapshot(reader, readJobSettings(reader)),
    hide: (text) => text.replaceAll('sesame', '******'),
  })
  const status = (next: JobStatus) => graph.see({ type: 'job.status', status: next, atMs: clock.now() })
  const task = (subtask: number, next: TaskStatus, error?: { readonly thrown: unknown }) =>
    graph.see({
      ...{ type: 'task.status', vertex: `v (${subtask + 1}/2)`, subtask, attempt: 1, status: next, atMs: clock.now() },
      ...(error === undefined ? {} : { error: error.thrown }),
    })
  const current = () => graph.snapshot().vertices[0]?.subtasks.map((subtask) => subtask.current)
  return { clock, kept, graph, status, task, current }
}

describe('An execution graph', () => {
  it('hides secrets in what was thrown, by a task and by the job', () => {
    const { kept, graph, task, status } = fixture()
    const thrown = new Error('no sesame')
    const cause = kept.of(thrown, 'USER_FUNCTION_FAILED')
    graph.deployed([0, 1], 1)
    task(0, 'FAILED', { thrown })
    graph.failed({ task: 0, cause, atMs: 1000 })
    status('FAILING')
    graph.failed({ task: null, cause: kept.of('sesame', 'INTERNAL'), atMs: 1000 })
    const told = JSON.stringify(graph.snapshot())
    expect(told).toContain('no ******')
    expect(told).not.toContain('sesame')
  })

  it('keeps what was shown as it was', () => {
    const { graph, task, status } = fixture()
    const before = graph.snapshot()
    const text = JSON.stringify(before)
    graph.deployed([0, 1], 1)
    task(0, 'RUNNING')
    status('RUNNING')
    expect(JSON.stringify(before)).toBe(text)
    expect(graph.snapshot().status).toBe('RUNNING')
  })

  it('ends with a job whose control plane broke: the failure is told, and nothing runs', () => {
    const { clock, kept, graph, task, status, current } = fixture()
    graph.deployed([0, 1], 1)
    task(0, 'RUNNING')
    task(1, 'FINISHED')
    status('RUNNING')
    clock.setTimer(5, () => {})
    graph.ended('FAILED', kept.of(new Error('broken'), 'INTERNAL'))
    const { status: end, endedAtMs, failures } = graph.snapshot()
    expect([end, endedAtMs]).toEqual(['FAILED', 1000])
    expect(failures).toMatchObject([{ throwable: { message: 'broken' }, task: null }])
    expect(current()).toMatchObject([{ status: 'CANCELED' }, { status: 'FINISHED' }])
  })

  it('hears the last word about a job that has told everything already, and tells nothing twice', () => {
    const { kept, graph, status } = fixture()
    const cause = kept.of(new Error('down'), 'USER_FUNCTION_FAILED')
    graph.failed({ task: null, cause, atMs: 1000 })
    graph.asked(cause)
    status('FAILING')
    status('FAILED')
    const before = graph.snapshot()
    graph.ended('FAILED', cause)
    expect(graph.snapshot()).toBe(before)
    expect(before.failures).toHaveLength(1)
  })

  it('is not looked at anew for a checkpoint', () => {
    const { graph } = fixture()
    const before = graph.snapshot()
    graph.see({ type: 'checkpoint.triggered', checkpointId: 1, kind: 'checkpoint', atMs: 1000 })
    expect(graph.snapshot()).toBe(before)
  })
})
