/** Records in flight at one parallelism, restored at another: each one once, at its place, in the order of its channel. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Random } from '../../../src/base/random.ts'
import type { CheckpointMetadata, OperatorMetadata } from '../../../src/checkpoint/checkpoint-metadata.ts'
import type { Serializer } from '../../../src/elements/serializer.ts'
import type { JobGraph, Partitioner } from '../../../src/graph/job-graph.ts'
import { checkpointContents } from '../../../src/runtime/checkpoint-contents.ts'
import { partitionTargets } from '../../../src/runtime/data/partition-targets.ts'
import { connect } from '../../../src/runtime/exchange.ts'
import { incomingChannels } from '../../../src/runtime/incoming-channels.ts'
import { assignState, fitToState } from '../../../src/runtime/restore-assignment.ts'
import { restoredRecords } from '../../../src/runtime/restored-records.ts'
import { ChannelStateWriter } from '../../../src/state/channel-state-writer.ts'
import { keyGroupOf, subtaskOfKeyGroup } from '../../../src/state/key-groups.ts'
import type { SnapshotReader, StoredChannels } from '../../../src/state/snapshot.ts'
import { codeOf } from '../checkpoint/job-fixture.ts'

interface InFlight {
  readonly edge: number
  readonly sender: number
  /** Counts the records of all channels, so that one and its order are recognised. */
  readonly nth: number
  readonly key: string
}

type Type = Partitioner['type']

const partitionerOf = (type: Type): Partitioner =>
  type === 'hash'
    ? { type, keySelector: ({ key }: InFlight) => key }
    : type === 'custom'
      ? { type, partition: ({ nth }: InFlight, count: number) => nth % count }
      : { type }

const id = (digit: string) => digit.repeat(32)
const HEAD = id('c')

/** Two senders of one output each, and of a side output of the first, into one vertex: edge i comes from sender i % 2. */
function graphOf(
  types: readonly Type[],
  senders: number,
  parallelism: number,
  change: { readonly maxParallelism?: number; readonly serializer?: Serializer<unknown>; readonly from?: string } = {},
): JobGraph {
  const { maxParallelism = 128, serializer, from } = change
  const operator = (operatorId: string, edges: readonly number[]) => ({
    operatorId,
    name: `operator ${operatorId[0]}`,
    create: (() => {}) as never,
    keyed: false,
    outputs: edges.map((index) => ({ to: { type: 'edge' as const, index } })),
  })
  const vertex = (operatorId: string, size: number, edges: readonly number[]) => ({
    id: operatorId,
    name: `vertex ${operatorId[0]}`,
    parallelism: size,
    maxParallelism,
    maxParallelismIsSet: true,
    operators: [operator(operatorId, edges)],
  })
  const outOf = (sender: number) => types.flatMap((_, edge) => (edge % 2 === sender ? [edge] : []))
  return {
    vertices: [
      vertex(from ?? id('a'), senders, outOf(0)),
      vertex(id('b'), senders, outOf(1)),
      vertex(HEAD, parallelism, []),
    ],
    edges: types.map((type, edge) => ({
      from: edge % 2,
      to: 2,
      input: 0,
      partitioner: partitionerOf(type),
      serializer,
    })),
    hash: '',
  }
}

/** Where a sender puts a record. */
function targetsOf(graph: JobGraph, record: InFlight): readonly number[] {
  const { partitioner } = graph.edges[record.edge] as JobGraph['edges'][number]
  const [senders, receivers] = [graph.vertices[0]?.parallelism ?? 0, graph.vertices[2]?.parallelism ?? 0]
  const maxParallelism = graph.vertices[2]?.maxParallelism ?? 0
  const targets = partitionTargets(partitioner, record.sender, senders, receivers)
  switch (partitioner.type) {
    case 'broadcast':
      return targets
    case 'hash':
      return [subtaskOfKeyGroup(keyGroupOf(record.key, maxParallelism), maxParallelism, receivers)]
    case 'custom':
      return [record.nth % receivers]
    case 'global':
      return targets.slice(0, 1)
    default:
      return [targets[record.nth % targets.length] as number]
  }
}

