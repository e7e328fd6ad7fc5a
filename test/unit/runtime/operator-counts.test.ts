import { describe, expect, it } from 'vitest'
import type { ChainedOperator, ChainOutput } from '../../../src/graph/job-graph.ts'
import { oneToOne } from '../../../src/operators/operator.ts'
import { operatorCounts, recordsOutOf } from '../../../src/runtime/operator-counts.ts'

const to = (index: number, sideOutput?: string): ChainOutput => ({
  to: { type: 'operator', index, input: 0 },
  sideOutput,
})
const edge = (index: number, sideOutput?: string): ChainOutput => ({ to: { type: 'edge', index }, sideOutput })

function operator(outputs: readonly ChainOutput[], given: { isMap?: boolean; isSink?: boolean } = {}): ChainedOperator {
  const create = () => ({ inputs: [] })
  return {
    ...{ operatorId: '', name: '', keyed: false, outputs },
    create: given.isMap === true ? oneToOne(create) : create,
    writesTo: given.isSink === true ? 'outside' : undefined,
  }
}
const map = (...outputs: ChainOutput[]) => operator(outputs, { isMap: true })
const some = (...outputs: ChainOutput[]) => operator(outputs)
const sink = () => operator([], { isSink: true })

/** `in/out` of each. */
function found(
  operators: readonly ChainedOperator[],
  known: { read?: number | null; emitted?: number; taken?: number; edges?: readonly number[] },
) {
  const { read = 10, emitted = 0, taken = 0, edges = [] } = known
  const counts = operatorCounts(operators, {
    fromChannels: read,
    counted: operators.map((_, index) => ({ recordsIn: taken, recordsOut: index === 0 ? emitted : 0 })),
    intoEdge: (index) => edges[index] ?? 0,
  })
  return counts.map(({ recordsIn, recordsOut }) => `${recordsIn}/${recordsOut}`)
}

describe('The records of the operators of a chain', () => {
  it('are known where they enter, and behind as many operators as give one for one', () => {
    expect(found([map(to(1)), map(to(2)), some(edge(0))], { edges: [3] })).toEqual(['10/10', '10/10', '10/3'])
  })

  it('are known where they leave, and before as many operators as give one for one', () => {
    expect(found([some(to(1)), map(to(2)), map(edge(0))], { edges: [3] })).toEqual(['10/3', '3/3', '3/3'])
    expect(found([some(to(1)), map(to(2)), sink()], { taken: 4 })).toEqual(['10/4', '4/4', '4/0'])
  })

  it('are not known between two operators that give as many as they like', () => {
    const chain = [some(to(1)), some(to(2)), some(edge(0))]
    expect(found(chain, { edges: [3] })).toEqual(['10/null', 'null/null', 'null/3'])
  })

  it('are those of the source where it counts them', () => {
    expect(found([some(to(1)), some(edge(0))], { read: null, emitted: 7, edges: [3] })).toEqual(['0/7', '7/3'])
  })

  it('are added up over the outputs of an operator, of each output once', () => {
    expect(found([some(edge(0), edge(1), edge(2, 'late'))], { edges: [5, 5, 2] })).toEqual(['10/7'])
    expect(found([some(edge(0), to(1), to(2, 'late')), some(edge(1)), map(edge(2))], { edges: [5, 1, 2] })).toEqual([
      '10/7',
      '5/1',
      '2/2',
    ])
  })

  it('are not known of an output that nobody reads, but for one that gives one for one', () => {
    expect(found([some()], {})).toEqual(['10/null'])
    expect(found([some(edge(0, 'late'))], { edges: [2] })).toEqual(['10/null'])
    expect(found([map()], {})).toEqual(['10/10'])
  })

  it('leave the vertex once, however many edges take them', () => {
    const operators = [some(edge(0), edge(1), to(1), edge(2, 'late')), map(edge(3))]
    expect(recordsOutOf(operators, (index) => [5, 5, 2, 5][index] ?? 0)).toBe(5 + 2 + 5)
  })
})
