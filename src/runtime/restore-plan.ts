/**
 * What a restore of stored states into a graph would come to, operator by operator. It starts and changes nothing, and
 * asks the rules that a restore goes by instead of having its own.
 */
import { StreamError } from '../base/errors.ts'
import type { CheckpointMetadata } from '../checkpoint/checkpoint-metadata.ts'
import type { ChainedOperator, JobGraph, JobVertex } from '../graph/job-graph.ts'
import type { DeclaredStates } from './declared-states.ts'
import { orphanedInFlight, planInFlight } from './in-flight-plan.ts'
import { operatorsOf, type PlacedOperator } from './placed-operators.ts'
import { fitOperators, fitToState, holdsState } from './restore-assignment.ts'
import { lostStates, planStates, type StatePlan, type StatesPlan } from './state-plan.ts'
import type { StoredOperator, StoredStates } from './stored-states.ts'

export interface RestorePlan {
  /** Those of the graph in its order, then those that it does not have. */
  readonly operators: readonly OperatorPlan[]
  /** What is allowed, and probably not meant. */
  readonly warnings: readonly string[]
  /** What a restore would be refused with first; undefined: nothing stands against it. */
  readonly failure: StreamError | undefined
}

export interface OperatorPlan {
  readonly operatorId: string
  readonly uid: string | undefined
  readonly name: string
  /** `orphaned`: its state finds no operator. `removed`: it is gone and had no state. */
  readonly change: 'matched' | 'new' | 'orphaned' | 'removed'
  readonly parallelism: Change
  /** `program` is undefined where it leaves the maximum open: a restore takes the stored one. */
  readonly maxParallelism: Change
  /** All its subtasks had finished. */
  readonly finished: boolean
  readonly states: readonly StatePlan[]
  readonly notes: readonly string[]
  /** What a restore of this operator alone is refused with, its states left aside. */
  readonly failure: StreamError | undefined
}

export interface Change {
  readonly stored: number | undefined
  readonly program: number | undefined
}

export interface RestorePlanOptions {
  readonly graph: JobGraph
  /** What each operator declares, by operator id. */
  readonly declared: ReadonlyMap<string, DeclaredStates>
  readonly stored: StoredStates
  readonly allowNonRestoredState: boolean
  /** `state.backend.type` of the program. */
  readonly stateBackend: string
}

/** Deterministic and without effects. Waits where a state backend does. */
export async function planRestore(options: RestorePlanOptions): Promise<RestorePlan> {
  const { graph, stored, allowNonRestoredState } = options
  const graphFailure = refusal(() => fitToState(graph, stored.metadata, allowNonRestoredState))
  const fitted = fittedVertices(graph, stored.metadata)
  const placed = operatorsOf({ ...graph, vertices: fitted })
  const present: OperatorPlan[] = []
  for (const place of placed) present.push(await planOperator(place, { ...graph, vertices: fitted }, options))
  const operators = [...present, ...absentOperators(graph, stored, allowNonRestoredState)]
  const failures = operators.flatMap(({ failure, states }) => [failure, ...states.map((state) => state.failure)])
  return {
    operators,
    warnings: [...withoutUid(graph), ...operators.flatMap(leftBehind)],
    failure: graphFailure ?? failures.find((failure) => failure !== undefined),
  }
}

/** Vertex by vertex, so that one that cannot be restored hides nothing of the others. */
function fittedVertices(graph: JobGraph, metadata: CheckpointMetadata): readonly JobVertex[] {
  return graph.vertices.map((vertex) => {
    let fitted: JobVertex | undefined
    const refused = refusal(() => {
      fitted = fitOperators({ ...graph, vertices: [vertex] }, metadata, true).vertices[0]
    })
    return refused === undefined && fitted !== undefined ? fitted : vertex
  })
}