const timestampOf = ({ nth }: InFlight) => (nth % 3 === 0 ? Number.NEGATIVE_INFINITY : nth)

/** The checkpoint that the old job took while these were in flight. */
function checkpointOf(
  graph: JobGraph,
  records: readonly InFlight[],
  finished: readonly number[] = [],
): CheckpointMetadata {
  const { parallelism, maxParallelism } = graph.vertices[2] as JobGraph['vertices'][number]
  const subtasks = Array.from({ length: parallelism }, (_, index) => {
    if (finished.includes(index)) return { index, finished: true }
    const channels = channelsOf(graph, records, index)
    return { index, finished: false, ...(channels === undefined ? {} : { channels }) }
  })
  const operator: OperatorMetadata = { operatorId: HEAD, name: 'head', parallelism, maxParallelism, subtasks }
  const at = { jobId: id('d'), jobName: 'job', epoch: 1, checkpointId: 7, timestamp: 0 }
  return { ...at, kind: 'checkpoint', operators: [operator] }
}

function channelsOf(graph: JobGraph, records: readonly InFlight[], subtask: number): StoredChannels | undefined {
  const writer = new ChannelStateWriter()
  const incoming = incomingChannels(graph, 2, subtask)
  const sections = incoming.map(({ section, serializer }) => writer.section(section, serializer))
  for (const record of records) {
    if (!targetsOf(graph, record).includes(subtask)) continue
    const channel = incoming.findIndex(
      ({ edgeIndex, section }) => edgeIndex === record.edge && section.sender === record.sender,
    )
    sections[channel]?.append(record, timestampOf(record))
  }
  const written = writer.finish()
  const bytes = Buffer.concat(written?.parts ?? []).toString('base64')
  writer.release()
  const identity = { checkpointId: 7, operatorId: HEAD, subtask, kind: 'channels' as const }
  return written && { handle: { type: 'inline', identity, bytes }, edges: written.edges }
}

const reader: SnapshotReader = {
  read: async (handle) => Buffer.from('bytes' in handle ? handle.bytes : '', 'base64'),
  scan: async () => {},
}

/** By new subtask what it processes before it reads anything. */
async function restored(
  program: JobGraph,
  metadata: CheckpointMetadata,
  allowed = false,
): Promise<readonly (readonly InFlight[])[]> {
  const graph = fitToState(program, metadata, allowed)
  const restores = assignState(graph, metadata).slice(-(graph.vertices[2]?.parallelism ?? 0))
  return Promise.all(
    restores.map(async ({ channels }, subtask) => {
      if (channels === undefined) return []
      const lists = await restoredRecords({ graph, vertex: 2, subtask }, channels, reader)
      for (const { values, timestamps } of lists)
        expect(timestamps).toEqual((values as readonly InFlight[]).map(timestampOf))
      return lists.flatMap(({ values }) => values as InFlight[])
    }),
  )
}

/** Records behind which one of their channel comes that was emitted before them. */
function outOfOrder(old: JobGraph, all: readonly InFlight[]): readonly InFlight[] {
  const channelOf = (record: InFlight) => {
    const isCopied = old.edges[record.edge]?.partitioner.type === 'broadcast'
    return `${record.edge} ${record.sender} ${isCopied ? '' : targetsOf(old, record)}`
  }
  const newest = new Map<string, number>()
  return all.filter((record) => {
    const before = newest.get(channelOf(record)) ?? -1
    newest.set(channelOf(record), record.nth)
    return record.nth < before
  })
}

const TYPES: readonly Type[] = ['hash', 'rebalance', 'shuffle', 'global', 'broadcast', 'forward', 'rescale']
/** Where a record may go is free. */
const FREE: readonly Type[] = ['rebalance', 'shuffle', 'rescale', 'global']

