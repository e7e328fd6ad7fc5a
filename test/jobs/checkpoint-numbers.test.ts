/** What a job tells of its checkpoints, exact on virtual time: each subtask's times and sizes, sums, and what is kept of it. */
import { expect, it } from 'vitest'
import { defaultSerializer } from '../../src/elements/serializer.ts'
import {
  type DataStream,
  RestartStrategies,
  type StreamExecutionEnvironment,
  WatermarkStrategy,
} from '../../src/index.ts'
import { describeJobs, type World } from './harness.ts'
import { Ledger, range, ticks, timedSource } from './parts.ts'

/** The sink takes so long for a record. */
const RECORD_MS = 10
/** And for making durable what it holds, beside the records. */
const DURABLE_MS = 30

/** Records that are all there at the start. */
const RECORDS = 30
const names = range(1, RECORDS).map((index) => `record ${String(index).padStart(2, '0')}`)

function named(
  env: StreamExecutionEnvironment,
  world: World,
  name: string,
  values: readonly string[],
): DataStream<string> {
  const records = values.map((value) => ({ afterMs: 0, value }))
  return env.fromSource(timedSource(world, { all: records }, 1000), WatermarkStrategy.noWatermarks(), name)
}

/** One source has filled its channel to the sink, the other brings nothing: the barrier of that one waits. */
function uneven(world: World, configuration: Readonly<Record<string, unknown>> = {}) {
  const env = world.env().configure({ 'execution.checkpointing.interval': '10 min', ...configuration })
  const sink = new Ledger<string>({
    write: () => world.sleep(RECORD_MS),
    makeDurable: () => world.sleep(DURABLE_MS),
  })
  const [full, empty] = [named(env, world, 'full', names), named(env, world, 'empty', [])]
  full.rebalance().union(empty.rebalance()).sinkTo(sink).name('slow')
  return { env, sink }
}

/** Triggers a checkpoint while the sink is inside its eleventh record, half way through. */
async function taken(world: World, env: StreamExecutionEnvironment) {
  const client = await world.until(env.executeAsync('x'))
  await world.advance(10.5 * RECORD_MS)
  const triggeredAtMs = world.clock.now()
  await world.until(client.triggerCheckpoint())
  return { client, triggeredAtMs, acknowledged: world.ofType('checkpoint.acknowledged') }
}

const RECORD_BYTES = defaultSerializer().serialize(names[0]).length

