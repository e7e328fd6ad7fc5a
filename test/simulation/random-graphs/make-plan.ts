/**
 * Makes a legal plan of what was drawn: numbers become streams that are there, and an operation that would depend on luck
 * where it stands becomes one that does not. Plans stay small: a node that would bring too many rows is left out.
 */
import type { Draw, NodeDraw } from './draws.ts'
import { makeLives } from './make-lives.ts'
import { nodeStreams, sourceStream } from './oracle.ts'
import type { Stamped } from './oracle-of-keys.ts'
import type { Input, NodePlan, Operation, Partitioner, Plan, SettingsPlan, SinkPlan, SourcePlan } from './plan.ts'
import { nodeFacts, type StreamFacts, sourceFacts } from './stream-facts.ts'

const MOST_ROWS_OF_A_STREAM = 250
const MOST_ROWS = 1500

/** `followed`: one of the sources never ends, so that nothing may wait for the end of time. */
export type Length = 'bounded' | 'followed'

export function makePlan(drawn: Draw, length: Length = 'bounded'): Plan {
  const isEndless = length === 'followed'
  const all = drawn.rescales ? drawn : withoutRescaling(drawn)
  const draw = isEndless ? endless(all) : all
  const { mode, alignedTimeoutMs, hurries, slowMs } = draw.overtaking
  const isOvertaking = mode !== 'aligned'
  const dealsAgain = isOvertaking && draw.rescales
  const sources = draw.sources.map((drawnSource, index): SourcePlan => {
    const given = isOvertaking && hurries ? { ...drawnSource, paceMs: 0 } : drawnSource
    const source = isEndless && (index === 0 || isFile(given.kind)) ? { ...given, kind: 'followed' as const } : given
    const isOne = source.kind === 'data' || source.kind === 'sequence' || source.kind === 'generator'
    // A sequence without a number is refused.
    const splits = isOne
      ? source.splits.slice(0, 1).map((rows) => Math.max(source.kind === 'sequence' ? 1 : 0, rows))
      : source.splits
    const parallelism = source.kind === 'data' ? [1] : source.parallelism
    return { ...source, index: index + 1, parallelism, splits }
  })
  const streams = sources.map(sourceStream)
  const facts = sources.map(sourceFacts)
  const nodes: NodePlan[] = []
  const read = new Set<number>()
  let rows = streams.reduce((sum, { length }) => sum + length, 0)
  for (const [index, drawn] of draw.nodes.entries()) {
    const node = makeNode(drawn, { salt: index + 1, facts, streams, dealsAgain })
    const outputs = nodeStreams(node, streams)
    const brought = outputs.reduce((sum, { length }) => sum + length, 0)
    if (brought > MOST_ROWS_OF_A_STREAM || rows + brought > MOST_ROWS) continue
    rows += brought
    nodes.push({ ...node, outputs: outputs.map((_, nth) => streams.length + nth) })
    facts.push(
      ...nodeFacts(
        node,
        node.inputs.map(({ stream }) => facts[stream] as StreamFacts),
      ),
    )
    streams.push(...outputs)
    for (const { stream } of node.inputs) read.add(stream)
  }
  const leaves = streams.map((_, stream) => stream).filter((stream) => !read.has(stream))
  const readByProgram = draw.reads ? leaves.pop() : undefined
  const more = draw.sinks
    .slice(0, draw.extraSinks)
    .map(({ input }) => streams.length - 1 - (input.back % streams.length))
  const sinks = [...leaves, ...more].map((stream, nth) => ({
    ...makeSink(draw.sinks[nth % draw.sinks.length] as SinkDraw, {
      stream,
      isDirect: facts[stream]?.direct === true,
      dealsAgain,
    }),
    slowMs: isOvertaking ? LEAST_SLOW_MS + (slowMs[nth % slowMs.length] ?? 0) : 0,
  }))
  return {
    sources,
    nodes,
    sinks,
    read: readByProgram,
    settings: { ...draw.settings, mode, alignedTimeoutMs, ...(isOvertaking ? overtaking(draw) : {}) },
    lives: makeLives(draw.lives, { handsOn: dealsAgain, isEndless }),
  }
}

/** Of a write, and between checkpoints: records still wait when a barrier comes. */
const LEAST_SLOW_MS = 2
const MOST_INTERVAL_MS = 30

function overtaking({
  settings,
  overtaking: { credit },
}: Draw): Pick<SettingsPlan, 'concurrent' | 'credit' | 'intervalMs'> {
  return { concurrent: 1, credit, intervalMs: Math.min(settings.intervalMs, MOST_INTERVAL_MS) }
}

const isFile = (kind: SourcePlan['kind']) => kind === 'lines' || kind === 'json' || kind === 'csv'

/** Nothing that answers at the end of time, or when all has come. */
function endless(draw: Draw): Draw {
  return { ...draw, nodes: draw.nodes.map((node) => ({ ...node, operation: answeringAtOnce(node.operation) })) }
}

function answeringAtOnce(operation: Operation): Operation {
  switch (operation.type) {
    case 'window':
    case 'clockTimers':
      return { type: 'keyed', key: operation.key, state: 'value', emit: 'running', ttl: false }
    case 'keyed':
    case 'keyedCo':
      return { ...operation, emit: 'running' }
    case 'buffer':
    case 'counted':
      return { type: 'chain' }
    case 'keyedBroadcast':
      return { type: 'broadcastState' }
    default:
      return operation
  }
}

