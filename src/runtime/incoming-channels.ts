/** What the channels are that one subtask reads: for each of them its edge and its sender, in the order of `connect`. */
import type { Serializer } from '../elements/serializer.ts'
import type { JobGraph } from '../graph/job-graph.ts'
import type { ChannelSection } from '../state/channel-state-format.ts'
import { isTarget } from './data/partition-targets.ts'
import type { EdgeNames } from './data/round-trip-writer.ts'
import { edgeNames, edgesInto } from './edge-identity.ts'

export interface IncomingChannel {
  readonly edgeIndex: number
  readonly names: EdgeNames
  /** Names its records where they are stored; `sender` is the subtask that writes into it. */
  readonly section: ChannelSection
  /** Undefined: the default one. */
  readonly serializer: Serializer<unknown> | undefined
}

/** By the index of the channel in `Connections.channels`. */
export function incomingChannels(graph: JobGraph, vertex: number, subtask: number): readonly IncomingChannel[] {
  const receivers = graph.vertices[vertex]?.parallelism ?? 0
  return edgesInto(graph, vertex).flatMap(({ edgeIndex, edge: { from, partitioner, serializer }, identity }) => {
    const senders = graph.vertices[from]?.parallelism ?? 0
    const names = edgeNames(graph, edgeIndex)
    return Array.from({ length: senders }, (_, sender) => sender)
      .filter((sender) => isTarget(subtask, partitioner, sender, senders, receivers))
      .map((sender): IncomingChannel => {
        const section = { edge: identity, partitioner: partitioner.type, sender }
        return { edgeIndex, names, section, serializer }
      })
  })
}
