/**
 * `millrace plan`: compares a savepoint or checkpoint with the job of a job file, before the old job is stopped. It runs
 * nothing and writes nothing.
 */
import { logNotices } from '../base/config/configuration-notices.ts'
import { ConfigurationReader } from '../base/config/configuration-reader.ts'
import { type DeclaredStates, declaredStates } from '../runtime/declared-states.ts'
import { operatorsOf } from '../runtime/placed-operators.ts'
import { planRestore } from '../runtime/restore-plan.ts'
import { readStoredStates } from '../runtime/stored-states.ts'
import type { PlanRequest } from './command-line.ts'
import { exitCodeOfError, FAILED, SUCCESS } from './exit-code.ts'
import { checkJobFile } from './job-file.ts'
import { failedPlan, type PlanResult, planDocument } from './plan-document.ts'
import { planLines } from './plan-lines.ts'
import { type PlannedJob, plannedJob } from './planned-job.ts'
import type { ProcessBoundary } from './process-boundary.ts'
import type { Reporter } from './reporter.ts'
import { readLayers } from './run.ts'

/**
 * Resolves with the exit code: 1 when a restore would fail. Throws what stands in the way of a comparison; with `--json`
 * that is said in the document.
 */
export async function plan(request: PlanRequest, boundary: ProcessBoundary, reporter: Reporter): Promise<number> {
  const write = (lines: readonly string[]) => boundary.out.write(`${lines.join('\n')}\n`)
  if (!request.run.json) {
    const result = await compare(request, boundary, reporter)
    write(planLines(result))
    return exitCodeOf(result)
  }
  try {
    const result = await compare(request, boundary, reporter)
    write([JSON.stringify(planDocument(result))])
    return exitCodeOf(result)
  } catch (thrown) {
    // Whatever it was: the document is the only thing that a program reads.
    write([JSON.stringify(failedPlan(request.from, thrown))])
    return exitCodeOfError(thrown)
  }
}

const exitCodeOf = ({ plan: { failure } }: PlanResult): number => (failure === undefined ? SUCCESS : FAILED)

async function compare(request: PlanRequest, boundary: ProcessBoundary, reporter: Reporter): Promise<PlanResult> {
  const layers = await readLayers(request.run, boundary)
  logNotices(new ConfigurationReader(layers).notices, reporter.logger)
  const path = boundary.absolutePath(request.run.job)
  await checkJobFile(boundary.files, path)
  // First: what is damaged or missing need not wait for the job file.
  const stored = await readStoredStates(boundary.files, request.from)
  const job = await plannedJob({ request, path, layers, boundary, reporter })
  const restored = await planRestore({
    graph: job.graph,
    declared: declarations(job),
    stored,
    allowNonRestoredState: job.allowNonRestoredState,
    stateBackend: job.stateBackend,
  })
  return { stored, job, plan: restored }
}

function declarations({ graph, jobName }: PlannedJob): ReadonlyMap<string, DeclaredStates> {
  return new Map(
    operatorsOf(graph).map(({ vertex, index, operator }) => [
      operator.operatorId,
      declaredStates(vertex, index, jobName),
    ]),
  )
}