/** Every process as parallel as the first. */
function withoutRescaling(draw: Draw): Draw {
  const fixed = <T extends { readonly parallelism: readonly number[] }>(parts: readonly T[]) =>
    parts.map((part) => ({ ...part, parallelism: part.parallelism.slice(0, 1) }))
  return { ...draw, sources: fixed(draw.sources), nodes: fixed(draw.nodes), sinks: fixed(draw.sinks) }
}

interface Place {
  readonly salt: number
  readonly facts: readonly StreamFacts[]
  readonly streams: readonly (readonly Stamped[])[]
  /** Records in flight come to another number of subtasks. */
  readonly dealsAgain: boolean
}

function makeNode(
  { operation: drawn, inputs: drawnInputs, parallelism, maxParallelism, chaining }: NodeDraw,
  { salt, facts, streams, dealsAgain }: Place,
): NodePlan {
  const count = inputsOf(drawn, drawnInputs.length)
  const read = drawnInputs.slice(0, count).map(({ back }) => streams.length - 1 - (back % streams.length))
  const first = facts[read[0] as number] as StreamFacts
  const operation = fitting(drawn, first)
  const isBound = dealsAgain && isBoundToSubtasks(operation)
  const isForward = count === 1 && first.direct && drawnInputs[0]?.partitioner === 'forward' && !isBound
  const inputs = drawnInputs.slice(0, count).map(({ partitioner }, nth): Input => {
    const stream = read[nth] as number
    if (isForward) return { stream, partitioner: 'forward' }
    const isRefused =
      partitioner === 'forward' ||
      (partitioner === 'broadcast' && cannotMultiply(operation)) ||
      // Whom a union is read by is not known, and only a custom partitioner knows what it would choose.
      (dealsAgain && (partitioner === 'none' || (operation.type === 'union' && isCustom(partitioner))))
    return { stream, partitioner: isRefused ? 'rebalance' : partitioner }
  })
  const multiplies = inputs.some(({ partitioner }) => partitioner === 'broadcast')
  const isCounted = dealsAgain && inputs.some(({ partitioner }) => isCustom(partitioner))
  return {
    salt,
    operation,
    inputs,
    // Each process would multiply by another number.
    parallelism: isForward ? 'as input' : multiplies || isCounted || isBound ? parallelism.slice(0, 1) : parallelism,
    maxParallelism,
    chaining,
    outputs: [],
  }
}

const isCustom = (partitioner: Partitioner) => partitioner === 'custom' || partitioner === 'customKey'

/**
 * What is broadcast may be in flight to one subtask while another has done something about it: their states and what is in
 * flight stay together, but nobody else may take their places.
 */
function isBoundToSubtasks({ type }: Operation): boolean {
  return ['buffer', 'counted', 'broadcastState', 'keyedBroadcast'].includes(type)
}

function inputsOf({ type }: Operation, most: number): number {
  if (type === 'union') return most
  const two: readonly Operation['type'][] = [
    'coMap',
    'coFlatMap',
    'coProcess',
    'keyedCo',
    'broadcastState',
    'keyedBroadcast',
  ]
  return two.includes(type) ? 2 : 1
}

/** Their edges are given another partitioner behind this one, or are broadcast anyway. */
function cannotMultiply({ type }: Operation): boolean {
  const single: readonly Operation['type'][] = [
    'map',
    'flatMap',
    'filter',
    'side',
    'assign',
    'coMap',
    'coFlatMap',
    'coProcess',
  ]
  return !single.includes(type)
}

function fitting(operation: Operation, { ordered, single, stamped, onTime }: StreamFacts): Operation {
  switch (operation.type) {
    case 'window':
      return onTime && stamped ? operation : { ...operation, type: 'clockTimers', delayMs: operation.sizeMs }
    case 'chain':
      return ordered !== undefined
        ? operation
        : { type: 'keyed', key: 'tuple', state: 'map', emit: 'running', ttl: false }
    case 'side':
      return stamped ? operation : { type: 'map' }
    case 'assign':
      return operation.strategy === 'bounded' && !single ? { type: 'assign', strategy: 'farBehind' } : operation
    default:
      return operation
  }
}

type SinkDraw = Draw['sinks'][number]

interface SinkPlace {
  readonly stream: number
  readonly isDirect: boolean
  readonly dealsAgain: boolean
}

function makeSink(drawn: SinkDraw, { stream, isDirect, dealsAgain }: SinkPlace): Omit<SinkPlan, 'slowMs'> {
  const given = drawn.input.partitioner
  const legal = given === 'broadcast' || (given === 'forward' && !isDirect) ? 'none' : given
  if (!dealsAgain) return { ...drawn, input: { stream, partitioner: legal } }
  // An edge that chains in one process only is not the same in another one.
  const partitioner = legal === 'none' ? 'rebalance' : legal
  const parallelism = isCustom(partitioner) ? drawn.parallelism.slice(0, 1) : drawn.parallelism
  return { ...drawn, parallelism, input: { stream, partitioner } }
}
