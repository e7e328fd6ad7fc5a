/**
 * S5: checkpoints of a job whose slowest place takes 10 ms a record, for a fixed time, and then it is cancelled. There is no
 * checksum: how far it comes depends on the clock.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { StreamError, StreamExecutionEnvironment } from 'millrace'
import { median, peakMemoryMb, startMeasuring, watchMemory } from './measure.mjs'
import { workloads } from './workloads.mjs'

/** How checkpoints get past the records that wait: never, at once, or when aligning has taken too long. */
const MODES = {
  aligned: () => ({}),
  unaligned: () => ({ 'execution.checkpointing.unaligned.enabled': true }),
  alternating: ({ alignedTimeoutMs }) => ({
    'execution.checkpointing.unaligned.enabled': true,
    'execution.checkpointing.aligned-checkpoint-timeout': `${alignedTimeoutMs}ms`,
  }),
}

/** How the slow place sleeps: with a promise that the sink returns, or as Flink's does, which holds up its thread. */
const SLEEPS = ['promise', 'block']

/** As the Flink program of this workload sets them: none of its checkpoints expires, and all are remembered. */
const SETTINGS = { 'execution.checkpointing.timeout': '30min', 'web.checkpoints.history': 2000 }

/** Apache Flink 2.3.0 in 60 s with a checkpoint a second, of the baseline that the workloads come with. */
const FLINK = {
  aligned: { completed: 0, pendingAgeMs: 56_660 },
  unaligned: {
    ...{ completed: 57, durationMsMedian: 34, durationMsMin: 15, durationMsMax: 326 },
    ...{ checkpointedBytesMedian: 762_523, inFlightBytesMedian: 761_477, inFlightBytesMax: 884_707 },
  },
}

/**
 * Puts the job into `env` and gives its sink. `channelCredit`: how many records may wait in a channel; left out: the default.
 * `counted.emitted` is counted up by the sources.
 */
export function declareBackPressure(env, options, { mode, intervalMs, alignedTimeoutMs, channelCredit }) {
  const { parallelism, sleeps } = options
  if (!(mode in MODES)) throw new Error(`no such mode: ${mode}; there are ${Object.keys(MODES).join(', ')}`)
  if (!SLEEPS.includes(sleeps)) throw new Error(`no such sleep: ${sleeps}; there are ${SLEEPS.join(', ')}`)
  env.configure({
    ...SETTINGS,
    ...MODES[mode]({ alignedTimeoutMs }),
    ...(channelCredit === undefined ? {} : { 'execution.channel-credit': channelCredit }),
  })
  env.setParallelism(parallelism).enableCheckpointing(intervalMs)
  return workloads.S5(env, options)
}

/** The figures of one run. */
export async function backPressure(options, { seconds, checkpointDir, ...checkpointing }) {
  const folder = checkpointDir ?? mkdtempSync(join(tmpdir(), 'millrace-bench-'))
  const env = StreamExecutionEnvironment.getExecutionEnvironment()
  env.getCheckpointConfig().setCheckpointStorage(`file://${folder}`)
  const counted = { emitted: 0 }
  const sink = declareBackPressure(env, { ...options, counted }, checkpointing)
  const memory = watchMemory()
  const stop = startMeasuring()
  const client = await env.executeAsync('bench S5')
  const completing = completions(client)
  await sleep(seconds * 1000)
  const checkpoints = client.checkpoints()
  const nowMs = Date.now()
  const written = Number(sink.checksum().split(':', 1)[0])
  const recordsInFlight = counted.emitted - written
  await client.cancel()
  await ended(client)
  const used = stop()
  if (checkpointDir === undefined) rmSync(folder, { recursive: true, force: true })
  const { mode, alignedTimeoutMs, channelCredit = 'default' } = checkpointing
  return {
    ...{ mode, sleeps: options.sleeps, sleepMs: options.sleepMs, seconds, channelCredit },
    ...(mode === 'alternating' ? { alignedTimeoutMs } : {}),
    ...checkpointFigures(checkpoints, await completing, nowMs),
    ...{ recordsWritten: written, recordsInFlight },
    ...{ cpuSeconds: round(used.cpu), foreignCores: round(used.foreign) },
    peakRssMb: peakMemoryMb(),
    peakAnonymousMb: round(memory.end().anonymousMb ?? 0),
    flink: FLINK[mode] ?? null,
  }
}

/** Until the end of the job: from the trigger until each was complete, its metadata written. */
async function completions(client) {
  const all = []
  for await (const event of client.events()) if (event.type === 'checkpoint.completed') all.push(event.durationMs)
  return all
}

async function ended(client) {
  try {
    await client.getJobExecutionResult()
  } catch (thrown) {
    // That it was cancelled is how it has to end.
    if (!StreamError.is(thrown) || thrown.code !== 'JOB_CANCELED') throw thrown
  }
}

/** Names and meanings as in the line of the Flink program; a duration is from the trigger to the last acknowledgement. */
function checkpointFigures({ counts, history }, completeMs, nowMs) {
  const completed = history.filter(({ status }) => status === 'COMPLETED')
  const pending = history.find(({ status }) => status === 'IN_PROGRESS')
  const of = (name) => completed.map((checkpoint) => checkpoint[name])
  const ofSlow = (name) =>
    completed.flatMap(({ vertices }) => (vertices.at(-1)?.subtasks ?? []).map((subtask) => subtask[name]))
  return {
    completed: counts.completed,
    unaligned: completed.filter(({ unaligned }) => unaligned).length,
    failed: counts.failed,
    ...spread('durationMs', of('endToEndMs')),
    ...spread('completeMs', completeMs),
    ...spread('checkpointedBytes', of('checkpointedBytes')),
    ...spread('inFlightBytes', of('persistedBytes')),
    // Where the time goes in the slow task, the last one: until its first barrier, until its last one, frozen, writing.
    ...spread('startDelayMs', ofSlow('startDelayMs')),
    ...spread('alignmentMs', ofSlow('alignmentMs')),
    ...spread('syncMs', ofSlow('syncMs')),
    ...spread('asyncMs', ofSlow('asyncMs')),
    pendingAgeMs: pending === undefined ? 0 : nowMs - pending.triggeredAtMs,
  }
}

function spread(name, values) {
  if (values.length === 0) return {}
  const sorted = [...values].sort((one, other) => one - other)
  return {
    [`${name}Median`]: round(median(sorted)),
    [`${name}Min`]: round(sorted[0]),
    [`${name}P99`]: round(sorted[Math.round(0.99 * (sorted.length - 1))]),
    [`${name}Max`]: round(sorted.at(-1)),
  }
}

const round = (value) => Number(value.toFixed(2))
