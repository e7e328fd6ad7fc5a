/**
 * Which state of a checkpoint goes to which subtask of the graph that is started now. Pure; the bytes are read later, by
 * the tasks.
 */
import { StreamError } from '../base/errors.ts'
import type { CheckpointMetadata, OperatorMetadata } from '../checkpoint/checkpoint-metadata.ts'
import { handlesIn } from '../checkpoint/stored-handles.ts'
import type { ChainedOperator, JobGraph, JobVertex } from '../graph/job-graph.ts'
import type { KeyGroupRange } from '../state/key-group-range.ts'
import { keyGroupRangeOf } from '../state/key-groups.ts'
import type { StateHandle } from '../state/snapshot.ts'
import { type ChannelsRestore, channelsFor, refuseInFlight } from './in-flight-records.ts'

/** What one subtask gets. Plain JSON: it crosses the link. */
export interface TaskRestore {
  readonly task: number
  /** In the order of the chain. */
  readonly operators: readonly OperatorRestore[]
  /** Left out: nothing was in flight to it. */
  readonly channels?: ChannelsRestore | undefined
}

export interface OperatorRestore {
  /** All subtasks of the operator had finished: it is not run again. */
  readonly finished: boolean
  /** Of old subtasks whose key groups touch this one's. */
  readonly keyed: readonly StateHandle[]
  /** By old subtask; null where it reported none. Every subtask reads all and takes its share. */
  readonly operator: readonly (StateHandle | null)[]
}

const NOTHING: OperatorRestore = { finished: false, keyed: [], operator: [] }

/** The subtasks of the graph, vertex by vertex. Their place in the list is the number of a task. */
export function tasksOf(
  graph: JobGraph,
): readonly { readonly vertex: number; readonly subtask: number; readonly name: string }[] {
  return graph.vertices.flatMap((vertex, index) => {
    const sharesName = graph.vertices.some((other) => other !== vertex && other.name === vertex.name)
    const name = sharesName ? `${vertex.name} #${index}` : vertex.name
    return Array.from({ length: vertex.parallelism }, (_, subtask) => ({
      vertex: index,
      subtask,
      name: `${name} (${subtask + 1}/${vertex.parallelism})`,
    }))
  })
}

export function assignState(graph: JobGraph, metadata: CheckpointMetadata | undefined): readonly TaskRestore[] {
  const storedOf = (id: string) => metadata?.operators.find(({ operatorId }) => operatorId === id)
  return tasksOf(graph).map(({ vertex: index, subtask }, task) => {
    const vertex = graph.vertices[index] as JobVertex
    const channels = channelsFor(graph, index, subtask, storedOf(vertex.id))
    return {
      task,
      operators: vertex.operators.map(({ operatorId }) => operatorRestore(vertex, subtask, storedOf(operatorId))),
      ...(channels === undefined ? {} : { channels }),
    }
  })
}

function operatorRestore(vertex: JobVertex, subtask: number, stored: OperatorMetadata | undefined): OperatorRestore {
  if (stored === undefined) return NOTHING
  const range = keyGroupRangeOf(vertex.maxParallelism, vertex.parallelism, subtask)
  const operator: (StateHandle | null)[] = Array.from({ length: stored.parallelism }, () => null)
  for (const old of stored.subtasks) operator[old.index] = old.operator ?? null
  return {
    finished: stored.subtasks.length > 0 && stored.subtasks.every(({ finished }) => finished),
    keyed: stored.subtasks.flatMap(({ keyed }) =>
      keyed !== undefined && meet(keyed.identity.keyGroups, range) ? [keyed] : [],
    ),
    operator,
  }
}

function meet(one: KeyGroupRange | undefined, other: KeyGroupRange): boolean {
  return one !== undefined && one.first <= other.last && other.first <= one.last
}

/** As `fitOperators`, and refuses records in flight that cannot be restored. */
export function fitToState(graph: JobGraph, metadata: CheckpointMetadata, allowNonRestoredState: boolean): JobGraph {
  const fitted = fitOperators(graph, metadata, allowNonRestoredState)
  refuseInFlight(fitted, metadata, allowNonRestoredState)
  return fitted
}

/**
 * The graph with the max parallelism that the state was written with, where the program leaves it open. Refuses what
 * cannot be restored: state without an operator, or without a place in it, unless that is allowed; a parallelism above the
 * stored maximum, another explicit maximum.
 */
