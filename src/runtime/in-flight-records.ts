/** Which place the records in flight of a checkpoint have in a graph, and which subtask reads them. Pure. */
import { StreamError } from '../base/errors.ts'
import type { CheckpointMetadata, OperatorMetadata } from '../checkpoint/checkpoint-metadata.ts'
import type { JobEdge, JobGraph, JobVertex } from '../graph/job-graph.ts'
import { type ChannelScale, notDealtOut, oldSubtasksOf } from '../state/channel-redistribution.ts'
import { refusedSerializer } from '../state/channel-state-reader.ts'
import { inFlightEdges } from '../state/in-flight-edges.ts'
import type { InFlightEdge, StoredHandle } from '../state/snapshot.ts'
import { edgesInto, isSameEdge } from './edge-identity.ts'

/** What one subtask reads before anything else. Plain JSON: it crosses the link. */
export interface ChannelsRestore {
  /** Of its vertex, when the records were in flight. */
  readonly old: ChannelScale['old']
  readonly stored: readonly { readonly subtask: number; readonly handle: StoredHandle }[]
}

/** Undefined: there is nothing for the subtask. `stored`: of the head operator of the vertex. */
export function channelsFor(
  graph: JobGraph,
  vertexIndex: number,
  subtask: number,
  stored: OperatorMetadata | undefined,
): ChannelsRestore | undefined {
  if (stored?.subtasks.some(({ channels }) => channels !== undefined) !== true) return undefined
  const scale = scaleOf(stored, graph.vertices[vertexIndex] as JobVertex)
  const edges = edgesInto(graph, vertexIndex)
  const reads = (old: number, { edge, partitioner }: InFlightEdge) => {
    const now = edges.find(({ identity }) => isSameEdge(identity, edge))?.edge.partitioner.type
    return now !== undefined && oldSubtasksOf(partitioner, now, scale, subtask).includes(old)
  }
  const read = stored.subtasks.flatMap(({ index, channels }) =>
    channels?.edges.some((edge) => reads(index, edge)) ? [{ subtask: index, handle: channels.handle }] : [],
  )
  return read.length === 0 ? undefined : { old: scale.old, stored: read }
}

function scaleOf({ parallelism, maxParallelism }: OperatorMetadata, now: JobVertex): ChannelScale {
  return {
    old: { parallelism, maxParallelism },
    parallelism: now.parallelism,
    maxParallelism: now.maxParallelism,
  }
}

/**
 * The checkpoint, without its records in flight where it is the one of that id: they are lost, as somebody has asked for
 * (Flink's recover-without-channel-state).
 */
export function restorable(metadata: CheckpointMetadata, dropInFlightOf: number | undefined): CheckpointMetadata {
  if (metadata.checkpointId !== dropInFlightOf) return metadata
  return {
    ...metadata,
    operators: metadata.operators.map((operator) => ({
      ...operator,
      subtasks: operator.subtasks.map(({ channels: _, ...subtask }) => subtask),
    })),
  }
}

/** Records that were in flight on one edge, and what becomes of them. */
export interface InFlightFit {
  readonly stored: InFlightEdge
  /** Undefined: the program does not have it. */
  readonly edge: JobEdge | undefined
  /** Why they cannot be restored, in words. */
  readonly problem: { readonly type: 'noEdge' | 'notDealtOut' | 'serializer'; readonly why: string } | undefined
}

/** Of one operator of the metadata that the graph has, edge by edge. */
export function fitInFlight(graph: JobGraph, stored: OperatorMetadata): readonly InFlightFit[] {
  return inFlightOf(stored).map((inFlight) => fitEdge(graph, stored, inFlight))
}

/** What was in flight to all subtasks of an operator, one entry an edge. */
export function inFlightOf({ subtasks }: OperatorMetadata): readonly InFlightEdge[] {
  return inFlightEdges(subtasks.flatMap(({ channels }) => channels?.edges ?? []))
}

