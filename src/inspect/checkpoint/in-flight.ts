/** The records that were in flight to one operator: read, checked against what the metadata says of them, counted, handed out. */
import type { OperatorMetadata } from '../../checkpoint/checkpoint-metadata.ts'
import { ByteReader } from '../../elements/byte-reader.ts'
import { NO_TIMESTAMP } from '../../elements/stream-element.ts'
import { decodeChannelState, type StoredSection } from '../../state/channel-state-format.ts'
import { inFlightEdges, placeInFlight } from '../../state/in-flight-edges.ts'
import type { InFlightEdge, StoredChannels } from '../../state/snapshot.ts'
import { contradiction, readingFile } from './bad-state.ts'
import { streamedForm } from './entry-form.ts'
import { type Json, jsonFormOf } from './json-form.ts'
import type { OpenCheckpoint } from './open-checkpoint.ts'
import type { InFlightReport } from './report.ts'
import type { StateChoice } from './state-choice.ts'
import type { TakeEntry } from './state-entries.ts'

/** How `--state` calls them: they have no name of their own. */
export const IN_FLIGHT = 'inFlight'

export interface SubtaskInFlight {
  readonly channels: StoredChannels
  readonly sections: readonly StoredSection[]
}

/** By subtask. Throws STATE_CORRUPT, STATE_INCOMPATIBLE or NOT_DESERIALIZABLE, which name the file. */
export async function readInFlight(
  checkpoint: OpenCheckpoint,
  { subtasks }: OperatorMetadata,
): Promise<readonly SubtaskInFlight[]> {
  const read: SubtaskInFlight[] = []
  for (const { channels } of subtasks) if (channels !== undefined) read.push(await inFlightIn(checkpoint, channels))
  return read
}

/** They are read whole, as a restore does; more than this no job could have kept beside its records. */
const MOST_BYTES = 1 << 30

async function inFlightIn(checkpoint: OpenCheckpoint, channels: StoredChannels): Promise<SubtaskInFlight> {
  const { handle, edges } = channels
  const sections = await readingFile(checkpoint.fileOf(handle), handle.identity, async () => {
    if (handle.type !== 'inline' && handle.length > MOST_BYTES)
      throw contradiction(`Its ${handle.length} bytes are more than the records in flight of any subtask have`)
    return verified(decodeChannelState(await checkpoint.reader.read(handle)), edges)
  })
  return { channels, sections }
}

/** Each record can be told from the next, and the metadata says what there is. */
function verified(sections: readonly StoredSection[], announced: readonly InFlightEdge[]): readonly StoredSection[] {
  for (const section of sections) for (const _ of recordsIn(section));
  const found = inFlightEdges(sections.map((section) => ({ ...section, bytes: section.content.length })))
  const line = (edges: readonly InFlightEdge[]) =>
    edges
      .map((edge) => `${placeInFlight(edge)}: ${edge.records} in ${edge.bytes} bytes`)
      .sort()
      .join(', ')
  if (line(found) !== line(announced))
    throw contradiction(`It holds the records ${line(found)}, and the metadata says ${line(announced)}`)
  return sections
}

interface InFlightRecord {
  readonly timestamp: number
  readonly value: Json
}

function* recordsIn({ serializer, records, content }: StoredSection): Iterable<InFlightRecord> {
  const input = new ByteReader(content)
  const read = streamedForm(serializer)
  for (let left = records; left > 0; left--) {
    const timestamp = input.float64()
    yield { timestamp, value: read(input) }
  }
  input.expectEnd()
}

/** Edge by edge. */
export function inFlightOf(bySubtask: readonly SubtaskInFlight[]): readonly InFlightReport[] {
  const all = bySubtask.map(({ channels }) => channels.edges)
  return inFlightEdges(all.flat()).map((total) => {
    const { edge, partitioner, serializer, records, bytes } = total
    const { from, sideOutput = null, input } = edge
    const subtasks = all.filter((edges) => edges.some((one) => placeInFlight(one) === placeInFlight(total))).length
    return { from, sideOutput, input, partitioner, serializer, records, bytes, subtasks }
  })
}

/** `{ subtask, from, sideOutput?, input, sender, index, timestamp, value }`; a record without a timestamp has null. */
export async function eachInFlightRecord(
  checkpoint: OpenCheckpoint,
  { operator }: StateChoice,
  take: TakeEntry,
): Promise<void> {
  await checkpoint.verify([operator])
  for (const { channels, sections } of await readInFlight(checkpoint, operator))
    for (const section of sections) {
      const { edge, sender } = section
      const { from, sideOutput, input } = edge
      let index = 0
      for (const { timestamp, value } of recordsIn(section))
        await take({
          subtask: channels.handle.identity.subtask,
          from,
          ...(sideOutput === undefined ? {} : { sideOutput }),
          input,
          sender,
          index: index++,
          timestamp: timestamp === NO_TIMESTAMP ? null : jsonFormOf(timestamp),
          value,
        })
    }
}
