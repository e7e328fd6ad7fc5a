import { describe, expect, it } from 'vitest'
import type { TaskMeasurements } from '../../../../src/runtime/job-handle.ts'
import { recordings } from '../../../fixtures/flink-rest/recordings.ts'
import { JOB, OUT, SOURCE, TOTALS } from '../routes/orders-ids.ts'
import { measurements } from '../routes/orders-job.ts'
import { metricCluster } from './metric-cluster.ts'

const vertex = (id: string, rest = '') => `/jobs/${JOB}/vertices/${id}${rest}`

async function values(cluster: Awaited<ReturnType<typeof metricCluster>>, id: string, names: string) {
  const { body } = await cluster.get(vertex(id, `/metrics?get=${names}`))
  return Object.fromEntries((body as { id: string; value: string }[]).map((one) => [one.id, one.value]))
}

/** The totals after `seconds` more of a steady run. */
function later(task: TaskMeasurements, seconds: number, busyMs: number, backPressuredMs: number): TaskMeasurements {
  return {
    ...task,
    numRecordsIn: task.numRecordsIn + 20 * seconds,
    busyMs: task.busyMs + busyMs * seconds,
    backPressuredMs: task.backPressuredMs + backPressuredMs * seconds,
    idleMs: task.idleMs + (1_000 - busyMs - backPressuredMs) * seconds,
  }
}

describe('The metrics of a subtask', () => {
  it('are made of one look a second at most, however many ask', async () => {
    const cluster = await metricCluster()
    for (const path of ['/metrics', '/subtasks/metrics?get=numRecordsIn', '/backpressure', '/watermarks'])
      for (let time = 0; time < 3; time++) await cluster.get(vertex(TOTALS, path))
    expect(cluster.looks()).toBe(1)
    cluster.clock.advance(1_000)
    await cluster.get(vertex(TOTALS, '/metrics'))
    await cluster.get(vertex(OUT, '/metrics'))
    expect(cluster.looks()).toBe(2)
  })

  it('have at the first look the rates since the attempt began', async () => {
    const cluster = await metricCluster()
    const names = '0.numRecordsInPerSecond,0.busyTimeMsPerSecond,0.idleTimeMsPerSecond'
    const all = await values(cluster, TOTALS, names)
    // 10 records and 100.6 ms of work in 1,800.8 ms.
    expect(Number(all['0.numRecordsInPerSecond'])).toBeCloseTo(10 / 1.8008, 6)
    expect(Number(all['0.busyTimeMsPerSecond'])).toBeCloseTo(100.6 / 1.8008, 6)
    expect(all['0.idleTimeMsPerSecond']).toBe('944')
  })

  it('have later the rates of the last minute, and of the last five seconds for times', async () => {
    const cluster = await metricCluster()
    const step = (busyMs: number) => {
      cluster.clock.advance(1_000)
      cluster.changing.measurements = cluster.changing.measurements.map((task) => later(task, 1, busyMs, 300))
      cluster.cluster.metrics.tasks(cluster.job)
    }
    for (let second = 0; second < 70; second++) step(100)
    for (let second = 0; second < 6; second++) step(600)
    const names =
      'numRecordsInPerSecond,busyTimeMsPerSecond,backPressuredTimeMsPerSecond,softBackPressuredTimeMsPerSecond'
    const prefixed = names.split(',').map((name) => `1.${name}`)
    expect(
      Object.values(await values(cluster, TOTALS, prefixed.join())).map((value) => Math.round(Number(value))),
    ).toEqual([20, 600, 300, 300])
  })

  it('begin anew with a new attempt', async () => {
    const cluster = await metricCluster()
    await cluster.get(vertex(TOTALS, '/metrics'))
    cluster.clock.advance(10_000)
    const old = measurements(1, 0, 5_000)
    const fresh = { ...measurements(1, 0, 8), executionAttempt: 4, busyMs: 500, idleMs: 1_500 }
    cluster.changing.measurements = [{ ...old, isOver: true }, fresh]
    const all = await values(cluster, TOTALS, '0.numRecordsIn,0.numRecordsInPerSecond')
    expect(all).toEqual({ '0.numRecordsIn': '8', '0.numRecordsInPerSecond': '4.0' })
  })

  it('keep their totals when the attempt is over, and have no rate then', async () => {
    const cluster = await metricCluster()
    cluster.changing.measurements = [{ ...measurements(1, 0, 10), isOver: true }]
    const names = '0.numRecordsIn,0.numRecordsInPerSecond,0.busyTimeMsPerSecond,0.accumulateBusyTimeMs'
    expect(await values(cluster, TOTALS, names)).toEqual({
      '0.numRecordsIn': '10',
      '0.numRecordsInPerSecond': '0.0',
      '0.accumulateBusyTimeMs': '101',
    })
  })

  it('write numbers as Flink does: watermarks that are not there yet, whole fractions, booleans', async () => {
    const cluster = await metricCluster()
    const queue = { inputQueueLength: 5, inputQueueCapacity: 20, checkpointAlignmentMs: 1.5, isBackPressured: true }
    cluster.changing.measurements = [
      { ...measurements(1, 0, 10), ...queue },
      { ...measurements(1, 1, 10), currentInputWatermark: Number.POSITIVE_INFINITY, outputQueueLength: 10 },
    ]
    const names =
      '0.currentInputWatermark,1.currentInputWatermark,0.buffers.inPoolUsage,1.buffers.outPoolUsage,0.checkpointAlignmentTime,0.isBackPressured,0.Shuffle.Netty.Input.Buffers.inputQueueSize'
    expect(Object.values(await values(cluster, TOTALS, names))).toEqual([
      '-9223372036854775808',
      '9223372036854775807',
      '0.25',
      '1.0',
      '1500000',
      'true',
      '102',
    ])
  })

  it('name those of an operator behind its name', async () => {
    const cluster = await metricCluster()
    const operator = {
      ...{ operatorId: 'a'.repeat(32), name: 'Source: Orders', numRecordsIn: 0, numRecordsOut: 40 },
      ...{ currentInputWatermarks: [], currentOutputWatermark: 9, counts: { numLateRecordsDropped: 3 } },
      stateCache: { hits: 7, misses: 2, bytes: 1_000 },
    }
    const joined = {
      ...{ ...operator, name: 'Join', numRecordsIn: null, numRecordsOut: null, stateCache: null },
      currentInputWatermarks: [5, 3],
    }
    cluster.changing.measurements = [
      { ...measurements(0, 0, 40), operators: [operator] },
      { ...measurements(1, 0, 40), operators: [joined] },
    ]
    const ofSource =
      '0.Source__Orders.numRecordsOut,0.Source__Orders.numLateRecordsDropped,0.Source__Orders.leveldb.cache-hit,0.Source__Orders.currentInputWatermark'
    expect(Object.values(await values(cluster, SOURCE, ofSource))).toEqual(['40', '3', '7'])
    const ofJoin =
      '0.Join.currentInputWatermark,0.Join.currentInput1Watermark,0.Join.currentInput2Watermark,0.Join.numRecordsIn,0.Join.currentOutputWatermark'
    expect(Object.values(await values(cluster, TOTALS, ofJoin))).toEqual(['3', '5', '3', '9'])
  })

  it('have the names that a real Flink has, but for those of buffers, mailboxes, splits and change logs', async () => {
    const cluster = await metricCluster()
    const known = recordings('job-running')['vertex-totals/metrics']?.body as { id: string }[]
    const { body } = await cluster.get(vertex(TOTALS, '/metrics'))
    const ours = new Set((body as { id: string }[]).map(({ id }) => id))
    const missing = known.map(({ id }) => id).filter((id) => !ours.has(id) && id.startsWith('0.'))
    expect(
      missing.filter((id) => !/numBuffers|mailbox|changelog|BuffersUsage|max\w+BackPressure|^0\.Totals/.test(id)),
    ).toEqual([])
  })
})

