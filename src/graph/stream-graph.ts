/**
 * Resolves what was recorded to operators and the streams between them: virtual nodes disappear, ids, partitioners and
 * parallelism are settled and checked. It does not chain.
 */
import { StreamError } from '../base/errors.ts'
import { defaultMaxParallelism } from '../state/key-groups.ts'
import type { Partitioner } from './job-graph.ts'
import { operatorIdOfUid, TopologyIds } from './operator-ids.ts'
import type { GraphOptions, OperatorTransformation, Transformation } from './transformation.ts'

export interface StreamGraph {
  /** In order of declaration, which is topological: a stream leads to a later node. */
  readonly nodes: readonly StreamNode[]
}

export interface StreamNode {
  readonly operator: OperatorTransformation
  readonly operatorId: string
  /** With the prefix that tells sources and sinks. */
  readonly name: string
  readonly maxParallelism: number
  readonly inEdges: readonly StreamEdge[]
  /** Filled while later nodes are added, in their order. */
  readonly outEdges: StreamEdge[]
}

export interface StreamEdge {
  readonly from: StreamNode
  readonly toOperator: OperatorTransformation
  readonly input: number
  readonly sideOutput: string | undefined
  readonly partitioner: Partitioner
}

/** Throws a StreamError for a program that cannot be run: see the codes below. */
export function buildStreamGraph(operators: readonly OperatorTransformation[], options: GraphOptions): StreamGraph {
  if (operators.length === 0)
    throw new StreamError('EMPTY_JOB', {
      message: 'There is nothing to run: no source was added to this environment since it was made or last executed.',
      hint: 'Start with fromSource, fromData or fromSequence, and call execute once per job.',
    })
  const nodes = new Map<OperatorTransformation, StreamNode>()
  const ids = new TopologyIds()
  for (const operator of operators) {
    const inEdges = operator.inputs.flatMap((stream, input) =>
      feedsOf(stream).map((feed) => edge(nodeOf(nodes, feed.operator, operator), operator, input, feed)),
    )
    const placeId = ids.next(
      inEdges.map((e) => ({ input: e.input, operatorId: e.from.operatorId, sideOutput: e.sideOutput })),
    )
    const { uid, parallelism, maxParallelism } = operator.settings
    const node: StreamNode = {
      operator,
      operatorId: uid === undefined ? placeId : operatorIdOfUid(uid),
      name: displayName(operator),
      maxParallelism: maxParallelism ?? options.maxParallelism ?? defaultMaxParallelism(parallelism),
      inEdges,
      outEdges: [],
    }
    refuseTooParallel(node)
    for (const e of inEdges) e.from.outEdges.push(e)
    nodes.set(operator, node)
  }
  refuseSameUid([...nodes.values()])
  return { nodes: [...nodes.values()] }
}

interface StreamFeed {
  readonly operator: OperatorTransformation
  readonly sideOutput: string | undefined
  readonly partitioner: Partitioner | undefined
}

/** The operators behind a stream. Of several partitionings the one nearest to the consumer counts. */
function feedsOf(stream: Transformation): readonly StreamFeed[] {
  switch (stream.kind) {
    case 'operator':
      return [{ operator: stream, sideOutput: undefined, partitioner: undefined }]
    case 'sideOutput':
      return [{ operator: stream.input, sideOutput: stream.tag, partitioner: undefined }]
    case 'union':
      return stream.inputs.flatMap(feedsOf)
    case 'partition':
      return feedsOf(stream.input).map((feed) => ({ ...feed, partitioner: stream.partitioner }))
  }
}

/** Without a partitioner: forward where both sides are equally parallel, else rebalance. */
function edge(from: StreamNode, to: OperatorTransformation, input: number, feed: StreamFeed): StreamEdge {
  const equal = from.operator.settings.parallelism === to.settings.parallelism
  const partitioner: Partitioner = feed.partitioner ?? { type: equal ? 'forward' : 'rebalance' }
  if (partitioner.type === 'forward' && !equal)
    throw new StreamError('UNEQUAL_PARALLELISM', {
      message: `forward() from "${from.name}" (parallelism ${from.operator.settings.parallelism}) to "${displayName(to)}" (parallelism ${to.settings.parallelism}): both sides must have the same parallelism.`,
      hint: 'Give both operators the same parallelism, or use rebalance() or rescale().',
      details: { from: from.name, to: displayName(to) },
    })
  return { from, toOperator: to, input, sideOutput: feed.sideOutput, partitioner }
}

function nodeOf(
  nodes: ReadonlyMap<OperatorTransformation, StreamNode>,
  operator: OperatorTransformation,
  consumer: OperatorTransformation,
): StreamNode {
  const node = nodes.get(operator)
  if (node === undefined)
    throw new StreamError('FOREIGN_STREAM', {
      message: `"${displayName(consumer)}" reads the stream of "${displayName(operator)}", which does not belong to this job.`,
      hint: 'All streams of a job come from one environment, and are made anew after execute: it leaves the environment empty.',
    })
  return node
}

function displayName(operator: OperatorTransformation): string {
  const { name } = operator.settings
  return operator.role === 'source' ? `Source: ${name}` : operator.role === 'sink' ? `Sink: ${name}` : name
}

function refuseTooParallel(node: StreamNode): void {
  const { parallelism } = node.operator.settings
  if (parallelism > node.maxParallelism)
    throw new StreamError('PARALLELISM_ABOVE_MAXIMUM', {
      message: `"${node.name}" has parallelism ${parallelism}, but its max parallelism is ${node.maxParallelism}.`,
      hint: 'Lower the parallelism, or raise the max parallelism. The latter cannot be changed for a job with state.',
      details: { operator: node.name, parallelism, maxParallelism: node.maxParallelism },
    })
}

function refuseSameUid(nodes: readonly StreamNode[]): void {
  const taken = new Map<string, StreamNode>()
  for (const node of nodes) {
    const { uid } = node.operator.settings
    const other = taken.get(node.operatorId)
    if (other !== undefined)
      throw new StreamError('DUPLICATE_UID', {
        message: `"${other.name}" and "${node.name}" have the same uid "${uid}".`,
        hint: 'State is found again by uid: give every operator one of its own.',
        details: { uid, operators: [other.name, node.name] },
      })
    taken.set(node.operatorId, node)
  }
}
