/** The operators of a graph one by one, each with the chain that it stands in. */
import type { ChainedOperator, JobGraph, JobVertex } from '../graph/job-graph.ts'

export interface PlacedOperator {
  readonly vertex: JobVertex
  /** Place of the vertex in the graph. */
  readonly program: number
  readonly operator: ChainedOperator
  /** Place of the operator in its chain. */
  readonly index: number
}

/** In the order of the graph. */
export function operatorsOf(graph: JobGraph): readonly PlacedOperator[] {
  return graph.vertices.flatMap((vertex, program) =>
    vertex.operators.map((operator, index) => ({ vertex, program, operator, index })),
  )
}
