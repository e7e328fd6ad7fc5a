/** What a running job shows of itself, as one line: rates, last checkpoint, restarts, back-pressure. Pure text. */
import type { RunningJobMetrics } from '../base/run-context.ts'
import { plainText } from './table.ts'

/** One look at a job. */
export interface JobSample {
  readonly jobName: string
  readonly status: string
  /** Records per second since the look before. */
  readonly recordsInPerSecond: number
  readonly recordsOutPerSecond: number
  readonly metrics: RunningJobMetrics
}

interface Look {
  readonly atMs: number
  readonly metrics: RunningJobMetrics
}

/** Records per second between two looks; 0 where no time has passed. */
export function ratesBetween(before: Look, now: Look): Pick<JobSample, 'recordsInPerSecond' | 'recordsOutPerSecond'> {
  const seconds = (now.atMs - before.atMs) / 1000
  const rate = (from: number, to: number) => (seconds > 0 ? Math.max(0, Math.round((to - from) / seconds)) : 0)
  return {
    recordsInPerSecond: rate(before.metrics.recordsIn, now.metrics.recordsIn),
    recordsOutPerSecond: rate(before.metrics.recordsOut, now.metrics.recordsOut),
  }
}

/** One line that fits into `columns`, without a newline. Where it is too long the name of the job gives way first. */
export function statusLine(samples: readonly JobSample[], columns: number): string {
  const [first] = samples
  if (first === undefined) return ''
  const more = samples.length > 1 ? `  (+${samples.length - 1} more)` : ''
  const figures = `${describeSample(first)}${more}`
  // The last column stays free: some terminals wrap when it is written.
  const room = Math.max(1, columns - 1)
  const roomForName = room - figures.length - 2
  if (roomForName < SHORTEST_NAME) return cut(figures, room)
  return `${cut(`${plainText(first.jobName)}  ${first.status}`, roomForName)}  ${figures}`
}

const SHORTEST_NAME = 4

const cut = (text: string, room: number): string => (text.length <= room ? text : `${text.slice(0, room - 1)}…`)

/**
 * The figures alone: `12,345 in/s  1.23M out/s  checkpoint 17 (34 ms)  restarts 0  back-pressure 12%`; where the last
 * checkpoint was unaligned also what it stored of records in flight: `in flight 760 kB`.
 */
export function describeSample({ recordsInPerSecond, recordsOutPerSecond, metrics }: JobSample): string {
  const { lastCheckpointId, lastCheckpointDurationMs, lastCheckpointPersistedBytes, restarts, backPressuredRatio } =
    metrics
  const took = lastCheckpointDurationMs === undefined ? '' : ` (${grouped(Math.round(lastCheckpointDurationMs))} ms)`
  return [
    `${short(recordsInPerSecond)} in/s`,
    `${short(recordsOutPerSecond)} out/s`,
    lastCheckpointId === undefined ? 'no checkpoint' : `checkpoint ${lastCheckpointId}${took}`,
    `restarts ${grouped(restarts)}`,
    `back-pressure ${Math.round(backPressuredRatio * 100)}%`,
    // Of the last checkpoint. At the end: where the line is too long for it, it looks as without.
    ...(lastCheckpointPersistedBytes ? [`in flight ${shortBytes(lastCheckpointPersistedBytes)}`] : []),
  ].join('  ')
}

const compact = new Intl.NumberFormat('en-US', { notation: 'compact', maximumSignificantDigits: 3 })

/** From a million on three digits and a letter. */
const short = (value: number): string => (value < 1_000_000 ? grouped(value) : compact.format(value))

/** Three digits and a unit. */
function shortBytes(bytes: number): string {
  const [size, unit] =
    bytes < 1000 ? [bytes, 'B'] : bytes < 1_000_000 ? [bytes / 1000, 'kB'] : [bytes / 1_000_000, 'MB']
  return `${Number(size.toPrecision(3))} ${unit}`
}

const grouped = (value: number): string => value.toLocaleString('en-US')
