/** The JSON document of `millrace plan --json`. Its shape is described in docs/guides/command-line.md. */
import type { StreamError } from '../base/errors.ts'
import type { OperatorPlan, RestorePlan } from '../runtime/restore-plan.ts'
import type { StateForm, StatePlan } from '../runtime/state-plan.ts'
import type { StoredStates } from '../runtime/stored-states.ts'
import { errorObject } from './describe-error.ts'
import type { PlannedJob } from './planned-job.ts'

export interface PlanResult {
  readonly stored: StoredStates
  readonly job: PlannedJob
  readonly plan: RestorePlan
}

/** Plain JSON; what there is not is null. */
export function planDocument({ stored, job, plan }: PlanResult): object {
  const { jobId, jobName, epoch, checkpointId, kind, timestamp } = stored.metadata
  return {
    type: 'plan',
    version: 1,
    path: stored.location,
    checkpoint: { jobId, jobName, epoch, checkpointId, kind, timestamp },
    job: { name: job.jobName, otherNames: job.otherNames, allowNonRestoredState: job.allowNonRestoredState },
    operators: plan.operators.map(operatorObject),
    warnings: plan.warnings,
    restore: { succeeds: plan.failure === undefined, error: errorOf(plan.failure) },
  }
}

/** The same shape, where nothing could be compared. */
export function failedPlan(path: string, thrown: unknown): object {
  return {
    type: 'plan',
    version: 1,
    path,
    checkpoint: null,
    job: null,
    operators: [],
    warnings: [],
    restore: { succeeds: false, error: errorObject(thrown) },
  }
}

function operatorObject({ operatorId, uid, name, change, finished, notes, failure, ...rest }: OperatorPlan): object {
  return {
    operatorId,
    uid: uid ?? null,
    name,
    change,
    parallelism: changeObject(rest.parallelism),
    maxParallelism: changeObject(rest.maxParallelism),
    finished,
    states: rest.states.map(stateObject),
    notes,
    error: errorOf(failure),
  }
}

function changeObject({ stored, program }: OperatorPlan['parallelism']): object {
  return { stored: stored ?? null, program: program ?? null }
}

function stateObject({ type, name, change, stored, program, note, failure }: StatePlan): object {
  return { type, name, change, stored: formObject(stored), program: formObject(program), note, error: errorOf(failure) }
}

function formObject(form: StateForm | undefined): object | null {
  if (form === undefined) return null
  return { kind: form.kind, serializers: form.serializers.map(({ id, version }) => ({ id, version })) }
}

function errorOf(error: StreamError | undefined): unknown {
  return error === undefined ? null : errorObject(error)
}
