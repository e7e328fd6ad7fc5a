import { describe, expect, it } from 'vitest'
import type { OperatorTransformation, Transformation } from '../../../src/graph/transformation.ts'
import { chains, exchanges, Program, partitioned, sideOutput, union } from './program.ts'

/** An operator with two inputs. */
function join(program: Program, name: string, first: Transformation, second: Transformation): OperatorTransformation {
  const operator = { ...program.operator(name, first), inputs: [first, second] }
  program.operators[program.operators.length - 1] = operator
  return operator
}

describe('An operator with two inputs', () => {
  it('begins a chain, whatever leads to it, and goes on with what follows', () => {
    const program = new Program()
    const [a, b] = [program.source('a'), program.source('b')]
    program.sink('out', join(program, 'Co-Process', a, b))
    const graph = program.graph()
    expect(chains(graph)).toEqual([['Source: a'], ['Source: b'], ['Co-Process', 'Sink: out']])
    expect(exchanges(graph)).toEqual([
      'Source: a =forward> Co-Process -> Sink: out',
      'Source: b =forward> Co-Process -> Sink: out',
    ])
    expect(graph.edges.map(({ input }) => input)).toEqual([0, 1])
  })

  it('never chains with the one operator that feeds both inputs', () => {
    const program = new Program()
    const numbers = program.operator('Map', program.source('in'))
    join(program, 'Co-Process', numbers, numbers)
    const graph = program.graph()
    expect(chains(graph)).toEqual([['Source: in', 'Map'], ['Co-Process']])
    expect(graph.edges.map(({ from, to, input }) => [from, to, input])).toEqual([
      [0, 1, 0],
      [0, 1, 1],
    ])
  })

  it('never chains where one of two ways from the same operator is forward and the other is not', () => {
    for (const type of ['broadcast', 'rebalance', 'global'] as const) {
      const program = new Program()
      const source = program.source('in')
      join(program, 'one', source, partitioned(source, { type }))
      join(program, 'other', partitioned(source, { type }), source)
      const graph = program.graph()
      expect(chains(graph)).toEqual([['Source: in'], ['one'], ['other']])
      expect(graph.edges.map(({ input, partitioner }) => [input, partitioner.type]).toSorted()).toEqual(
        [
          [0, 'forward'],
          [0, type],
          [1, 'forward'],
          [1, type],
        ].toSorted(),
      )
    }
  })

  it('reads a main output and a side output of one operator, each by its input', () => {
    const program = new Program()
    const split = program.operator('Process', program.source('in'))
    join(program, 'Co-Process', split, sideOutput(split, 'rest'))
    const graph = program.graph()
    expect(chains(graph)).toEqual([['Source: in', 'Process'], ['Co-Process']])
    const outputs = graph.vertices[0]?.operators[1]?.outputs
    expect(
      outputs?.map(({ sideOutput: tag, to }) => [tag, to.type === 'edge' && graph.edges[to.index]?.input]),
    ).toEqual([
      [undefined, 0],
      ['rest', 1],
    ])
  })

  it('takes a union into either input', () => {
    const program = new Program()
    const [a, b, c] = [program.source('a'), program.source('b'), program.source('c')]
    join(program, 'Co-Process', a, union(b, c))
    expect(program.graph().edges.map(({ from, input }) => [from, input])).toEqual([
      [0, 0],
      [1, 1],
      [2, 1],
    ])
  })

  it('has another id when its inputs are exchanged', () => {
    const idOf = (swapped: boolean) => {
      const program = new Program()
      const [a, b] = [program.source('a'), program.source('b')]
      join(program, 'Co-Process', swapped ? b : a, swapped ? a : b)
      return program.graph().vertices[2]?.id
    }
    expect(idOf(false)).not.toBe(idOf(true))
  })
})
