#!/usr/bin/env node
/**
 * npm run bench -- S2 [--records n] [--keys n] [--parallelism p] [--fresh-keys] [--warmup n] [--reps n]
 *                     [--checkpoint-interval-ms n] [--checkpoint-dir d]
 * Runs a frozen workload and prints one JSON line. The figures are of the measured runs; warm-up runs are thrown away.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { StreamExecutionEnvironment } from 'millrace'
import { LARGEST_KEY_TABLE } from './generator.mjs'
import { median, peakMemoryMb, startMeasuring } from './measure.mjs'
import { defaults, workloads } from './workloads.mjs'

const number = { type: 'string' }
const {
  values: flags,
  positionals: [workload],
} = parseArgs({
  allowPositionals: true,
  options: {
    records: number,
    keys: number,
    parallelism: { ...number, default: '1' },
    'fresh-keys': { type: 'boolean', default: false },
    warmup: { ...number, default: '1' },
    reps: { ...number, default: '5' },
    'checkpoint-interval-ms': number,
    'checkpoint-dir': number,
  },
})
if (!(workload in workloads)) {
  console.error(`usage: npm run bench -- ${Object.keys(workloads).join('|')} [--records n] [--keys n] ...`)
  process.exit(2)
}
const records = Number(flags.records ?? defaults[workload].records)
const keys = Number(flags.keys ?? defaults[workload].keys)
const parallelism = Number(flags.parallelism)
const freshKeys = flags['fresh-keys'] || keys > LARGEST_KEY_TABLE
const [warmup, reps] = [Number(flags.warmup), Number(flags.reps)]
const intervalMs = flags['checkpoint-interval-ms'] === undefined ? undefined : Number(flags['checkpoint-interval-ms'])

const startToFirstRecordMs = Date.now() - performance.timeOrigin
const runs = []
for (let index = 0; index < warmup + reps; index++) {
  const run = await runOnce()
  if (index >= warmup) runs.push(run)
}
print(runs)

async function runOnce() {
  globalThis.gc?.()
  const env = StreamExecutionEnvironment.getExecutionEnvironment()
  env.setParallelism(parallelism)
  const folder = flags['checkpoint-dir'] ?? mkdtempSync(join(tmpdir(), 'millrace-bench-'))
  if (intervalMs !== undefined)
    env.enableCheckpointing(intervalMs).getCheckpointConfig().setCheckpointStorage(`file://${folder}`)
  const sink = workloads[workload](env, { records, keys: keys || 1, freshKeys, preload: false })
  const checkpoints = []
  const stop = startMeasuring()
  const client = await env.executeAsync(`bench ${workload}`)
  const watching = (async () => {
    for await (const event of client.events())
      if (event.type === 'checkpoint.completed') checkpoints.push({ durationMs: event.durationMs, bytes: event.bytes })
  })()
  await client.getJobExecutionResult()
  const used = stop()
  await watching
  rmSync(folder, { recursive: true, force: true })
  return { ...used, checksum: sink.checksum(), maxGapMs: sink.maxGapMs, checkpoints }
}

function print(all) {
  const quiet = all.filter((run) => run.foreign < 0.15)
  const counted = quiet.length >= 3 ? quiet : all
  if (all.some((run) => run.checksum !== all[0].checksum)) throw new Error('checksums differ between runs')
  const round = (value) => Number(value.toFixed(4))
  const walls = counted.map((run) => run.wall)
  const threads = all.map((run) => run.thread)
  const checkpoints = all.flatMap((run) => run.checkpoints)
  console.log(
    JSON.stringify({
      engine: 'millrace',
      version: '0.1.0',
      runtime: `Node ${process.version}`,
      workload,
      records,
      keys,
      parallelism,
      freshKeys,
      warmupRuns: warmup,
      runs: reps,
      quietRuns: quiet.length,
      wallSeconds: round(median(walls)),
      recordsPerSecond: Math.round(records / median(walls)),
      minRecordsPerSecond: Math.round(records / Math.max(...walls)),
      maxRecordsPerSecond: Math.round(records / Math.min(...walls)),
      cpuSeconds: round(median(all.map((run) => run.cpu))),
      busiestThreadSeconds: round(median(threads)),
      busiestThreadSecondsMin: round(Math.min(...threads)),
      busiestThreadSecondsMax: round(Math.max(...threads)),
      checksum: all[0].checksum,
      startToFirstRecordMs: Math.round(startToFirstRecordMs),
      foreignCoresAll: all.map((run) => round(run.foreign)),
      wallSecondsAll: all.map((run) => round(run.wall)),
      peakRssMb: peakMemoryMb(),
      maxGapMsMedian: round(median(all.map((run) => run.maxGapMs))),
      maxGapMsWorst: round(Math.max(...all.map((run) => run.maxGapMs))),
      ...(intervalMs === undefined
        ? {}
        : {
            checkpointIntervalMs: intervalMs,
            checkpoints: checkpoints.length,
            checkpointMsMedian:
              checkpoints.length === 0 ? null : Math.round(median(checkpoints.map(({ durationMs }) => durationMs))),
            checkpointBytesMedian: checkpoints.length === 0 ? null : median(checkpoints.map(({ bytes }) => bytes)),
          }),
    }),
  )
}
