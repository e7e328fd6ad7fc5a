/** A plan as people read it: what it is about, a table of operators and their states, warnings, and one line of verdict. */
import type { Change, OperatorPlan } from '../runtime/restore-plan.ts'
import type { StateForm, StatePlan } from '../runtime/state-plan.ts'
import type { PlanResult } from './plan-document.ts'
import { alignedRows, plainText } from './table.ts'

/** Lines without newlines; the verdict is the last but for its hint. */
export function planLines({ stored, job, plan }: PlanResult): readonly string[] {
  const { checkpointId, jobName, kind } = stored.metadata
  const others = job.otherNames.map((name) => `"${name}"`).join(', ')
  const lines = [
    `State   ${kind === 'checkpoint' ? 'checkpoint' : 'savepoint'} ${checkpointId} of job "${jobName}", ${stored.location}`,
    `Program job "${job.jobName}"${others === '' ? '' : `; it also has ${others}: choose with --job-name`}`,
    '',
    ...alignedRows([HEAD, ...plan.operators.flatMap(operatorRows)]),
    '',
    ...plan.warnings.map((warning) => `warning: ${warning}`),
    ...undeclaredLine(plan.operators),
    ...verdict(plan.failure),
  ]
  return lines.map(plainText)
}

const HEAD = ['operator / state', 'restore', 'kind', 'parallelism', 'max', 'remarks']

function operatorRows(operator: OperatorPlan): readonly (readonly string[])[] {
  const { uid, name, change, parallelism, maxParallelism, notes, failure, states, operatorId } = operator
  const title =
    uid === undefined ? `${name} (no uid, ${operatorId.slice(0, 8)})` : uid === name ? name : `${name} (${uid})`
  const remarks = [...notes, ...(failure === undefined ? [] : [failure.code])].join('; ')
  return [
    [
      title,
      failure === undefined ? IN_WORDS[change] : `${IN_WORDS[change]}, FAILS`,
      '',
      arrow(parallelism),
      maximum(maxParallelism),
      remarks,
    ],
    ...states.map(stateRow),
  ]
}

function stateRow({ name, change, stored, program, note, failure }: StatePlan): readonly string[] {
  const remarks = [note, failure === undefined ? '' : failure.code].filter((text) => text !== '').join('; ')
  const form = (program ?? stored) as StateForm
  return [`  ${name}`, failure === undefined ? IN_WORDS[change] : 'FAILS', form.kind, '', '', remarks]
}

const IN_WORDS: Readonly<Record<OperatorPlan['change'] | StatePlan['change'], string>> = {
  matched: 'matched',
  new: 'new, empty',
  orphaned: 'orphaned',
  removed: 'gone',
  incompatible: 'FAILS',
  notDeclared: 'not known',
  dropped: 'LOST',
  notKnown: 'not known',
}

function arrow({ stored, program }: Change): string {
  if (stored === undefined || program === undefined || stored === program) return `${stored ?? program ?? ''}`
  return `${stored} → ${program}`
}

function maximum({ stored, program }: Change): string {
  if (stored !== undefined && program === undefined) return `${stored}`
  return arrow({ stored, program })
}

function undeclaredLine(operators: readonly OperatorPlan[]): readonly string[] {
  const names = operators.flatMap(({ states }) => states.filter(({ change }) => change === 'notDeclared'))
  if (names.length === 0) return []
  return [
    `warning: ${names.length} stored state(s) are not asked for when their operators are made. Where the program asks later, kind and serializer are checked then; where it does not, they stay stored and nobody reads them.`,
  ]
}

function verdict(failure: PlanResult['plan']['failure']): readonly string[] {
  if (failure === undefined) return ['A restore would succeed.']
  const line = `A restore would fail: ${failure.code}: ${failure.message}`
  return failure.hint === undefined ? [line] : [line, `  hint: ${failure.hint}`]
}
