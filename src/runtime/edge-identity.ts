/** Recognises an edge of a job graph in another build of the program: records that were in flight on it are stored with this. */
import type { ChainedOperator, ChainOutput, JobEdge, JobGraph } from '../graph/job-graph.ts'
import type { EdgeIdentity } from '../state/snapshot.ts'
import type { EdgeNames } from './data/round-trip-writer.ts'

export function edgeIdentity(graph: JobGraph, edgeIndex: number): EdgeIdentity {
  const { to, input } = graph.edges[edgeIndex] as JobEdge
  const { operator, sideOutput } = senderOf(graph, edgeIndex)
  const from = operator?.operatorId ?? ''
  const ordinal = graph.edges.slice(0, edgeIndex).filter((earlier, index) => {
    if (earlier.to !== to || earlier.input !== input) return false
    const sender = senderOf(graph, index)
    return sender.operator === operator && sender.sideOutput === sideOutput
  }).length
  return { from, ...(sideOutput === undefined ? {} : { sideOutput }), input, ordinal }
}

/** The edges that lead to one vertex, with their identities. */
export function edgesInto(
  graph: JobGraph,
  vertex: number,
): readonly { readonly edgeIndex: number; readonly edge: JobEdge; readonly identity: EdgeIdentity }[] {
  return graph.edges.flatMap((edge, edgeIndex) =>
    edge.to === vertex ? [{ edgeIndex, edge, identity: edgeIdentity(graph, edgeIndex) }] : [],
  )
}

export function isSameEdge(one: EdgeIdentity, other: EdgeIdentity): boolean {
  return (
    one.from === other.from &&
    one.sideOutput === other.sideOutput &&
    one.input === other.input &&
    one.ordinal === other.ordinal
  )
}

/** The names of the operators at the two ends of an edge. */
export function edgeNames(graph: JobGraph, edgeIndex: number): EdgeNames {
  const { operator } = senderOf(graph, edgeIndex)
  const receiver = graph.vertices[graph.edges[edgeIndex]?.to ?? -1]?.operators[0]
  return { from: operator?.name ?? '', to: receiver?.name ?? '' }
}

interface Sender {
  readonly operator: ChainedOperator | undefined
  readonly sideOutput: string | undefined
}

function senderOf(graph: JobGraph, edgeIndex: number): Sender {
  const writes = ({ to }: ChainOutput) => to.type === 'edge' && to.index === edgeIndex
  for (const operator of graph.vertices[graph.edges[edgeIndex]?.from ?? -1]?.operators ?? []) {
    const output = operator.outputs.find(writes)
    if (output !== undefined) return { operator, sideOutput: output.sideOutput }
  }
  return { operator: undefined, sideOutput: undefined }
}
