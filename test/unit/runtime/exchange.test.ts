import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../../src/base/random.ts'
import type { JobEdge, JobGraph, JobVertex, Partitioner } from '../../../src/graph/job-graph.ts'
import { connect, type ExchangeMember } from '../../../src/runtime/exchange.ts'

const nobody = { outputFull() {}, outputFree() {}, dataConsumed() {}, wake() {} }

function vertex(name: string, parallelism: number): JobVertex {
  return { id: name, name, parallelism, maxParallelism: 128, maxParallelismIsSet: false, operators: [] }
}

function graphOf(vertices: readonly JobVertex[], edges: readonly JobEdge[]): JobGraph {
  return { vertices, edges, hash: '' }
}

/** Every subtask of these vertices. */
function members(graph: JobGraph, vertices: readonly number[]): ExchangeMember[] {
  return vertices.flatMap((index) =>
    Array.from({ length: graph.vertices[index]?.parallelism ?? 0 }, (_, subtask) => ({
      vertex: index,
      subtask,
      gate: nobody,
      wakeable: nobody,
    })),
  )
}

const edge = (from: number, to: number, partitioner: Partitioner, input = 0): JobEdge => ({
  from,
  to,
  input,
  partitioner,
})

describe('An exchange', () => {
  // FLINK-37870: one edge that cannot be overtaken switched it off for all.
  it('lets a barrier overtake edge by edge: one that cannot be overtaken changes nothing for the others of the task', () => {
    const partitioners: readonly Partitioner[] = [
      { type: 'broadcast' },
      { type: 'hash', keySelector: (value: never) => value },
      { type: 'forward' },
      { type: 'rebalance' },
      { type: 'rescale' },
      { type: 'global' },
    ]
    const graph = graphOf(
      [vertex('from', 2), vertex('to', 2)],
      partitioners.map((partitioner) => edge(0, 1, partitioner)),
    )
    for (const roundTrip of [false, true]) {
      const connections = connect(graph, members(graph, [0, 1]), 16, seededRandom(1), roundTrip)
      for (const sender of [0, 1])
        for (const writer of connections[sender]?.writers.values() ?? [])
          writer.writeControl({
            type: 'barrier',
            checkpointId: 1,
            timestamp: 0,
            kind: 'checkpoint',
            mode: 'unaligned',
          })
      for (const receiver of [2, 3]) {
        const ways = connections[receiver]?.channels.map((channel) => {
          const first = channel.firstControl()
          const urgent = channel.takePriority()?.element
          return first?.type === 'barrier' ? first.mode : urgent?.type === 'barrier' ? `ahead ${urgent.mode}` : 'lost'
        })
        expect(ways).toEqual([
          ...['forcedAligned', 'forcedAligned'],
          ...['ahead unaligned', 'ahead unaligned'],
          'forcedAligned',
          ...['ahead unaligned', 'ahead unaligned'],
          'forcedAligned',
          ...['ahead unaligned', 'ahead unaligned'],
        ])
      }
    }
  })

  it('connects the members of one region as it connects them among all', () => {
    const graph = graphOf(
      [vertex('a', 1), vertex('b', 2), vertex('c', 2), vertex('d', 1)],
      [edge(0, 2, { type: 'rebalance' }), edge(1, 3, { type: 'rebalance' })],
    )
    const shape = (given: readonly ExchangeMember[]) =>
      connect(graph, given, 16, seededRandom(1)).map(({ channels, writers }) => ({
        reads: channels.length,
        writes: [...writers].map(([index, { channels: written }]) => [index, written.length]),
      }))
    const all = shape(members(graph, [0, 1, 2, 3]))
    expect(all).toEqual([
      { reads: 0, writes: [[0, 2]] },
      { reads: 0, writes: [[1, 1]] },
      { reads: 0, writes: [[1, 1]] },
      { reads: 1, writes: [] },
      { reads: 1, writes: [] },
      { reads: 2, writes: [] },
    ])
    expect(shape(members(graph, [0, 2]))).toEqual([all[0], all[3], all[4]])
    expect(shape(members(graph, [1, 3]))).toEqual([all[1], all[2], all[5]])
    expect(shape([])).toEqual([])
  })
})
