/** The graph of a job as the dashboard draws it: a node for each vertex, under the same ids. */
import type { EdgeSnapshot } from '../runtime/execution-graph-snapshot.ts'
import type { ExecutionGraphSnapshot } from '../runtime/job-handle.ts'

const SHIP_STRATEGIES: Readonly<Record<EdgeSnapshot['partitioner'], string>> = {
  forward: 'FORWARD',
  rebalance: 'REBALANCE',
  rescale: 'RESCALE',
  shuffle: 'SHUFFLE',
  broadcast: 'BROADCAST',
  global: 'GLOBAL',
  hash: 'HASH',
  custom: 'CUSTOM',
}

/** Sinks first, as Flink lists them. */
export function planOf(graph: ExecutionGraphSnapshot) {
  return {
    jid: graph.jobId,
    name: graph.jobName,
    type: 'STREAMING',
    nodes: graph.vertices.map((_, place) => nodeOf(graph, place)).reverse(),
  }
}

function nodeOf({ vertices, edges }: ExecutionGraphSnapshot, place: number) {
  const vertex = vertices[place]
  const incoming = edges.filter(({ to }) => to === place).toSorted((one, other) => one.input - other.input)
  const inputs = incoming.map(({ from, partitioner }, num) => ({
    id: vertices[from]?.id ?? '',
    num,
    exchange: 'pipelined_bounded',
    ship_strategy: SHIP_STRATEGIES[partitioner],
  }))
  return {
    id: vertex?.id ?? '',
    operator: '',
    parallelism: vertex?.parallelism ?? 0,
    operator_strategy: '',
    description: `${htmlText(vertex?.name ?? '')}<br/>`,
    optimizer_properties: {},
    ...(inputs.length === 0 ? {} : { inputs }),
  }
}

/** The dashboard reads a description as HTML: what a name holds must stay text. */
function htmlText(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
    .replaceAll('\n', '<br/>')
}
