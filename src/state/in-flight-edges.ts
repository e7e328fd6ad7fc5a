/** Sums up records in flight edge by edge: an operator of many senders has many channels, and the metadata should stay small. */
import type { InFlightEdge } from './snapshot.ts'

/** In the order in which the edges first appear. */
export function inFlightEdges(channels: readonly InFlightEdge[]): readonly InFlightEdge[] {
  const edges = new Map<string, InFlightEdge>()
  for (const channel of channels) {
    const { edge, partitioner, serializer, records, bytes } = channel
    const place = placeInFlight(channel)
    const before = edges.get(place)
    edges.set(place, {
      edge,
      partitioner,
      serializer,
      records: (before?.records ?? 0) + records,
      bytes: (before?.bytes ?? 0) + bytes,
    })
  }
  return [...edges.values()]
}

/** The same for records of one edge, dealt out and written in one way. */
export function placeInFlight({ edge, partitioner, serializer }: InFlightEdge): string {
  const { from, sideOutput = null, input, ordinal } = edge
  return JSON.stringify([from, sideOutput, input, ordinal, partitioner, serializer.id, serializer.version])
}
