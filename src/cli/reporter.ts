/**
 * Shows what happens in a run: live status line on a terminal, plain lines elsewhere, one JSON object a line with
 * `--json`. JSON goes to standard output, everything else to standard error, which leaves standard output to the job.
 */
import type { Logger } from '../base/logger.ts'
import type { RunningJob, RunningJobEvent } from '../base/run-context.ts'
import { errorLines, errorObject } from './describe-error.ts'
import { eventLine } from './event-lines.ts'
import type { JobEnding } from './exit-code.ts'
import type { ProcessBoundary } from './process-boundary.ts'
import { describeSample, type JobSample, statusLine } from './status-line.ts'
import { plainText } from './table.ts'

export interface Reporter {
  readonly logger: Logger
  /** The REST interface of the run is at this address. It has logged that for people. */
  restListening(url: string): void
  jobStarted(job: RunningJob): void
  event(job: RunningJob, event: RunningJobEvent): void
  jobEnded(job: RunningJob, ending: JobEnding, netRuntimeMs: number | undefined): void
  /** Every second while jobs run, those in `samples`. */
  sampled(samples: readonly (JobSample & { readonly jobId: string })[]): void
  error(error: unknown): void
  /** The last call. */
  ended(exitCode: number): void
}

type Boundary = Pick<ProcessBoundary, 'out' | 'err' | 'clock' | 'environment'>

/** Plain lines show figures at every tenth sample. */
const SAMPLES_PER_LINE = 10

export function makeReporter(boundary: Boundary, { json }: { readonly json: boolean }): Reporter {
  if (json) return jsonReporter(boundary)
  return boundary.err.isTerminal
    ? liveReporter(boundary)
    : plainReporter(boundary, (line) => boundary.err.write(`${line}\n`))
}

function jsonReporter({ out, clock }: Boundary): Reporter {
  const write = (type: string, fields: object) =>
    out.write(`${JSON.stringify({ type, atMs: clock.now(), ...fields })}\n`)
  const log = (level: string) => (message: string) => write('log', { level, message })
  return {
    logger: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') },
    restListening: (url) => write('rest.listening', { url }),
    jobStarted: ({ jobId, jobName }) => write('job.started', { jobId, jobName }),
    event({ jobId }, event) {
      const error = 'error' in event && event.error !== undefined ? { error: errorObject(event.error) } : {}
      write(event.type, { jobId, ...event, ...error })
    },
    jobEnded: ({ jobId, jobName }, ending, netRuntimeMs) =>
      write('job.ended', { jobId, jobName, ending, netRuntimeMs }),
    sampled(samples) {
      for (const { jobId, jobName, status, recordsInPerSecond, recordsOutPerSecond, metrics } of samples)
        write('metrics', { jobId, jobName, status, recordsInPerSecond, recordsOutPerSecond, ...metrics })
    },
    error: (error) => write('error', { error: errorObject(error) }),
    ended: (exitCode) => write('exit', { exitCode }),
  }
}

function plainReporter({ environment }: Boundary, print: (line: string) => void): Reporter {
  const stacks = Boolean(environment.MILLRACE_DEBUG)
  const write = (message: string) => print(inPlainLines(message))
  let samples = 0
  return {
    logger: {
      debug: (message) => (stacks ? write(`debug ${message}`) : undefined),
      info: write,
      warn: (message) => write(`warning ${message}`),
      error: (message) => write(`error ${message}`),
    },
    restListening: () => {},
    jobStarted: ({ jobId, jobName }) => write(`${jobName}: started, job ${jobId}`),
    event({ jobName }, event) {
      const line = eventLine(event)
      if (line !== undefined) write(`${jobName}: ${line}`)
    },
    jobEnded({ jobName }, ending, netRuntimeMs) {
      write(
        `${jobName}: ${ending.toUpperCase()}${netRuntimeMs === undefined ? '' : ` after ${(netRuntimeMs / 1000).toFixed(1)} s`}`,
      )
    },
    sampled(jobs) {
      if (samples++ % SAMPLES_PER_LINE !== SAMPLES_PER_LINE - 1) return
      for (const job of jobs) write(`${job.jobName}: ${describeSample(job)}`)
    },
    error: (error) => errorLines(error, { stacks }).forEach(write),
    ended: () => {},
  }
}

/** Names and messages may hold what records hold. A line that they begin is set in: it cannot pass for one of ours. */
function inPlainLines(message: string): string {
  return message.split(/\r?\n/).map(plainText).join('\n    ')
}

/** Plain lines, and below them one line that is written over and over. */
function liveReporter(boundary: Boundary): Reporter {
  const { err, out } = boundary
  let shown = false
  const clear = () => {
    if (shown) err.write('\r\u001b[K')
    shown = false
  }
  out.onForeignWrite?.(clear)
  const plain = plainReporter(boundary, (line) => {
    clear()
    err.write(`${line}\n`)
  })
  return {
    ...plain,
    sampled(samples) {
      clear()
      if (samples.length === 0) return
      err.write(statusLine(samples, err.columns()))
      shown = true
    },
    ended: clear,
  }
}