describeJobs('The numbers of a checkpoint', (newWorld) => {
  it('are exact: start delay, alignment, what was processed during it, and the time that writing took', async () => {
    const world = newWorld()
    const { env } = uneven(world)
    const { client, triggeredAtMs, acknowledged } = await taken(world, env)
    const aligned = { unaligned: false, persistedBytes: 0, syncMs: 0 }
    const source = {
      ...aligned,
      startDelayMs: 0,
      alignmentMs: 0,
      processedBytes: 0,
      asyncMs: 0,
      subtask: 0,
      attempt: 1,
    }
    const alignmentMs = 19 * RECORD_MS
    const processedBytes = 19 * RECORD_BYTES
    const sink = { ...aligned, startDelayMs: 5, alignmentMs, processedBytes, asyncMs: DURABLE_MS }
    expect(acknowledged).toMatchObject([
      { ...source, checkpointId: 1, vertex: 'Source: full (1/1)', atMs: triggeredAtMs },
      { ...source, checkpointId: 1, vertex: 'Source: empty (1/1)', atMs: triggeredAtMs },
      { ...sink, checkpointId: 1, vertex: 'Sink: slow (1/1)', atMs: triggeredAtMs + 5 + alignmentMs + DURABLE_MS },
    ])
    const endToEndMs = 5 + alignmentMs + DURABLE_MS
    const [completed] = world.ofType('checkpoint.completed')
    expect(completed).toMatchObject({ unaligned: false, alignmentMs, processedBytes, persistedBytes: 0 })
    expect(completed?.durationMs).toBe(endToEndMs)
    const { counts, history, latest } = client.checkpoints()
    expect(counts).toEqual({ total: 1, inProgress: 0, completed: 1, failed: 0, restored: 0 })
    expect(history).toMatchObject([{ checkpointId: 1, status: 'COMPLETED', triggeredAtMs, endToEndMs, processedBytes }])
    expect(latest.completed).toEqual(history[0])
    const slow = history[0]?.vertices.find(({ name }) => name === 'Sink: slow')
    expect(slow?.subtasks).toMatchObject([{ ...sink, status: 'COMPLETED', index: 0, endToEndMs }])
    expect(slow?.summary.alignmentMs.max).toBe(alignmentMs)
    expect(world.handles[0]?.metrics()).toMatchObject({
      ...{ lastCheckpointProcessedBytes: processedBytes, lastCheckpointPersistedBytes: 0 },
    })
    await world.until(client.cancel())
  })

  it('tell of an unaligned one that it waited for no record, and how much it stored of those in flight', async () => {
    const world = newWorld()
    const { env, sink } = uneven(world, { 'execution.checkpointing.unaligned.enabled': true })
    const { client, acknowledged } = await taken(world, env)
    expect(sink.written.length).toBeLessThan(RECORDS)
    const { persistedBytes = 0 } = acknowledged.find(({ vertex }) => vertex === 'Sink: slow (1/1)') ?? {}
    expect(acknowledged).toMatchObject([
      { alignmentMs: 0, persistedBytes: 0 },
      { alignmentMs: 0, persistedBytes: 0 },
      { unaligned: true, startDelayMs: 5, alignmentMs: 0, processedBytes: 0, asyncMs: DURABLE_MS },
    ])
    // Records 12 to 30, with what tells where they belong.
    expect(persistedBytes).toBeGreaterThan(19 * RECORD_BYTES)
    expect(persistedBytes).toBeLessThan(19 * RECORD_BYTES + 1500)
    expect(world.ofType('checkpoint.completed')).toMatchObject([{ unaligned: true, persistedBytes, alignmentMs: 0 }])
    expect(client.checkpoints().history).toMatchObject([{ unaligned: true, persistedBytes }])
    await world.until(client.cancel())
  })

  it('of an unaligned one count until its last barrier has come, though the snapshot was taken at the first', async () => {
    const world = newWorld()
    const env = world.env().configure({
      'execution.checkpointing.interval': '10 min',
      'execution.checkpointing.unaligned.enabled': true,
    })
    // Its barrier leaves when the record is through that the sink behind it holds.
    const late = named(env, world, 'late', names)
    late.sinkTo(new Ledger<string>({ write: () => world.sleep(RECORD_MS) }))
    late
      .rebalance()
      .union(named(env, world, 'early', []).rebalance())
      .sinkTo(new Ledger())
      .name('both')
    const { client, acknowledged } = await taken(world, env)
    const both = acknowledged.find(({ vertex }) => vertex === 'Sink: both (1/1)')
    expect(both).toMatchObject({ unaligned: true, startDelayMs: 0, alignmentMs: 5, syncMs: 0, asyncMs: 5 })
    expect(world.ofType('checkpoint.completed')).toMatchObject([{ alignmentMs: 5, durationMs: 5 }])
    await world.until(client.cancel())
  })

  it('say which failed and which was restored, keep as many as the configuration says, and stay after the end', async () => {
    const world = newWorld()
    const env = world.env().configure({ 'web.checkpoints.history': 2 })
    env.enableCheckpointing(100)
    env.setRestartStrategy(RestartStrategies.fixedDelayRestart(1, 0))
    const sink = new Ledger<number>({
      // It is under way when the sink fails.
      makeDurable: (checkpointId) => (checkpointId === 4 ? world.sleep(500) : undefined),
      write: (value, { attempt }) => {
        if (value === 10 && attempt === 0) throw new Error('at 10')
      },
    })
    env.fromSource(ticks(world, 20, 50), WatermarkStrategy.noWatermarks(), 'ticks').sinkTo(sink)
    const client = await world.until(env.executeAsync('x'))
    await world.until(client.getJobExecutionResult())
    const { counts, history, latest, summary } = client.checkpoints()
    const completed = world.ofType('checkpoint.completed')
    const aborted = world.ofType('checkpoint.aborted').filter(({ checkpointId }) => checkpointId !== undefined)
    expect(counts).toEqual({
      ...{ total: completed.length + aborted.length, inProgress: 0, restored: 1 },
      ...{ completed: completed.length, failed: aborted.length },
    })
    expect(history.map(({ checkpointId }) => checkpointId)).toEqual([counts.total, counts.total - 1])
    expect(latest.failed).toMatchObject({ checkpointId: 4, failure: { reason: aborted.at(-1)?.reason } })
    expect(latest.restored).toMatchObject({ checkpointId: 3, kind: 'checkpoint', path: null })
    expect(latest.completed?.checkpointId).toBe(completed.at(-1)?.checkpointId)
    // The job is over and keeps none of them.
    expect(latest.completed?.discarded).toBe(true)
    expect(summary.endToEndMs.max).toBe(Math.max(...completed.map(({ durationMs }) => durationMs)))
    expect(JSON.parse(JSON.stringify(client.checkpoints()))).toEqual(client.checkpoints())
  })
})
