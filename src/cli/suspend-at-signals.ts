/** The first SIGINT or SIGTERM suspends the running jobs, within ten seconds; a second one, or none running, ends at once. */
import { exitCodeOfSignal } from './exit-code.ts'
import type { EndingSignal, ProcessBoundary } from './process-boundary.ts'
import type { Reporter } from './reporter.ts'
import type { RunningJobs } from './running-jobs.ts'

/** From the first signal to the end of the process, whatever the jobs do. */
const LONGEST_FAREWELL_MS = 10_000
/** For the last checkpoint; the rest is for ending the tasks. */
const LAST_CHECKPOINT_MS = 8_000

/** Listens from now on. The returned function gives the first signal that came. */
export function suspendAtSignals(
  boundary: ProcessBoundary,
  jobs: RunningJobs,
  reporter: Reporter,
): () => EndingSignal | undefined {
  let first: EndingSignal | undefined
  boundary.onSignal((signal) => {
    if (first !== undefined || jobs.running.length === 0) return end(boundary, reporter, signal)
    first = signal
    reporter.logger.info(`${signal}: suspending; once more ends at once`)
    boundary.setIdleTimer(LONGEST_FAREWELL_MS, () => {
      reporter.logger.warn(`the job has not suspended within ${LONGEST_FAREWELL_MS / 1000} s`)
      end(boundary, reporter, signal)
    })
    for (const job of jobs.running)
      job.suspend({ timeoutMs: LAST_CHECKPOINT_MS }).catch((error) => reporter.error(error))
  })
  return () => first
}

function end(boundary: ProcessBoundary, reporter: Reporter, signal: EndingSignal): void {
  const code = exitCodeOfSignal(signal)
  reporter.ended(code)
  boundary.exit(code)
}
