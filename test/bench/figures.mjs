/** What is said of a number of runs. Speeds of runs whose checksums differ are not told: they throw. */
import { median, peakMemoryMb } from './measure.mjs'

/** A run that other programs disturbed less than this counts as quiet, in cores. */
const QUIET_CORES = 0.15
const ENOUGH_QUIET_RUNS = 3

const round = (value) => Number(value.toFixed(4))
const mostOf = (values) => (values.every((value) => value === null) ? null : Math.round(Math.max(...values)))
const medianOf = (values) => (values.length === 0 ? null : round(median(values)))

/** Speeds, processor time and gaps. `expected`: the checksum of the plain loop, where it is known. */
export function figures(runs, { records }, expected = runs[0].checksum) {
  for (const { checksum } of runs)
    if (checksum !== expected) throw new Error(`checksums differ: ${checksum} instead of ${expected}`)
  const quiet = runs.filter(({ foreign }) => foreign < QUIET_CORES)
  const walls = (quiet.length >= ENOUGH_QUIET_RUNS ? quiet : runs).map(({ wall }) => wall)
  const threads = runs.map(({ thread }) => thread)
  const gaps = runs.map(({ probe }) => probe.maxGapMs)
  const steadyGaps = runs.map(({ probe }) => probe.maxSteadyGapMs)
  return {
    checksum: expected,
    quietRuns: quiet.length,
    wallSeconds: round(median(walls)),
    recordsPerSecond: Math.round(records / median(walls)),
    minRecordsPerSecond: Math.round(records / Math.max(...walls)),
    maxRecordsPerSecond: Math.round(records / Math.min(...walls)),
    cpuSeconds: medianOf(runs.map(({ cpu }) => cpu)),
    busiestThreadSeconds: medianOf(threads),
    busiestThreadSecondsMin: round(Math.min(...threads)),
    busiestThreadSecondsMax: round(Math.max(...threads)),
    foreignCoresAll: runs.map(({ foreign }) => round(foreign)),
    wallSecondsAll: runs.map(({ wall }) => round(wall)),
    peakRssMb: peakMemoryMb(),
    peakAnonymousMb: mostOf(runs.map(({ memory }) => memory.anonymousMb)),
    peakMappedMb: mostOf(runs.map(({ memory }) => memory.mappedMb)),
    maxGapMsMedian: medianOf(gaps),
    maxGapMsWorst: round(Math.max(...gaps)),
    maxSteadyGapMsMedian: medianOf(steadyGaps),
    maxSteadyGapMsWorst: round(Math.max(...steadyGaps)),
  }
}

export function checkpointFigures(runs) {
  const checkpoints = runs.flatMap((run) => run.checkpoints)
  const durations = checkpoints.map(({ durationMs }) => durationMs)
  return {
    checkpoints: checkpoints.length,
    checkpointMsMedian: medianOf(durations),
    checkpointMsWorst: durations.length === 0 ? null : Math.max(...durations),
    checkpointBytesMedian: medianOf(checkpoints.map(({ bytes }) => bytes)),
    ...freezeFigures(runs.flatMap((run) => run.freezes)),
  }
}

/** The synchronous part of a checkpoint: by the clock, and in processor time, which other programs do not lengthen. */
function freezeFigures(freezes) {
  if (freezes.length === 0) return {}
  return {
    freezes: freezes.length,
    freezeMsMedian: medianOf(freezes.map(({ ms }) => ms)),
    freezeMsWorst: round(Math.max(...freezes.map(({ ms }) => ms))),
    freezeCpuMsWorst: round(Math.max(...freezes.map(({ cpuMs }) => cpuMs))),
    stepMsWorst: round(Math.max(...freezes.map(({ stepMs }) => stepMs))),
  }
}

/** Pairs of runs of the same work: what the checkpoints cost in speed, and in ns a key and checkpoint. */
export function checkpointCost(without, withThem, keys) {
  const extra = (what) =>
    medianOf(withThem.map((run, index) => ((run[what] - without[index][what]) * 1e9) / (keys * run.checkpoints.length)))
  const ratio = (what) => round(median(without.map((run) => run[what])) / median(withThem.map((run) => run[what])))
  return {
    speedRatio: ratio('wall'),
    busiestThreadRatio: ratio('thread'),
    snapshotCpuNsPerKey: extra('cpu'),
    snapshotThreadNsPerKey: extra('thread'),
  }
}

/** From the throw to the first output of the next attempt. Throws when a run had no failure: it ended too soon for it. */
export function recoveryFigures(runs) {
  if (runs.some(({ probe }) => probe.failedMs === undefined))
    throw new Error('the failure never came: more records, or a shorter interval between checkpoints, are needed')
  const all = runs.map(({ probe }) => probe.firstOutputAfterFailureMs - probe.failedMs)
  const cpu = runs.map(({ probe }) => (probe.firstOutputAfterFailureCpu - probe.failedCpu) * 1000)
  return {
    recoveryMsMedian: medianOf(all),
    recoveryMsWorst: round(Math.max(...all)),
    recoveryMsAll: all.map(round),
    recoveryCpuMsMedian: medianOf(cpu),
    recoveryCpuMsAll: cpu.map(round),
  }
}
