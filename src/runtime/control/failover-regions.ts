/** Which subtasks of a job restart together: `jobmanager.execution.failover-strategy`. Pure. */
import { pipelinedRegions } from '#machines/failover-regions'
import type { JobGraph } from '../../graph/job-graph.ts'

/**
 * By place of the subtask. A region is one of vertices, so a split enumerator belongs to exactly one; all exchanges are
 * pipelined here.
 */
export function regionsOf(
  { vertices, edges }: JobGraph,
  tasks: readonly { readonly vertex: number }[],
  strategy: 'region' | 'full',
): readonly number[] {
  if (strategy === 'full') return tasks.map(() => 0)
  const regions = pipelinedRegions({
    vertices: vertices.length,
    edges: edges.map(({ from, to }) => ({ from, to, exchange: 'pipelined' })),
  })
  return tasks.map(({ vertex }) => regions[vertex] as number)
}
