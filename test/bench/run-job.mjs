/** One run of a workload as a Millrace job, and what it cost. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RestartStrategies, StreamExecutionEnvironment } from 'millrace'
import { Probe } from './checksum-sink.mjs'
import { watchFreezes } from './freezes.mjs'
import { startMeasuring, watchMemory } from './measure.mjs'
import { workloads } from './workloads.mjs'

/**
 * `intervalMs`: between two checkpoints, none when 0 or left out. `failure`: of S6; its `probe` is added here.
 * `resume`: go on from the newest checkpoint in `checkpointDir`, which is kept; a folder made here is removed.
 * `state`: the backend, and what is set of it.
 */
export async function runJob(
  workload,
  options,
  { intervalMs = 0, failure, resume = false, checkpointDir, state = {} } = {},
) {
  globalThis.gc?.()
  const env = StreamExecutionEnvironment.getExecutionEnvironment({ configuration: configurationOf(state) })
  env.setParallelism(options.parallelism)
  const folder = checkpointDir ?? mkdtempSync(join(tmpdir(), 'millrace-bench-'))
  if (intervalMs > 0) env.enableCheckpointing(intervalMs).getCheckpointConfig().setCheckpointStorage(`file://${folder}`)
  if (failure !== undefined) {
    failure.probe = new Probe()
    env.setRestartStrategy(RestartStrategies.fixedDelayRestart(3, 0))
  }
  const sink = workloads[workload](env, { ...options, failure })
  const checkpoints = []
  const freezes = intervalMs > 0 ? await watchFreezes(state.backend) : { end: () => [] }
  const memory = watchMemory()
  const stop = startMeasuring()
  const client = await env.executeAsync(`bench ${workload}`, resume ? { resume: 'latest' } : {})
  const watching = (async () => {
    for await (const event of client.events())
      if (event.type === 'checkpoint.completed') checkpoints.push({ durationMs: event.durationMs, bytes: event.bytes })
  })()
  await client.getJobExecutionResult()
  const used = stop()
  await watching
  if (checkpointDir === undefined) rmSync(folder, { recursive: true, force: true })
  return {
    ...used,
    checksum: sink.checksum(),
    probe: sink.probe,
    checkpoints,
    freezes: freezes.end(),
    memory: memory.end(),
  }
}

function configurationOf({ backend, cacheSize, incremental }) {
  return {
    ...(backend === undefined ? {} : { 'state.backend.type': backend }),
    ...(cacheSize === undefined ? {} : { 'state.backend.leveldb.cache-size': cacheSize }),
    ...(incremental === undefined ? {} : { 'execution.checkpointing.incremental': incremental }),
  }
}