const rescaling = fc
  .record({
    senders: fc.integer({ min: 1, max: 4 }),
    to: fc.integer({ min: 1, max: 6 }),
    edges: fc.integer({ min: 1, max: 3 }),
  })
  .chain(({ senders, to, edges }) =>
    fc.record({
      senders: fc.constant(senders),
      to: fc.constant(to),
      // Forward edges have two equal sides.
      from: fc.oneof(fc.integer({ min: 1, max: 6 }), fc.constant(senders), fc.constant(to)),
      // With few key groups a subtask may have a single one.
      maxParallelism: fc.constantFrom(7, 128),
      types: fc.array(fc.constantFrom(...TYPES), { minLength: edges, maxLength: edges }),
      records: fc.array(
        fc.record({ edge: fc.nat(edges - 1), sender: fc.nat(senders - 1), key: fc.string({ maxLength: 3 }) }),
        { minLength: 10, maxLength: 60 },
      ),
    }),
  )
  .map(({ types, senders, from, records, ...rest }) => ({
    ...rest,
    senders,
    from,
    types: types.map((type) => {
      const isRefused = type === 'broadcast' && from !== rest.to
      return isRefused || (type === 'forward' && senders !== from) ? 'rebalance' : type
    }),
    records: records.map((record, nth): InFlight => ({ ...record, nth })),
  }))

