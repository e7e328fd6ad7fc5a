/**
 * How many records each operator of a chain took and gave, found from what is known at the ends of the chain: nothing is
 * counted between two operators. Pure.
 */
import type { ChainedOperator } from '../graph/job-graph.ts'

export interface KnownCounts {
  /** What the head took from its channels; null: it is a source. */
  readonly fromChannels: number | null
  /** By operator, what it counts itself: a source what it gives to its main output, a sink what it takes. */
  readonly counted: readonly { readonly recordsIn: number; readonly recordsOut: number }[]
  /** Written into the edge of this index. */
  intoEdge(edge: number): number
}

/** Null: nobody knows. */
export interface OperatorCounts {
  readonly recordsIn: number | null
  readonly recordsOut: number | null
}

/** The main output of an operator, or one of its side outputs. All that read it get the same records. */
interface Output {
  readonly isMain: boolean
  readonly edges: readonly number[]
  /** Of the same chain. */
  readonly operators: readonly number[]
  given: number | null
}

interface Flow {
  readonly oneToOne: boolean
  readonly outputs: readonly Output[]
  taken: number | null
}

/** From head to tail. */
export function operatorCounts(operators: readonly ChainedOperator[], known: KnownCounts): readonly OperatorCounts[] {
  const flows = operators.map((operator, index) => flowOf(operator, index, known))
  // What one operator knows its neighbour may know in the next round.
  for (const _ of flows) for (const flow of flows) exchange(flow, flows)
  return flows.map(({ taken, outputs }, index) => ({
    recordsIn: taken,
    recordsOut: isSink(operators[index]) ? 0 : total(outputs.map(({ given }) => given)),
  }))
}

/**
 * What leaves a vertex, as Flink counts it: each record of each operator once, however many edges and channels take it out
 * of the chain.
 */
export function recordsOutOf(operators: readonly ChainedOperator[], intoEdge: (edge: number) => number): number {
  return operators
    .flatMap(outputsOf)
    .reduce((sum, { edges: [edge] }) => sum + (edge === undefined ? 0 : intoEdge(edge)), 0)
}

function flowOf(operator: ChainedOperator, index: number, { fromChannels, counted, intoEdge }: KnownCounts): Flow {
  const isSource = index === 0 && fromChannels === null
  const outputs = outputsOf(operator)
  for (const output of outputs) {
    const edge = output.edges[0]
    if (isSource && output.isMain) output.given = counted[0]?.recordsOut ?? 0
    else if (edge !== undefined) output.given = intoEdge(edge)
  }
  const taken = isSink(operator) ? (counted[index]?.recordsIn ?? 0) : index === 0 ? (fromChannels ?? 0) : null
  return { oneToOne: operator.create.oneToOne === true, outputs, taken }
}

function exchange(flow: Flow, flows: readonly Flow[]): void {
  for (const output of flow.outputs) {
    const readers = output.operators.map((operator) => flows[operator] as Flow)
    output.given ??= readers.find(({ taken }) => taken !== null)?.taken ?? null
    if (flow.oneToOne && output.isMain) {
      flow.taken ??= output.given
      output.given ??= flow.taken
    }
    for (const reader of readers) reader.taken ??= output.given
  }
}

/** The main output stands among them also where nobody reads it. */
function outputsOf({ outputs }: ChainedOperator): readonly Output[] {
  const ids = [...new Set([undefined, ...outputs.map(({ sideOutput }) => sideOutput)])]
  return ids.map((id) => {
    const targets = outputs.filter(({ sideOutput }) => sideOutput === id).map(({ to }) => to)
    const indices = (type: 'edge' | 'operator') => targets.filter((to) => to.type === type).map(({ index }) => index)
    return { isMain: id === undefined, edges: indices('edge'), operators: indices('operator'), given: null }
  })
}

function isSink(operator: ChainedOperator | undefined): boolean {
  return operator?.writesTo !== undefined
}

function total(counts: readonly (number | null)[]): number | null {
  return counts.reduce<number | null>((sum, count) => (sum === null || count === null ? null : sum + count), 0)
}