export function fitOperators(graph: JobGraph, metadata: CheckpointMetadata, allowNonRestoredState: boolean): JobGraph {
  const known = new Set(graph.vertices.flatMap(({ operators }) => operators.map(({ operatorId }) => operatorId)))
  const orphans = metadata.operators.filter((operator) => !known.has(operator.operatorId) && holdsState(operator))
  if (orphans.length > 0 && !allowNonRestoredState) throw orphaned(orphans, metadata)
  const losses = graph.vertices.flatMap((vertex) => lossesOf(vertex, metadata))
  if (losses.length > 0 && !allowNonRestoredState) throw lost(losses, metadata)
  return { ...graph, vertices: graph.vertices.map((vertex) => fitVertex(vertex, metadata)) }
}

/** Whether something is lost when the operator is left out. */
export function holdsState(operator: OperatorMetadata): boolean {
  return operator.coordinator !== undefined || operator.subtasks.some((subtask) => handlesIn(subtask).length > 0)
}

/** State that an operator once had a place for. */
interface Loss {
  readonly operator: ChainedOperator
  readonly what: string
  readonly why: string
}

function lossesOf(vertex: JobVertex, metadata: CheckpointMetadata): readonly Loss[] {
  return vertex.operators.flatMap((operator): Loss[] => {
    const stored = metadata.operators.find(({ operatorId }) => operatorId === operator.operatorId)
    const hasKeys = stored?.subtasks.some(({ keyed }) => keyed !== undefined) === true
    const isSource = vertex.source !== undefined && vertex.id === operator.operatorId
    return [
      ...(hasKeys && !operator.keyed
        ? [{ operator, what: 'the keyed state', why: 'it stands behind no keyBy any more' }]
        : []),
      ...(stored?.coordinator !== undefined && !isSource
        ? [{ operator, what: 'the split enumerator', why: 'it is no source any more' }]
        : []),
    ]
  })
}

function fitVertex(vertex: JobVertex, metadata: CheckpointMetadata): JobVertex {
  const stored = vertex.operators.flatMap((operator) => {
    const found = metadata.operators.find(({ operatorId }) => operatorId === operator.operatorId)
    return found?.subtasks.some(({ keyed }) => keyed !== undefined) ? [{ operator, found }] : []
  })
  return stored.reduce((fitted, { operator, found }) => fitOperator(fitted, operator, found), vertex)
}

function fitOperator(vertex: JobVertex, operator: ChainedOperator, stored: OperatorMetadata): JobVertex {
  const { maxParallelism } = stored
  const details = {
    operator: operator.name,
    storedMaxParallelism: maxParallelism,
    parallelism: vertex.parallelism,
    maxParallelism: vertex.maxParallelism,
  }
  if (vertex.parallelism > maxParallelism)
    throw new StreamError('PARALLELISM_ABOVE_MAXIMUM', {
      message: `Operator "${operator.name}" runs with parallelism ${vertex.parallelism}, and its stored state has a max parallelism of ${maxParallelism}.`,
      hint: `Lower the parallelism to ${maxParallelism} or less. A larger max parallelism must be set before the first state is written.`,
      details,
    })
  if (vertex.maxParallelism === maxParallelism) return vertex
  if (vertex.maxParallelismIsSet)
    throw new StreamError('MAX_PARALLELISM_CHANGED', {
      message: `Operator "${operator.name}" has max parallelism ${vertex.maxParallelism}, and its state was stored with ${maxParallelism}.`,
      hint: `Set the max parallelism to ${maxParallelism}, or leave it out and the stored one is taken.`,
      details,
    })
  return { ...vertex, maxParallelism }
}

function orphaned(orphans: readonly OperatorMetadata[], metadata: CheckpointMetadata): StreamError {
  const names = orphans.map(({ uid, name, operatorId }) => `"${uid ?? name}" (${operatorId})`)
  return new StreamError('STATE_NOT_RESTORED', {
    message: `Checkpoint ${metadata.checkpointId} of job ${metadata.jobId} holds state of ${names.length} operator(s) that the program does not have: ${names.join(', ')}.`,
    hint: 'Give the operators their old uid again. To drop that state on purpose, start with --allowNonRestoredState (allowNonRestoredState: true).',
    details: { operators: orphans.map(({ operatorId }) => operatorId), checkpointId: metadata.checkpointId },
  })
}

function lost(losses: readonly Loss[], metadata: CheckpointMetadata): StreamError {
  const named = losses.map(
    ({ operator: { uid, name, operatorId }, what, why }) => `${what} of "${uid ?? name}" (${operatorId}), for ${why}`,
  )
  return new StreamError('STATE_NOT_RESTORED', {
    message: `Checkpoint ${metadata.checkpointId} of job ${metadata.jobId} holds state for which its operator has no place in this program: ${named.join('; ')}.`,
    hint: 'Let the operator be what it was: behind a keyBy, or a source. To drop that state on purpose, start with --allowNonRestoredState (allowNonRestoredState: true).',
    details: { operators: losses.map(({ operator }) => operator.operatorId), checkpointId: metadata.checkpointId },
  })
}
