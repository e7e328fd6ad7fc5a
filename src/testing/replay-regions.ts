/** Replays which vertices restart with a failed one, through the rule by which a running job finds its regions. */
import { verticesToRestart } from '#machines/failover-regions'

/** A graph, and what failed in it. */
export interface RegionTrace {
  readonly vertices: readonly string[]
  readonly edges: readonly (readonly [from: string, to: string, exchange: 'pipelined' | 'blocking'])[]
  readonly fail: string
  /** Vertices whose blocking result is no longer there. */
  readonly lost?: readonly string[] | undefined
}

/** `restart` is in the order of `vertices`. */
export function replayRegions(trace: RegionTrace): { readonly restart: readonly string[] } {
  const { vertices, edges, fail, lost = [] } = trace
  const index = (name: string) => vertices.indexOf(name)
  const topology = {
    vertices: vertices.length,
    edges: edges.map(([from, to, exchange]) => ({ from: index(from), to: index(to), exchange })),
  }
  const restarting = verticesToRestart(topology, index(fail), new Set(lost.map(index)))
  return { restart: restarting.map((vertex) => vertices[vertex] as string) }
}