function fitEdge(graph: JobGraph, { operatorId, ...operator }: OperatorMetadata, stored: InFlightEdge): InFlightFit {
  const vertexIndex = graph.vertices.findIndex(({ operators }) =>
    operators.some((one) => one.operatorId === operatorId),
  )
  const vertex = graph.vertices[vertexIndex]
  const head = vertex?.operators[0]
  const gone = (why: string): InFlightFit => ({ stored, edge: undefined, problem: { type: 'noEdge', why } })
  if (vertex === undefined || head === undefined) return gone('the operator is gone')
  if (head.operatorId !== operatorId) return gone(`the operator is chained behind "${head.name}" now`)
  const edge = edgesInto(graph, vertexIndex).find(({ identity }) => isSameEdge(identity, stored.edge))?.edge
  if (edge === undefined) return gone('the program does not have that edge')
  const dealing = notDealtOut(stored.partitioner, edge.partitioner.type, scaleOf({ operatorId, ...operator }, vertex))
  const reading = refusedSerializer(stored.serializer, edge.serializer)
  const problem =
    dealing !== undefined
      ? ({ type: 'notDealtOut', why: dealing } as const)
      : reading !== undefined
        ? ({ type: 'serializer', why: reading } as const)
        : undefined
  return { stored, edge, problem }
}

/**
 * Refuses records in flight that this graph has no place for; those of an edge that is gone may be left out where that is
 * allowed. Operators that are gone are not its business. Throws STATE_NOT_RESTORED, UNSUPPORTED or STATE_INCOMPATIBLE.
 */
export function refuseInFlight(graph: JobGraph, metadata: CheckpointMetadata, allowNonRestoredState: boolean): void {
  const known = new Set(graph.vertices.flatMap(({ operators }) => operators.map(({ operatorId }) => operatorId)))
  for (const operator of metadata.operators.filter(({ operatorId }) => known.has(operatorId)))
    for (const fit of fitInFlight(graph, operator)) {
      const refused = inFlightRefused(fit, operator, metadata)
      if (refused !== undefined && !(fit.problem?.type === 'noEdge' && allowNonRestoredState)) throw refused
    }
}

const CODES = {
  noEdge: 'STATE_NOT_RESTORED',
  notDealtOut: 'UNSUPPORTED',
  serializer: 'STATE_INCOMPATIBLE',
} as const

const ALIGNED =
  'go on with the old program from this checkpoint and take a savepoint there: a savepoint holds no records in flight'

const HINTS = {
  noEdge: `Give the operators at both ends their old uid and the edge its old place, or ${ALIGNED}. To drop the records on purpose, start with --allowNonRestoredState (allowNonRestoredState: true).`,
  notDealtOut: `Restore with the partitioner and the parallelism that the checkpoint was taken with, or ${ALIGNED}.`,
  serializer: `Restore with the serializer that wrote them, or ${ALIGNED}.`,
} as const

/** What a restore is refused with; undefined: nothing. Of an edge that is gone unless that is allowed. */
export function inFlightRefused(
  { stored, problem }: InFlightFit,
  operator: OperatorMetadata,
  { checkpointId, jobId, operators }: CheckpointMetadata,
): StreamError | undefined {
  if (problem === undefined) return undefined
  const { edge, records } = stored
  const sender = operators.find(({ operatorId }) => operatorId === edge.from)
  const [from, to] = [titleOf(sender) ?? edge.from, titleOf(operator) ?? operator.operatorId]
  const output = edge.sideOutput === undefined ? '' : ` (side output '${edge.sideOutput}')`
  return new StreamError(CODES[problem.type], {
    message: `Checkpoint ${checkpointId} of job ${jobId} holds ${records} record(s) that were in flight from ${from}${output} to ${to} and cannot be restored: ${problem.why}.`,
    hint: HINTS[problem.type],
    details: { operator: operator.operatorId, from: edge.from, records, checkpointId },
  })
}

function titleOf(operator: OperatorMetadata | undefined): string | undefined {
  return operator && `"${operator.uid ?? operator.name}" (${operator.operatorId})`
}
