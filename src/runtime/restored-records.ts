/**
 * Reads the records that were in flight to a subtask, or to those whose place it takes, and picks out what is its. They are
 * to be processed before anything that is read from a channel.
 */
import { StreamError } from '../base/errors.ts'
import type { JobEdge, JobGraph, JobVertex, Partitioner } from '../graph/job-graph.ts'
import { refusedKey } from '../operators/refused-key.ts'
import { type ChannelScale, oldSubtasksOf } from '../state/channel-redistribution.ts'
import { decodeChannelState, type StoredSection } from '../state/channel-state-format.ts'
import { eachRecord } from '../state/channel-state-reader.ts'
import { keyGroupOf, subtaskOfKeyGroup } from '../state/key-groups.ts'
import type { SnapshotReader } from '../state/snapshot.ts'
import type { RestoredRecords } from './data/restored-input.ts'
import { edgesInto, isSameEdge } from './edge-identity.ts'
import type { ChannelsRestore } from './in-flight-records.ts'

export interface RestoringSubtask {
  readonly graph: JobGraph
  /** Its index. */
  readonly vertex: number
  readonly subtask: number
}

/**
 * Throws what the reader throws, STATE_CORRUPT, STATE_INCOMPATIBLE, NOT_DESERIALIZABLE, INVALID_KEY, and what serializers and
 * key selectors throw.
 */
export async function restoredRecords(
  restoring: RestoringSubtask,
  channels: ChannelsRestore,
  reader: SnapshotReader,
): Promise<RestoredRecords[]> {
  const restored: RestoredRecords[] = []
  // One after the other: not all of them are in memory as bytes.
  for (const { subtask, handle } of channels.stored)
    restored.push(...shareOf(restoring, channels, subtask, decodeChannelState(await reader.read(handle))))
  return restored
}

/** Of what was in flight to old subtask `from`. Sections of edges that are gone were given up when the job was started. */
function shareOf(
  { graph, vertex: vertexIndex, subtask }: RestoringSubtask,
  { old }: ChannelsRestore,
  from: number,
  sections: readonly StoredSection[],
): readonly RestoredRecords[] {
  const vertex = graph.vertices[vertexIndex] as JobVertex
  const { parallelism, maxParallelism } = vertex
  const scale: ChannelScale = { old, parallelism, maxParallelism }
  const edges = edgesInto(graph, vertexIndex)
  return sections.flatMap((section) => {
    const edge = edges.find(({ identity }) => isSameEdge(identity, section.edge))?.edge
    if (edge === undefined) return []
    const now = edge.partitioner.type
    if (!oldSubtasksOf(section.partitioner, now, scale, subtask).includes(from)) return []
    const restored = recordsOf(section, edge, ownership({ section, edge, vertex, scale, from, subtask }))
    return restored.values.length === 0 ? [] : [restored]
  })
}

function recordsOf(section: StoredSection, { input, serializer }: JobEdge, isOurs: (value: unknown) => boolean) {
  const values: unknown[] = []
  const timestamps: number[] = []
  eachRecord(section, serializer, (value, timestamp) => {
    if (!isOurs(value)) return
    values.push(value)
    timestamps.push(timestamp)
  })
  return { input, values, timestamps }
}

interface SectionPlace {
  readonly section: StoredSection
  readonly edge: JobEdge
  readonly vertex: JobVertex
  readonly scale: ChannelScale
  readonly from: number
  readonly subtask: number
}

/** Whether a record of the section belongs to the new subtask; others read the same section. */
function ownership({ section, edge, vertex, scale, from, subtask }: SectionPlace): (value: unknown) => boolean {
  if (edge.partitioner.type !== 'hash') return () => true
  const { parallelism, maxParallelism, old } = scale
  const name = vertex.operators[0]?.name ?? vertex.name
  const keyGroupsOf = keyGroupsBy(edge.partitioner, name)
  return (value) => {
    const keyGroupIn = keyGroupsOf(value)
    // Else no subtask might take it.
    if (
      section.partitioner === 'hash' &&
      subtaskOfKeyGroup(keyGroupIn(old.maxParallelism), old.maxParallelism, old.parallelism) !== from
    )
      throw keyChanged(name, from)
    return subtaskOfKeyGroup(keyGroupIn(maxParallelism), maxParallelism, parallelism) === subtask
  }
}

function keyGroupsBy(
  { keySelector }: Extract<Partitioner, { readonly type: 'hash' }>,
  name: string,
): (value: unknown) => (maxParallelism: number) => number {
  const select = keySelector as (value: unknown) => unknown
  return (value) => {
    const key = select(value)
    return (maxParallelism) => {
      try {
        return keyGroupOf(key, maxParallelism)
      } catch (thrown) {
        // It cannot be a key.
        throw refusedKey(thrown, name)
      }
    }
  }
}

function keyChanged(name: string, from: number): StreamError {
  return new StreamError('STATE_INCOMPATIBLE', {
    message: `A record that was in flight to subtask ${from} of "${name}" has a key that never belonged to that subtask: the key selector of the program gives another key for it than the one that it was sent by.`,
    hint: 'Restore with the key selector that the checkpoint was taken with; one that is not deterministic cannot be restored. A savepoint holds no records in flight: take one with the old program to change the key.',
    details: { operator: name, subtask: from },
  })
}