describe('Records in flight that are restored', () => {
  test('come once each at any parallelism, copies where they were, in the order of their channels, keyed ones where their key is', async () => {
    let moved = 0
    await fc.assert(
      fc.asyncProperty(rescaling, async ({ types, senders, from, to, records, ...max }) => {
        const old = graphOf(types, senders, from, max)
        // What was forward is dealt out by turns where the sides differ.
        const later = types.map((type) => (type === 'forward' && senders !== to ? 'rebalance' : type))
        const graph = graphOf(later, senders, to, max)
        const bySubtask = await restored(graph, checkpointOf(old, records))

        const nths = (all: readonly InFlight[]) => all.map(({ nth }) => nth).sort((one, other) => one - other)
        const isCopied = ({ edge }: InFlight) => types[edge] === 'broadcast'
        expect(nths(bySubtask.flat().filter((one) => !isCopied(one)))).toEqual(
          nths(records.filter((one) => !isCopied(one))),
        )
        bySubtask.forEach((all, subtask) => {
          expect(nths(all.filter(isCopied))).toEqual(nths(records.filter(isCopied)))
          const isMisplaced = (record: InFlight) =>
            (types[record.edge] === 'hash' && targetsOf(graph, record)[0] !== subtask) ||
            (from === to && !targetsOf(old, record).includes(subtask))
          expect(all.filter(isMisplaced)).toEqual([])
          expect(outOfOrder(old, all)).toEqual([])
        })
        if (from !== to) moved += records.length
      }),
      { numRuns: 80, seed: 5 },
    )
    expect(moved).toBeGreaterThan(800)
  })

  const many = (edges: number, senders = 2): readonly InFlight[] =>
    Array.from({ length: 60 }, (_, nth) => ({ edge: nth % edges, sender: nth % senders, nth, key: `k${nth % 17}` }))

  test('go where their key is when the edge was not keyed, or had another max parallelism', async () => {
    const records = many(1)
    for (const old of [graphOf(['rebalance'], 2, 3), graphOf(['hash'], 2, 3, { maxParallelism: 64 })]) {
      const graph = graphOf(['hash'], 2, 3)
      const metadata = checkpointOf(old, records)
      const bySubtask = await restored(graph, metadata)
      expect(
        bySubtask
          .flat()
          .map(({ nth }) => nth)
          .sort((a, b) => a - b),
      ).toEqual(records.map(({ nth }) => nth))
      bySubtask.forEach((all, subtask) => {
        for (const record of all) expect(targetsOf(graph, record)).toEqual([subtask])
      })
    }
  })

  test('go on under every other way of dealing that leaves their place free', async () => {
    const records = many(1)
    for (const before of [...FREE, 'hash', 'custom'] as const)
      for (const now of FREE) {
        const all = (await restored(graphOf([now], 2, 2), checkpointOf(graphOf([before], 2, 3), records))).flat()
        expect(
          all.map(({ nth }) => nth).sort((a, b) => a - b),
          `${before} → ${now}`,
        ).toEqual(records.map(({ nth }) => nth))
      }
  })

  test('of a custom partitioner stay where they are, and are refused at another parallelism before anything starts', async () => {
    const metadata = checkpointOf(graphOf(['custom'], 2, 3), many(1))
    const same = await restored(graphOf(['custom'], 2, 3), metadata)
    expect(same.map((all) => all.length === 20 && new Set(all.map(({ nth }) => nth % 3)).size)).toEqual([1, 1, 1])
    for (const allowed of [false, true])
      expect(() => fitToState(graphOf(['custom'], 2, 2), metadata, allowed)).toThrow(
        expect.objectContaining({ code: 'UNSUPPORTED', message: expect.stringContaining('"head"') }),
      )
  })

  test('that are copies for everybody do not become records for one, nor the other way', () => {
    for (const [before, now] of [
      ['broadcast', 'rebalance'],
      ['hash', 'broadcast'],
    ] as const)
      expect(() => fitToState(graphOf([now], 2, 2), checkpointOf(graphOf([before], 2, 2), many(1)), true)).toThrow(
        expect.objectContaining({ code: 'UNSUPPORTED' }),
      )
  })

  test('of a broadcast edge stay with their subtask, and are refused at another parallelism before anything starts', async () => {
    const metadata = checkpointOf(graphOf(['broadcast'], 1, 3), many(1, 1))
    const same = await restored(graphOf(['broadcast'], 1, 3), metadata)
    expect(same.map(({ length }) => length)).toEqual([60, 60, 60])
    for (const allowed of [false, true])
      expect(() => fitToState(graphOf(['broadcast'], 1, 2), metadata, allowed)).toThrow(
        expect.objectContaining({ code: 'UNSUPPORTED', message: expect.stringContaining('"head"') }),
      )
  })

  test('of an edge that is gone are refused, both ends named, and left out where that is allowed', async () => {
    const metadata = checkpointOf(graphOf(['hash', 'hash'], 2, 2), many(2))
    const without = graphOf(['hash', 'hash'], 2, 2, { from: id('e') })
    expect(() => fitToState(without, metadata, false)).toThrow(
      expect.objectContaining({
        code: 'STATE_NOT_RESTORED',
        message: expect.stringMatching(new RegExp(`30 record.*${id('a')}.*"head"`)),
      }),
    )
    const all = (await restored(without, metadata, true)).flat()
    expect(all.every(({ edge }) => edge === 1)).toBe(true)
    expect(all).toHaveLength(30)
  })

  test('to an operator that is chained behind another one now are refused, both named', () => {
    const metadata = checkpointOf(graphOf(['hash'], 2, 2), many(1))
    const { vertices, ...rest } = graphOf(['hash'], 2, 2)
    const [first, second, head] = vertices as never as [never, never, JobGraph['vertices'][number]]
    const chained = [{ ...(head.operators[0] as object), operatorId: id('f'), name: 'in front' }, ...head.operators]
    const graph = { ...rest, vertices: [first, second, { ...head, id: id('f'), operators: chained as never }] }
    expect(() => fitToState(graph, metadata, false)).toThrow(
      expect.objectContaining({ code: 'STATE_NOT_RESTORED', message: expect.stringMatching(/"head".*"in front"/) }),
    )
    const restores = assignState(fitToState(graph, metadata, true), metadata)
    expect(restores.some(({ channels }) => channels !== undefined)).toBe(false)
  })

  test('to an operator that is gone are state that would be lost', () => {
    const metadata = checkpointOf(graphOf(['hash'], 2, 2), many(1))
    const { vertices, edges, ...rest } = graphOf(['hash'], 2, 2)
    const graph = { ...rest, edges: [], vertices: vertices.slice(0, 2).map((vertex) => ({ ...vertex })) }
    expect(edges).toHaveLength(1)
    expect(() => fitToState(graph, metadata, false)).toThrow(expect.objectContaining({ code: 'STATE_NOT_RESTORED' }))
    expect(() => fitToState(graph, metadata, true)).not.toThrow()
  })

  test('by a serializer that the edge does not have are refused', () => {
    const serializer = { id: 'mine', version: 1, serialize: () => Uint8Array.of(), deserialize: () => undefined }
    const metadata = checkpointOf(graphOf(['hash'], 2, 2), many(1))
    expect(() => fitToState(graphOf(['hash'], 2, 2, { serializer }), metadata, true)).toThrow(
      expect.objectContaining({ code: 'STATE_INCOMPATIBLE', message: expect.stringContaining("'millrace.value'") }),
    )
  })

  test('whose key the program computes in another way are refused: no subtask may be theirs', async () => {
    const metadata = checkpointOf(graphOf(['hash'], 2, 3), many(1))
    const graph = graphOf(['hash'], 2, 2)
    const rekeyed = {
      ...graph,
      edges: graph.edges.map((edge) => ({
        ...edge,
        partitioner: { type: 'hash' as const, keySelector: ({ nth }: InFlight) => nth },
      })),
    }
    expect(await codeOf(restored(rekeyed, metadata))).toBe('STATE_INCOMPATIBLE')
  })
})

