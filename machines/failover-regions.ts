/**
 * Which vertices start again with one that has failed: Flink's pipelined regions. Vertices that are joined by pipelined
 * edges, in whatever direction, live and die together. Pure.
 */
interface FailoverTopology {
  /** How many there are; edges name them by index. */
  readonly vertices: number
  readonly edges: readonly FailoverEdge[]
}

interface FailoverEdge {
  readonly from: number
  readonly to: number
  /** `blocking`: what the producer wrote is kept as a whole, so that a consumer can start again without it. */
  readonly exchange: 'pipelined' | 'blocking'
}

/** By vertex the number of its region: the lowest index of a vertex in it. */
export function pipelinedRegions({ vertices, edges }: FailoverTopology): readonly number[] {
  let regions = Array.from({ length: vertices }, (_, vertex) => vertex)
  for (const { from, to, exchange } of edges) {
    if (exchange !== 'pipelined') continue
    const [one, other] = [regions[from] as number, regions[to] as number]
    regions = regions.map((region) => (region === one || region === other ? Math.min(one, other) : region))
  }
  return regions
}

/**
 * The failed vertex's region; with each region that restarts also the producers whose kept result it reads and that is
 * lost, and all its consumers, whether they have finished or not: what they have read may come out otherwise. `lost`: vertices
 * whose kept result is gone.
 */
export function verticesToRestart(
  topology: FailoverTopology,
  failed: number,
  lost: ReadonlySet<number>,
): readonly number[] {
  const regions = pipelinedRegions(topology)
  const regionOf = (vertex: number) => regions[vertex] as number
  const restarting = new Set([regionOf(failed)])
  // A set is walked together with what is added to it meanwhile.
  for (const region of restarting)
    for (const { from, to } of topology.edges) {
      if (regionOf(to) === region && lost.has(from)) restarting.add(regionOf(from))
      if (regionOf(from) === region) restarting.add(regionOf(to))
    }
  return regions.flatMap((region, vertex) => (restarting.has(region) ? [vertex] : []))
}
