import { describe, expect, it } from 'vitest'
import { chains, exchanges, Program, partitioned, sideOutput, union, vertexOf } from './program.ts'

describe('chaining', () => {
  it('puts a source, its operators and the sink into one chain when every stream is forward', () => {
    const program = new Program()
    program.sink('out', program.operator('Map', program.source('in')))
    const graph = program.graph()
    expect(chains(graph)).toEqual([['Source: in', 'Map', 'Sink: out']])
    expect(graph.edges).toEqual([])
  })

  it('breaks at a keyBy', () => {
    const program = new Program()
    const words = program.operator('Flat Map', program.source('lines'))
    program.sink('counts', program.keyedOperator('Keyed Reduce', words))
    const graph = program.graph()
    expect(chains(graph)).toEqual([
      ['Source: lines', 'Flat Map'],
      ['Keyed Reduce', 'Sink: counts'],
    ])
    expect(exchanges(graph)).toEqual(['Source: lines -> Flat Map =hash> Keyed Reduce -> Sink: counts'])
    expect(vertexOf(graph, 'Keyed Reduce').operators.map(({ keyed }) => keyed)).toEqual([true, false])
  })

  it.each(['rebalance', 'rescale', 'shuffle', 'broadcast', 'global'] as const)('breaks at %s', (type) => {
    const program = new Program()
    program.operator('Map', partitioned(program.source('in'), { type }))
    expect(exchanges(program.graph())).toEqual([`Source: in =${type}> Map`])
  })

  it('breaks where the parallelism changes, and rebalances there', () => {
    const program = new Program()
    program.operator('Map', program.source('in'), { parallelism: 2 })
    expect(exchanges(program.graph())).toEqual(['Source: in =rebalance> Map'])
  })

  it('breaks before a union, whose streams are forward into one input', () => {
    const program = new Program()
    const [a, b] = [program.source('a'), program.source('b')]
    program.sink('out', program.operator('Map', union(a, b)))
    const graph = program.graph()
    expect(exchanges(graph)).toEqual(['Source: a =forward> Map -> Sink: out', 'Source: b =forward> Map -> Sink: out'])
    expect(graph.edges.map(({ input }) => input)).toEqual([0, 0])
  })

  it('starts a chain where the program says so', () => {
    const program = new Program()
    program.sink('out', program.operator('Map', program.source('in'), { chaining: 'head' }))
    expect(chains(program.graph())).toEqual([['Source: in'], ['Map', 'Sink: out']])
  })

  it('leaves an operator alone for which chaining is disabled', () => {
    const program = new Program()
    program.sink('out', program.operator('Map', program.source('in'), { chaining: 'never' }))
    expect(chains(program.graph())).toEqual([['Source: in'], ['Map'], ['Sink: out']])
  })

  it('chains nothing when the configuration disables it', () => {
    const program = new Program()
    program.sink('out', program.operator('Map', program.source('in')))
    expect(chains(program.graph({ chaining: false }))).toEqual([['Source: in'], ['Map'], ['Sink: out']])
  })

  it('lets a chain fork, and names it as Flink does', () => {
    const program = new Program()
    const source = program.source('in')
    program.sink('one', program.operator('Map', source))
    program.sink('two', source)
    const [vertex] = program.graph().vertices
    expect(vertex?.name).toBe('Source: in -> (Map -> Sink: one, Sink: two)')
    expect(vertex?.operators.map(({ outputs }) => outputs.map(({ to }) => to.index))).toEqual([[1, 3], [2], [], []])
  })

  it('chains a side output as well, under the name of its tag', () => {
    const program = new Program()
    const process = program.operator('Process', program.source('in'))
    program.sink('late', sideOutput(process, 'late-data'))
    const [vertex] = program.graph().vertices
    expect(vertex?.operators[1]?.outputs).toEqual([
      { to: { type: 'operator', index: 2, input: 0 }, sideOutput: 'late-data' },
    ])
  })

  it('does not chain an operator with a max parallelism of its own', () => {
    const program = new Program()
    const map = program.operator('Map', program.source('in'), { maxParallelism: 64 })
    program.sink('out', map)
    const graph = program.graph()
    expect(chains(graph)).toEqual([['Source: in'], ['Map', 'Sink: out']])
    expect(graph.vertices.map(({ maxParallelism }) => maxParallelism)).toEqual([128, 64])
  })
})
