/** Recognises an edge of a job graph in another build of the program: records that were in flight on it are stored with this. */
import type { ChainOutput, JobEdge, JobGraph } from '../graph/job-graph.ts'
import type { EdgeIdentity } from '../state/snapshot.ts'

export function edgeIdentity(graph: JobGraph, edgeIndex: number): EdgeIdentity {
  const { to, input } = graph.edges[edgeIndex] as JobEdge
  const { from, sideOutput } = senderOf(graph, edgeIndex)
  const ordinal = graph.edges.slice(0, edgeIndex).filter((earlier, index) => {
    if (earlier.to !== to || earlier.input !== input) return false
    const sender = senderOf(graph, index)
    return sender.from === from && sender.sideOutput === sideOutput
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

function senderOf(graph: JobGraph, edgeIndex: number): Pick<EdgeIdentity, 'from' | 'sideOutput'> {
  const writes = ({ to }: ChainOutput) => to.type === 'edge' && to.index === edgeIndex
  for (const { operatorId, outputs } of graph.vertices[graph.edges[edgeIndex]?.from ?? -1]?.operators ?? []) {
    const output = outputs.find(writes)
    if (output !== undefined) return { from: operatorId, sideOutput: output.sideOutput }
  }
  return { from: '', sideOutput: undefined }
}