async function planOperator(
  { vertex, operator, program }: PlacedOperator,
  fitted: JobGraph,
  { graph, declared, stored, stateBackend, allowNonRestoredState }: RestorePlanOptions,
): Promise<OperatorPlan> {
  const { operatorId, uid, name } = operator
  const state = stored.operators.get(operatorId)
  const metadata = state?.metadata
  const original = graph.vertices[program] as JobVertex
  const fit = (allowed: boolean) => refusal(() => fitAlone(graph, original, operator, stored.metadata, allowed))
  // Where the vertex could not be fitted, its states are still compared.
  const maxParallelism =
    fit(true) === undefined ? vertex.maxParallelism : (metadata?.maxParallelism ?? vertex.maxParallelism)
  const isDone = vertex.operators.every((each) => isFinished(stored.operators.get(each.operatorId)))
  const inFlight = metadata === undefined ? NO_STATES : planInFlight(fitted, metadata, stored, allowNonRestoredState)
  const { states, failure: statesFailure } = isDone
    ? NO_STATES
    : await planStates({
        vertex: { ...vertex, maxParallelism },
        operator,
        stateBackend,
        declared: declared.get(operatorId) ?? NOTHING_KNOWN,
        stored: state,
      })
  return {
    operatorId,
    uid,
    name,
    change: metadata === undefined ? 'new' : 'matched',
    parallelism: { stored: metadata?.parallelism, program: vertex.parallelism },
    maxParallelism: {
      stored: metadata?.maxParallelism,
      program: original.maxParallelismIsSet || metadata === undefined ? original.maxParallelism : undefined,
    },
    finished: isFinished(state),
    states: [...states, ...inFlight.states],
    notes: [
      ...(metadata === undefined || metadata.name === name ? [] : [`was called "${metadata.name}"`]),
      ...(isFinished(state)
        ? [isDone ? 'had finished: is not run again' : 'had finished: runs again, with nothing restored']
        : []),
    ],
    failure: fit(allowNonRestoredState) ?? inFlight.failure ?? statesFailure,
  }
}

const NO_STATES: StatesPlan = { states: [], failure: undefined }
const NOTHING_KNOWN: DeclaredStates = { states: [], extent: 'unknown', reason: 'it was not looked at' }

function fitAlone(
  graph: JobGraph,
  vertex: JobVertex,
  { operatorId }: ChainedOperator,
  metadata: CheckpointMetadata,
  allowed: boolean,
): void {
  const alone = { ...metadata, operators: metadata.operators.filter((stored) => stored.operatorId === operatorId) }
  fitOperators({ ...graph, vertices: [vertex] }, alone, allowed)
}

function isFinished(stored: StoredOperator | undefined): boolean {
  const subtasks = stored?.metadata.subtasks ?? []
  return subtasks.length > 0 && subtasks.every(({ finished }) => finished)
}

/** Operators of the metadata that the graph does not have. */
function absentOperators(graph: JobGraph, stored: StoredStates, allowed: boolean): readonly OperatorPlan[] {
  const known = new Set(operatorsOf(graph).map(({ operator }) => operator.operatorId))
  const gone = [...stored.operators.values()].filter(({ metadata }) => !known.has(metadata.operatorId))
  return gone.map((operator): OperatorPlan => {
    const { metadata } = operator
    const isOrphan = holdsState(metadata)
    const alone = { ...stored.metadata, operators: [metadata] }
    return {
      operatorId: metadata.operatorId,
      uid: metadata.uid,
      name: metadata.name,
      change: isOrphan ? 'orphaned' : 'removed',
      parallelism: { stored: metadata.parallelism, program: undefined },
      maxParallelism: { stored: metadata.maxParallelism, program: undefined },
      finished: isFinished(operator),
      states: [...lostStates(operator), ...orphanedInFlight(metadata, stored)],
      notes: isOrphan ? [] : ['had no state'],
      failure: refusal(() => fitOperators({ ...graph, vertices: [] }, alone, allowed)),
    }
  })
}

function withoutUid(graph: JobGraph): readonly string[] {
  const names = operatorsOf(graph).flatMap(({ operator }) => (operator.uid === undefined ? [`"${operator.name}"`] : []))
  if (names.length === 0) return []
  return [
    `${names.length} operator(s) have no uid: ${names.join(', ')}. Their ids come from their places in the program, and shift when operators before them come or go. Give a uid to each that keeps state.`,
  ]
}

function leftBehind({ change, failure, uid, name, states }: OperatorPlan): readonly string[] {
  if (change === 'orphaned' && failure === undefined)
    return [`The state of "${uid ?? name}" is left behind: allowNonRestoredState is on.`]
  if (failure !== undefined) return []
  return states.flatMap(({ change: of, note, name: state }) =>
    of === 'dropped' ? [`State '${state}' of "${name}" would be lost: ${note}.`] : [],
  )
}

/** What the call is refused with; anything but a StreamError is a mistake of ours and goes on. */
function refusal(call: () => unknown): StreamError | undefined {
  try {
    call()
    return undefined
  } catch (thrown) {
    if (!StreamError.is(thrown)) throw thrown
    return thrown
  }
}
