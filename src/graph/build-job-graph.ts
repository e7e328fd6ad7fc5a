/** Chains operators and lays the stream graph out as a job graph. Deterministic, without effects. */
import { createHash } from 'node:crypto'
import type { ChainedOperator, ChainOutput, JobEdge, JobGraph, JobVertex } from './job-graph.ts'
import { buildStreamGraph, type StreamEdge, type StreamNode } from './stream-graph.ts'
import type { GraphOptions, OperatorTransformation } from './transformation.ts'

/**
 * `operators`: all of a program, in order of declaration.
 * Throws EMPTY_JOB, FOREIGN_STREAM, DUPLICATE_UID, UNEQUAL_PARALLELISM or PARALLELISM_ABOVE_MAXIMUM.
 */
export function buildJobGraph(operators: readonly OperatorTransformation[], options: GraphOptions): JobGraph {
  const { nodes } = buildStreamGraph(operators, options)
  const chains = chainsOf(nodes, options)
  const edges: JobEdge[] = []
  const vertices = chains.map((chain, from): JobVertex => {
    const head = chain[0] as StreamNode
    const { parallelism } = head.operator.settings
    const outputOf = (edge: StreamEdge): ChainOutput => {
      const index = chain.findIndex((node) => node.operator === edge.toOperator)
      if (index >= 0) return { to: { type: 'operator', index, input: edge.input }, sideOutput: edge.sideOutput }
      edges.push(jobEdge(edge, from, chains))
      return { to: { type: 'edge', index: edges.length - 1 }, sideOutput: edge.sideOutput }
    }
    const chained = chain.map(
      (node): ChainedOperator => ({
        operatorId: node.operatorId,
        uid: node.operator.settings.uid,
        name: node.name,
        create: node.operator.factory(options),
        keyed: node.operator.keyed,
        writesTo: node.operator.writesTo,
        outputs: node.outEdges.map(outputOf),
      }),
    )
    return {
      id: head.operatorId,
      name: chainName(head, chain),
      parallelism,
      maxParallelism: head.maxParallelism,
      maxParallelismIsSet: (head.operator.settings.maxParallelism ?? options.maxParallelism) !== undefined,
      operators: chained,
      source: head.operator.source,
    }
  })
  return { vertices, edges, hash: hashOf(vertices, edges) }
}

/** Each chain in topological order; chains in order of their heads, which is topological too: exchanges lead to heads only. */
function chainsOf(nodes: readonly StreamNode[], options: GraphOptions): readonly (readonly StreamNode[])[] {
  const chains: StreamNode[][] = []
  const chainOf = new Map<StreamNode, StreamNode[]>()
  for (const node of nodes) {
    const [only, ...others] = node.inEdges
    const upstream = only === undefined || others.length > 0 ? undefined : chainOf.get(only.from)
    if (
      options.chaining &&
      only !== undefined &&
      upstream !== undefined &&
      isChainable(only, node, upstream[0] as StreamNode)
    ) {
      upstream.push(node)
      chainOf.set(node, upstream)
    } else {
      const chain = [node]
      chains.push(chain)
      chainOf.set(node, chain)
    }
  }
  return chains
}

/** Flink's rules; and since a chain has one max parallelism, whoever sets another one stands apart. */
function isChainable(edge: StreamEdge, node: StreamNode, head: StreamNode): boolean {
  const upper = edge.from.operator.settings
  const lower = node.operator.settings
  return (
    edge.partitioner.type === 'forward' &&
    upper.parallelism === lower.parallelism &&
    upper.chaining !== 'never' &&
    lower.chaining === 'always' &&
    (lower.maxParallelism === undefined || lower.maxParallelism === head.maxParallelism)
  )
}

function jobEdge(edge: StreamEdge, from: number, chains: readonly (readonly StreamNode[])[]): JobEdge {
  const to = chains.findIndex((chain) => chain[0]?.operator === edge.toOperator)
  const serializer = edge.sideOutput === undefined ? edge.from.operator.settings.serializer : undefined
  return { from, to, input: edge.input, partitioner: edge.partitioner, serializer }
}

/** Flink's: `a -> b`, and `a -> (b, c -> d)` where the chain forks. */
function chainName(node: StreamNode, chain: readonly StreamNode[]): string {
  const next = node.outEdges.flatMap((edge) => chain.filter((other) => other.operator === edge.toOperator))
  if (next.length === 0) return node.name
  const names = next.map((other) => chainName(other, chain))
  return next.length === 1 ? `${node.name} -> ${names[0]}` : `${node.name} -> (${names.join(', ')})`
}

function hashOf(vertices: readonly JobVertex[], edges: readonly JobEdge[]): string {
  const plain = {
    vertices: vertices.map(({ operators, source, ...vertex }) => ({
      ...vertex,
      operators: operators.map(({ create: _closure, writesTo: _object, ...operator }) => operator),
      boundedness: source?.boundedness,
    })),
    edges: edges.map(({ from, to, input, partitioner, serializer }) => ({
      from,
      to,
      input,
      partitioner: partitioner.type,
      serializer: serializer && { id: serializer.id, version: serializer.version },
    })),
  }
  return createHash('sha256').update(JSON.stringify(plain), 'utf8').digest('hex')
}
