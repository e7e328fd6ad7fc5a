/** Evaluates a job file for `millrace plan`: what it calls `execute` for is handed over, and nothing is started. */
import type { ConfigurationLayer } from '../base/config/configuration-layer.ts'
import { StreamError } from '../base/errors.ts'
import { type DeclaredJob, offerRunContext, type PlanContext } from '../base/run-context.ts'
import { VERSION } from '../base/version.ts'
import type { JobGraph } from '../graph/job-graph.ts'
import type { PlanRequest } from './command-line.ts'
import { FAILED } from './exit-code.ts'
import { explainImportFailure, nothingStarted } from './job-file.ts'
import type { ProcessBoundary } from './process-boundary.ts'
import type { Reporter } from './reporter.ts'
import { contextOptions, evaluate } from './run.ts'

export interface PlannedJob {
  readonly jobName: string
  readonly graph: JobGraph
  readonly allowNonRestoredState: boolean
  readonly stateBackend: string
  /** For which else the program called `execute` until now. */
  readonly otherNames: readonly string[]
}

export interface JobToPlan {
  readonly request: PlanRequest
  /** Of the job file, absolute. */
  readonly path: string
  readonly layers: readonly ConfigurationLayer[]
  readonly boundary: ProcessBoundary
  readonly reporter: Reporter
}

/**
 * Settles with the first call of `execute`, or that of the wanted name. Rejects with what kept the job from being
 * declared, JOB_NOT_STARTED, or COMMAND_INVALID where no call has the wanted name.
 */
export function plannedJob({ request, path, layers, boundary, reporter }: JobToPlan): Promise<PlannedJob> {
  const { jobName: wanted, run } = request
  return new Promise((resolve, reject) => {
    const names: string[] = []
    const isWanted = (name: string) => wanted === undefined || name === wanted
    const nothingComes = (evaluated: boolean) =>
      reject(names.length === 0 ? nothingStarted(path, evaluated) : notAmong(wanted, names))
    const jobDeclared: PlanContext['jobDeclared'] = (job) => {
      names.push(job.jobName)
      if (!isWanted(job.jobName)) return 'passedOver'
      resolve(planned(job, names))
      return 'taken'
    }
    offerRunContext({
      version: VERSION,
      layers,
      logger: reporter.logger,
      get options(): never {
        throw knowsNoPlans()
      },
      jobStarted() {},
      jobRefused: (name, error) => void (isWanted(name) ? reject(error) : names.push(name)),
      jobSkipped() {},
      plan: { options: contextOptions(run), jobDeclared },
    })
    boundary.onUncaught((thrown) => {
      reporter.error(explainImportFailure(path, thrown))
      boundary.exit(FAILED)
    })
    boundary.setArguments(path, run.jobArguments)
    void evaluate(boundary, path).then(({ settled, failure }) => {
      if (failure !== undefined) reject(explainImportFailure(path, failure))
      else if (settled) boundary.onIdle(() => nothingComes(true))
      else nothingComes(false)
    })
  })
}

/** A copy of the package of the same major version hands over a graph of the same shape. `names` grows. */
function planned({ graph, ...job }: DeclaredJob, names: readonly string[]): PlannedJob {
  return {
    ...job,
    graph: graph as JobGraph,
    get otherNames() {
      return names.filter((name) => name !== job.jobName)
    },
  }
}

function notAmong(wanted: string | undefined, names: readonly string[]): StreamError {
  return new StreamError('COMMAND_INVALID', {
    message: `The job file calls execute for ${names.map((name) => `"${name}"`).join(', ')}, and not for "${wanted}".`,
    hint: 'Give --job-name one of these names, or leave it out: then the first call is planned.',
  })
}

function knowsNoPlans(): StreamError {
  return new StreamError('VERSIONS_DIFFER', {
    message: `The millrace command is version ${VERSION}, and the job imports an older version of the package, which cannot be planned.`,
    hint: 'Install the same version in both places. The job was not started.',
    details: { command: VERSION },
  })
}
