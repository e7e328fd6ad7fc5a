/** What becomes of each state of one operator at a restore: what the program declares beside what is stored. */
import type { StreamError } from '../base/errors.ts'
import type { ChainedOperator, JobVertex } from '../graph/job-graph.ts'
import type { StoredSerializer } from '../state/keyed-table.ts'
import { TTL_STAMPS } from '../state/ttl-codecs.ts'
import type { DeclaredStates } from './declared-states.ts'
import { type DeclaredState, placeOfState } from './recorded-states.ts'
import { coordinatorAnswer, type RestoredStates, restoredStates, storedStatesOf } from './restored-answers.ts'
import type { StoredOperator } from './stored-states.ts'

export interface StatePlan {
  /** `channels`: records that were in flight. */
  readonly type: 'keyed' | 'operator' | 'coordinator' | 'channels'
  readonly name: string
  readonly change:
    | 'matched'
    /** Starts empty. */
    | 'new'
    /** A restore is refused. */
    | 'incompatible'
    /** No part of the program asks for it: it stays stored, and nobody reads it. */
    | 'orphaned'
    /** The operator does not ask for it when it is made; whether it does later is not known. */
    | 'notDeclared'
    /** Neither restored nor kept: a restore is refused, unless that is allowed. */
    | 'dropped'
    /** Nobody has looked into what is stored. */
    | 'notKnown'
  readonly stored: StateForm | undefined
  readonly program: StateForm | undefined
  readonly note: string
  readonly failure: StreamError | undefined
}

/** A kind of keyed state, a mode of operator state, `timers`, `enumerator`, or how an edge deals out its records. */
export interface StateForm {
  readonly kind: string
  readonly serializers: readonly StoredSerializer[]
}

export interface StatesPlan {
  readonly states: readonly StatePlan[]
  /** What stands against all of them. */
  readonly failure: StreamError | undefined
}

export interface PlannedOperator {
  /** As it is restored: with the max parallelism of the state. */
  readonly vertex: JobVertex
  readonly operator: ChainedOperator
  /** `state.backend.type` of the program. */
  readonly stateBackend: string
  readonly declared: DeclaredStates
  readonly stored: StoredOperator | undefined
}

export async function planStates(planned: PlannedOperator): Promise<StatesPlan> {
  const { vertex, operator, declared, stored, stateBackend } = planned
  if (stored === undefined) return { states: declared.states.map(starting), failure: undefined }
  const restored = await restoredStates(stored, { vertex, keyed: operator.keyed, stateBackend })
  const known = new Set(declared.states.map(placeOfState))
  return {
    states: [
      ...declared.states.map((state) => compared(state, restored)),
      ...restored.stored.filter((state) => !known.has(placeOfState(state))).map((state) => unasked(state, planned)),
      ...coordinatorPlans(planned, stored),
    ],
    failure: restored.failure,
  }
}

/** Of an operator that the program does not have. */
export function lostStates(stored: StoredOperator): readonly StatePlan[] {
  return storedStatesOf(stored).map((state) => only(state, 'orphaned', 'its operator is gone'))
}

const starting = (state: DeclaredState): StatePlan => ({
  ...namesOf(state),
  change: 'new',
  stored: undefined,
  program: formOf(state),
  note: 'starts empty',
  failure: undefined,
})

function compared(state: DeclaredState, restored: RestoredStates): StatePlan {
  const stored = restored.stored.find((one) => placeOfState(one) === placeOfState(state))
  if (stored === undefined) {
    const form = state.type === 'keyed' ? restored.ownForm : undefined
    if (form === undefined) return starting(state)
    return { ...starting(state), change: 'notKnown', note: `stored in a form of the backend '${form}' alone` }
  }
  const failure = restored.answer(state)
  return {
    ...namesOf(state),
    change: failure === undefined ? 'matched' : 'incompatible',
    stored: formOf(stored),
    program: formOf(state),
    note: difference(stored, state),
    failure,
  }
}

function unasked(state: StoredState, { operator, declared }: PlannedOperator): StatePlan {
  if (state.type === 'keyed' && !operator.keyed)
    return only(state, 'dropped', 'the operator stands behind no keyBy any more')
  if (declared.extent === 'made') return only(state, 'orphaned', 'stays stored, and nobody reads it')
  const why = declared.extent === 'open' ? 'open() or a record may ask for it' : (declared.reason ?? '')
  return only(state, 'notDeclared', `not asked for when the operator is made: ${why}`)
}

function coordinatorPlans({ vertex, operator }: PlannedOperator, stored: StoredOperator): readonly StatePlan[] {
  if (stored.coordinator === undefined) return []
  const state: StoredState = { type: 'coordinator', name: 'split enumerator', kind: 'enumerator', serializers: [] }
  const isSource = vertex.source !== undefined && vertex.operators[0] === operator
  if (!isSource || vertex.source === undefined) return [only(state, 'dropped', 'the operator is no source any more')]
  const failure = coordinatorAnswer(vertex.source, operator.name, stored.coordinator)
  return [
    {
      ...only(state, failure === undefined ? 'matched' : 'incompatible', ''),
      program: { kind: 'enumerator', serializers: [] },
      failure,
    },
  ]
}

type StoredState = StateForm & Pick<StatePlan, 'type' | 'name'>

const only = (state: StoredState, change: StatePlan['change'], note: string): StatePlan => ({
  ...namesOf(state),
  change,
  stored: formOf(state),
  program: undefined,
  note,
  failure: undefined,
})

const namesOf = ({ type, name }: Pick<StatePlan, 'type' | 'name'>) => ({ type, name })

const formOf = ({ kind, serializers }: StateForm): StateForm => ({ kind, serializers })

/** In words; empty where nothing has changed. */
function difference(stored: StateForm, program: StateForm): string {
  if (stored.kind !== program.kind) return `${stored.kind} → ${program.kind}`
  const notes: string[] = []
  const [before, now] = [valuesOf(stored), valuesOf(program)]
  if (before !== undefined && now !== undefined && before.id !== now.id)
    notes.push(`serializer ${before.id} → ${now.id}`)
  else if (before !== undefined && now !== undefined && before.version !== now.version)
    notes.push(
      `serializer version ${before.version} → ${now.version}${before.version < now.version ? ', converted when it is read' : ''}`,
    )
  if (expires(stored) !== expires(program)) notes.push(`time-to-live ${expires(program) ? 'added' : 'taken away'}`)
  return notes.join('; ')
}

const valuesOf = ({ serializers }: StateForm): StoredSerializer | undefined => serializers[0]

const expires = ({ serializers }: StateForm): boolean => serializers.some(({ id }) => id === TTL_STAMPS.id)