describe('Back-pressure and watermarks of a vertex', () => {
  it('are graded by the worst subtask', async () => {
    const cluster = await metricCluster()
    cluster.changing.measurements = [
      { ...measurements(1, 0, 10), busyMs: 250, idleMs: 500, backPressuredMs: 250 },
      { ...measurements(1, 1, 10), busyMs: 100, idleMs: 200, backPressuredMs: 700 },
    ]
    const { body } = await cluster.get(vertex(TOTALS, '/backpressure'))
    expect(body).toMatchObject({ status: 'ok', backpressureLevel: 'high', 'backpressure-level': 'high' })
    expect(body.subtasks).toMatchObject([
      { subtask: 0, backpressureLevel: 'low', ratio: 0.25, idleRatio: 0.5, busyRatio: 0.25 },
      { subtask: 1, backpressureLevel: 'high', ratio: 0.7, idleRatio: 0.2, busyRatio: 0.1 },
    ])
  })

  it('say so where nothing was measured', async () => {
    const cluster = await metricCluster()
    cluster.changing.measurements = []
    expect((await cluster.get(vertex(TOTALS, '/backpressure'))).body).toEqual({ status: 'deprecated' })
    expect((await cluster.get(vertex(TOTALS, '/watermarks'))).body).toEqual([])
  })

  it('list the watermark of each subtask, and none of a source', async () => {
    const cluster = await metricCluster()
    const at = (subtask: number, currentInputWatermark: number) => ({
      ...measurements(1, subtask, 1),
      currentInputWatermark,
    })
    cluster.changing.measurements = [measurements(0, 0, 1), at(0, 1_700_000_012_519), at(1, 5)]
    expect((await cluster.get(vertex(SOURCE, '/watermarks'))).body).toEqual([])
    expect((await cluster.get(vertex(TOTALS, '/watermarks'))).body).toEqual([
      { id: '0.currentInputWatermark', value: '1700000012519' },
      { id: '1.currentInputWatermark', value: '5' },
    ])
  })
})
