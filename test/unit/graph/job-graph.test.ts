import { describe, expect, it } from 'vitest'
import type { StreamError } from '../../../src/base/errors.ts'
import { operatorIdOfUid } from '../../../src/graph/operator-ids.ts'
import { exchanges, operatorIdOf, Program, partitioned, union, vertexOf } from './program.ts'

function thrownBy(act: () => unknown): StreamError {
  try {
    act()
  } catch (thrown) {
    return thrown as StreamError
  }
  throw new RangeError('nothing was thrown')
}

describe('operator ids', () => {
  it('are 32 hexadecimal digits that depend on the uid alone', () => {
    const one = new Program()
    one.operator('Map', one.source('in', { uid: 'lines' }))
    const other = new Program()
    other.source('elsewhere')
    other.source('renamed', { uid: 'lines', parallelism: 3 })
    const id = operatorIdOf(one.graph(), 'Source: in')
    expect(id).toMatch(/^[0-9a-f]{32}$/)
    expect(id).toBe(operatorIdOfUid('lines'))
    expect(operatorIdOf(other.graph(), 'Source: renamed')).toBe(id)
  })

  it('stay what they are from release to release', () => {
    expect(operatorIdOfUid('counts')).toBe('2ea4acc861c753bc925a611e314a3b0c')
  })

  it('without a uid come from the place in the topology: the same program gives the same ids, all different', () => {
    const build = () => {
      const program = new Program()
      const source = program.source('in')
      program.operator('a', source)
      program.operator('b', source)
      program.operator('c', union(source, program.source('in')))
      return program.graph().vertices.flatMap(({ operators }) => operators.map(({ operatorId }) => operatorId))
    }
    expect(build()).toEqual(build())
    expect(new Set(build()).size).toBe(5)
  })

  it('without a uid are not moved by a branch that is added behind, nor by names and parallelism', () => {
    const small = new Program()
    small.operator('count', small.source('in'))
    const grown = new Program()
    const source = grown.source('other name', { parallelism: 2 })
    grown.operator('count', source)
    grown.operator('more', source)
    grown.source('second')
    expect(operatorIdOf(grown.graph(), 'count')).toBe(operatorIdOf(small.graph(), 'count'))
  })

  it('without a uid are moved by what stands upstream', () => {
    const one = new Program()
    one.operator('count', one.source('in'))
    const other = new Program()
    other.operator('count', other.operator('inserted', other.source('in')))
    expect(operatorIdOf(other.graph(), 'count')).not.toBe(operatorIdOf(one.graph(), 'count'))
  })

  it('refuse two operators of one uid, naming both', () => {
    const program = new Program()
    program.operator('second', program.source('first', { uid: 'twice' }), { uid: 'twice' })
    const error = thrownBy(() => program.graph())
    expect(error.code).toBe('DUPLICATE_UID')
    expect(error.message).toContain('"Source: first"')
    expect(error.message).toContain('"second"')
    expect(error.message).toContain('"twice"')
  })
})

describe('parallelism', () => {
  it('refuses an explicit forward between unequal sides', () => {
    const program = new Program()
    program.operator('Map', partitioned(program.source('in'), { type: 'forward' }), { parallelism: 2 })
    expect(thrownBy(() => program.graph())).toMatchObject({ code: 'UNEQUAL_PARALLELISM' })
  })

  it('above the max parallelism is refused', () => {
    const program = new Program()
    program.source('in', { parallelism: 5, maxParallelism: 4 })
    expect(thrownBy(() => program.graph())).toMatchObject({
      code: 'PARALLELISM_ABOVE_MAXIMUM',
      message: '"Source: in" has parallelism 5, but its max parallelism is 4.',
    })
  })

  it("gives the max parallelism by Flink's formula: the operator's own first, then that of the job", () => {
    const program = new Program()
    program.source('formula', { parallelism: 100 })
    program.source('own', { maxParallelism: 7 })
    expect(vertexOf(program.graph(), 'Source: formula')).toMatchObject({
      maxParallelism: 256,
      maxParallelismIsSet: false,
    })
    expect(vertexOf(program.graph(), 'Source: own')).toMatchObject({ maxParallelism: 7, maxParallelismIsSet: true })
    const graph = program.graph({ maxParallelism: 200 })
    expect(vertexOf(graph, 'Source: formula')).toMatchObject({ maxParallelism: 200, maxParallelismIsSet: true })
    expect(vertexOf(graph, 'Source: own').maxParallelism).toBe(7)
  })
})

describe('partitioners', () => {
  it('of several on one stream the last one counts', () => {
    const program = new Program()
    const source = program.source('in')
    program.operator('Map', partitioned(partitioned(source, { type: 'shuffle' }), { type: 'global' }))
    expect(exchanges(program.graph())).toEqual(['Source: in =global> Map'])
  })

  it('behind a union apply to each of its streams', () => {
    const program = new Program()
    const both = union(program.source('a'), partitioned(program.source('b'), { type: 'shuffle' }))
    program.operator('Map', partitioned(both, { type: 'broadcast' }))
    program.operator('Filter', both)
    expect(exchanges(program.graph())).toEqual([
      'Source: a =broadcast> Map',
      'Source: a =forward> Filter',
      'Source: b =broadcast> Map',
      'Source: b =shuffle> Filter',
    ])
  })

  it('carry the serializer of the stream that crosses', () => {
    const program = new Program()
    const serializer = { id: 'mine', version: 2, serialize: () => new Uint8Array(), deserialize: () => undefined }
    program.operator('Map', partitioned(program.source('in', { serializer }), { type: 'shuffle' }))
    expect(program.graph().edges[0]?.serializer).toBe(serializer)
  })
})

describe('a job graph', () => {
  it('has its vertices in topological order: exchanges lead to later ones', () => {
    const program = new Program()
    const [a, b] = [program.source('a'), program.source('b')]
    const joined = program.keyedOperator('join', union(a, program.keyedOperator('first', b)))
    program.sink('out', union(joined, a))
    const { edges } = program.graph()
    expect(edges).toHaveLength(5)
    expect(edges.every(({ from, to }) => from < to)).toBe(true)
  })

  it('has a hash of everything but closures', () => {
    const build = (change: { name?: string; parallelism?: number; type?: 'shuffle' | 'rebalance' } = {}) => {
      const program = new Program()
      const source = program.source(change.name ?? 'in')
      program.operator('Map', partitioned(source, { type: change.type ?? 'shuffle' }), {
        parallelism: change.parallelism ?? 1,
      })
      return program.graph().hash
    }
    expect(build()).toMatch(/^[0-9a-f]{64}$/)
    expect(build()).toBe(build())
    const changed = [build(), build({ name: 'other' }), build({ parallelism: 2 }), build({ type: 'rebalance' })]
    expect(new Set(changed).size).toBe(4)
  })

  it('of nothing is refused', () => {
    expect(thrownBy(() => new Program().graph())).toMatchObject({ code: 'EMPTY_JOB' })
  })

  it('refuses a stream of another program', () => {
    const program = new Program()
    program.sink('out', new Program().source('in'))
    expect(thrownBy(() => program.graph())).toMatchObject({
      code: 'FOREIGN_STREAM',
      message: '"Sink: out" reads the stream of "Source: in", which does not belong to this job.',
    })
  })
})