describe('What a subtask stored of records in flight', () => {
  test('stands in the metadata of the checkpoint at the head operator of its chain', () => {
    const graph = graphOf(['hash'], 1, 2)
    const channels = channelsOf(graph, [{ edge: 0, sender: 0, nth: 0, key: 'a' }], subtaskOf(graph, 'a'))
    const acknowledged = new Map([[2 + subtaskOf(graph, 'a'), [{ operatorId: HEAD, channels }]]])
    const parts = { checkpointId: 7, kind: 'checkpoint' as const, timestamp: 0, acknowledged, coordinators: new Map() }
    const { operators } = checkpointContents({ jobId: id('d'), jobName: 'job', epoch: 1 }, graph, parts)
    expect(operators.find(({ operatorId }) => operatorId === HEAD)?.subtasks[subtaskOf(graph, 'a')]).toEqual({
      index: subtaskOf(graph, 'a'),
      finished: false,
      channels,
    })
    expect(channels?.edges[0]?.records).toBe(1)
  })

  const subtaskOf = (graph: JobGraph, key: string) => targetsOf(graph, { edge: 0, sender: 0, nth: 0, key })[0] as number
})

describe('The channels of a subtask', () => {
  test('are told in the order in which the exchange makes them', () => {
    const random: Random = { next: () => 0 } as never
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom<Type>(...TYPES.filter((type) => type !== 'forward')), { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 5 }),
        (types, senders, parallelism) => {
          const graph = graphOf(types, senders, parallelism)
          const members = graph.vertices.flatMap(({ parallelism: size }, vertex) =>
            Array.from({ length: size }, (_, subtask) => ({
              vertex,
              subtask,
              gate: {} as never,
              wakeable: {} as never,
            })),
          )
          const connections = connect(graph, members, 8, random)
          members.forEach(({ vertex, subtask }, member) => {
            const made = connections[member]?.channels ?? []
            const told = incomingChannels(graph, vertex, subtask)
            expect(told).toHaveLength(made.length)
            told.forEach(({ edgeIndex, section: { sender } }, channel) => {
              const { from } = graph.edges[edgeIndex] as { from: number }
              const writes = members.findIndex((one) => one.vertex === from && one.subtask === sender)
              expect(connections[writes]?.writers.get(edgeIndex)?.channels.includes(made[channel] as never)).toBe(true)
            })
          })
        },
      ),
      { numRuns: 30, seed: 3 },
    )
  })

  test('that come from one stream twice are told apart', () => {
    const graph = graphOf(['hash', 'hash', 'hash', 'hash'], 1, 1)
    const edges = incomingChannels(graph, 2, 0).map(({ section: { edge } }) => `${edge.from[0]}${edge.ordinal}`)
    expect(edges).toEqual(['a0', 'b0', 'a1', 'b1'])
  })
})
