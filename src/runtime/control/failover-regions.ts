/** Which subtasks of a job restart together: `jobmanager.execution.failover-strategy`. Pure. */
import { pipelinedRegions } from '#machines/failover-regions'
import type { JobGraph } from '../../graph/job-graph.ts'

/**
 * By place of the subtask. A region is one of vertices, so a split enumerator belongs to exactly one; all exchanges are
 * pipelined here. Vertices that write to the same place are of one region, too: a sink takes what it finds there of an older
 * attempt for that of a dead one.
 */
export function regionsOf(
  { vertices, edges }: JobGraph,
  tasks: readonly { readonly vertex: number }[],
  strategy: 'region' | 'full',
): readonly number[] {
  if (strategy === 'full') return tasks.map(() => 0)
  const joined = [...edges, ...meetings(vertices)]
  const regions = pipelinedRegions({
    vertices: vertices.length,
    edges: joined.map(({ from, to }) => ({ from, to, exchange: 'pipelined' })),
  })
  return tasks.map(({ vertex }) => regions[vertex] as number)
}

/** From the first vertex that writes to a place to each other one that does. */
function meetings(vertices: JobGraph['vertices']): readonly { readonly from: number; readonly to: number }[] {
  const first = new Map<unknown, number>()
  return vertices.flatMap(({ operators }, vertex) =>
    operators.flatMap(({ writesTo }) => {
      if (writesTo === undefined) return []
      const from = first.get(writesTo) ?? vertex
      first.set(writesTo, from)
      return from === vertex ? [] : [{ from, to: vertex }]
    }),
  )
}
