/** Declares small programs for the graph tests without the API in between. */
import { assert } from '../../../src/base/assert.ts'
import { buildJobGraph } from '../../../src/graph/build-job-graph.ts'
import type { JobEdge, JobGraph, JobVertex, Partitioner } from '../../../src/graph/job-graph.ts'
import type {
  GraphOptions,
  OperatorSettings,
  OperatorTransformation,
  Transformation,
} from '../../../src/graph/transformation.ts'
import type { OperatorFactory } from '../../../src/operators/operator.ts'

const neverMade: OperatorFactory = () => {
  throw new RangeError('graph tests make no operators')
}

export type Settings = Partial<OperatorSettings>

export class Program {
  readonly operators: OperatorTransformation[] = []

  source(name: string, settings?: Settings): OperatorTransformation {
    return this.#add('source', name, [], false, settings)
  }

  operator(name: string, input: Transformation, settings?: Settings): OperatorTransformation {
    return this.#add('operator', name, [input], false, settings)
  }

  keyedOperator(name: string, input: Transformation, settings?: Settings): OperatorTransformation {
    const hash: Partitioner = { type: 'hash', keySelector: (value) => value }
    return this.#add('operator', name, [partitioned(input, hash)], true, settings)
  }

  sink(name: string, input: Transformation, settings?: Settings): OperatorTransformation {
    return this.#add('sink', name, [input], false, settings)
  }

  graph(options?: Partial<GraphOptions>): JobGraph {
    return buildJobGraph(this.operators, {
      chaining: true,
      maxParallelism: undefined,
      autoWatermarkIntervalMs: 200,
      ...options,
    })
  }

  #add(
    role: OperatorTransformation['role'],
    name: string,
    inputs: readonly Transformation[],
    keyed: boolean,
    settings: Settings = {},
  ): OperatorTransformation {
    const operator: OperatorTransformation = {
      kind: 'operator',
      role,
      inputs,
      factory: () => neverMade,
      keyed,
      settings: {
        name,
        uid: undefined,
        parallelism: 1,
        maxParallelism: undefined,
        chaining: 'always',
        serializer: undefined,
        ...settings,
      },
    }
    this.operators.push(operator)
    return operator
  }
}

export function partitioned(input: Transformation, partitioner: Partitioner): Transformation {
  return { kind: 'partition', input, partitioner }
}

export function union(...inputs: readonly Transformation[]): Transformation {
  return { kind: 'union', inputs }
}

export function sideOutput(input: OperatorTransformation, tag: string): Transformation {
  return { kind: 'sideOutput', input, tag }
}

/** The names of the operators, chain by chain. */
export function chains(graph: JobGraph): readonly (readonly string[])[] {
  return graph.vertices.map((vertex) => vertex.operators.map((operator) => operator.name))
}

export function vertexOf(graph: JobGraph, operatorName: string): JobVertex {
  const vertex = graph.vertices.find(({ operators }) => operators.some(({ name }) => name === operatorName))
  assert(vertex !== undefined, `the test names the operator "${operatorName}", which the graph has not`)
  return vertex
}

export function operatorIdOf(graph: JobGraph, operatorName: string): string {
  return vertexOf(graph, operatorName).operators.find(({ name }) => name === operatorName)?.operatorId ?? ''
}

export function exchanges(graph: JobGraph): readonly string[] {
  const name = (index: number) => graph.vertices[index]?.name
  return graph.edges.map((edge: JobEdge) => `${name(edge.from)} =${edge.partitioner.type}> ${name(edge.to)}`)
}
