/** Makes the channels of one attempt: who writes into what, and who reads it. Decides nothing at run time. */
import type { Random } from '../base/random.ts'
import type { JobGraph } from '../graph/job-graph.ts'
import { Channel, type CreditHolder, type Wakeable } from './data/channel.ts'
import { partitionTargets } from './data/partition-targets.ts'
import { type RecordWriter, recordWriter } from './data/record-writer.ts'
import { RoundTripWriter } from './data/round-trip-writer.ts'
import { edgeNames } from './edge-identity.ts'

/** One subtask as the exchange sees it. */
export interface ExchangeMember {
  readonly vertex: number
  readonly subtask: number
  readonly gate: CreditHolder
  readonly wakeable: Wakeable
}

export interface Connections {
  /** What the subtask reads, in order of edges and senders; `index` is the place in this list. */
  readonly channels: readonly Channel[]
  /** By index of the edge. */
  readonly writers: ReadonlyMap<number, RecordWriter>
}

/**
 * Connections of every member, in their order. A member's neighbours are members too: those of whole regions are connected.
 * `roundTrip`: records are copied by the edge's serializer.
 */
export function connect(
  graph: JobGraph,
  members: readonly ExchangeMember[],
  credit: number,
  random: Random,
  roundTrip = false,
): readonly Connections[] {
  const incoming = members.map((): Channel[] => [])
  const writers = members.map(() => new Map<number, RecordWriter>())
  const placeOf = (vertex: number, subtask: number) =>
    members.findIndex((member) => member.vertex === vertex && member.subtask === subtask)

  graph.edges.forEach((edge, edgeIndex) => {
    if (placeOf(edge.from, 0) === -1) return
    const senders = graph.vertices[edge.from]?.parallelism ?? 0
    const receivers = graph.vertices[edge.to]?.parallelism ?? 0
    for (let sender = 0; sender < senders; sender++) {
      const from = placeOf(edge.from, sender)
      const channels = partitionTargets(edge.partitioner, sender, senders, receivers).map((receiver) => {
        const to = placeOf(edge.to, receiver)
        const read = incoming[to] as Channel[]
        const channel = new Channel({
          credit,
          input: edge.input,
          index: read.length,
          sender: (members[from] as ExchangeMember).gate,
          receiver: (members[to] as ExchangeMember).wakeable,
        })
        read.push(channel)
        return channel
      })
      const writer = recordWriter({
        partitioner: edge.partitioner,
        channels,
        sender,
        maxParallelism: graph.vertices[edge.to]?.maxParallelism ?? 1,
        random,
        receiver: graph.vertices[edge.to]?.operators[0]?.name,
      })
      ;(writers[from] as Map<number, RecordWriter>).set(
        edgeIndex,
        roundTrip ? new RoundTripWriter(writer, edge.serializer, edgeNames(graph, edgeIndex)) : writer,
      )
    }
  })
  return members.map((_, place) => ({
    channels: incoming[place] as Channel[],
    writers: writers[place] as Map<number, RecordWriter>,
  }))
}
