/**
 * What flows through the channels of one subtask in one attempt: records, bytes, and what waits. Read from the channels
 * when somebody asks.
 */
import type { Channel } from './data/channel.ts'
import { recordsPut, recordsQueued, recordsRead, recordsWritten, sumOver } from './data/record-counts.ts'
import type { RecordWriter } from './data/record-writer.ts'
import { type EdgeSizes, GrowingBytes } from './edge-sizes.ts'
import type { Connections } from './exchange.ts'
import { incomingChannels } from './incoming-channels.ts'
import { recordsOutOf } from './operator-counts.ts'
import type { StreamTaskOptions } from './task-environment.ts'
import type { TaskMeasurements } from './task-measurements.ts'

export type MeasuredFlow = Pick<
  TaskMeasurements,
  | 'numRecordsIn'
  | 'numRecordsOut'
  | 'numBytesIn'
  | 'numBytesOut'
  | 'inputQueueLength'
  | 'inputQueueCapacity'
  | 'outputQueueLength'
  | 'outputQueueCapacity'
>

/** Of a task that has no channels yet. */
export const NO_FLOW: MeasuredFlow = {
  numRecordsIn: 0,
  numRecordsOut: 0,
  numBytesIn: 0,
  numBytesOut: 0,
  inputQueueLength: 0,
  inputQueueCapacity: 0,
  outputQueueLength: 0,
  outputQueueCapacity: 0,
}

/** The channels of one edge at this subtask. */
interface Way {
  readonly edge: number
  readonly channels: readonly Channel[]
  readonly bytes: GrowingBytes
}

export class TaskFlow {
  readonly #options: StreamTaskOptions
  readonly #writers: ReadonlyMap<number, RecordWriter>
  readonly #channels: readonly Channel[]
  readonly #in: readonly Way[]
  readonly #out: readonly Way[]
  readonly #restoredBytes = new GrowingBytes()

  constructor(options: StreamTaskOptions, { channels, writers }: Connections) {
    const { graph, vertexIndex, subtask } = options
    this.#options = options
    this.#writers = writers
    this.#channels = channels
    const edgeOf = incomingChannels(graph, vertexIndex, subtask).map(({ edgeIndex }) => edgeIndex)
    this.#in = [...new Set(edgeOf)].map((edge) =>
      wayOf(
        edge,
        channels.filter(({ index }) => edgeOf[index] === edge),
      ),
    )
    this.#out = [...writers].map(([edge, writer]) => wayOf(edge, writer.channels))
  }

  /** Null: it is a source. */
  recordsRead(): number | null {
    return this.#options.vertex.source === undefined ? sumOver(this.#channels, recordsRead) : null
  }

  intoEdge(edge: number): number {
    const writer = this.#writers.get(edge)
    return writer === undefined ? 0 : recordsWritten(writer)
  }

  /** `restored`: records that were in flight at the checkpoint and came without a channel. */
  measure(sizes: EdgeSizes, restored: number): MeasuredFlow {
    const outputs = this.#out.flatMap(({ channels }) => channels)
    return {
      numRecordsIn: (this.recordsRead() ?? 0) + restored,
      numRecordsOut: recordsOutOf(this.#options.vertex.operators, (edge) => this.intoEdge(edge)),
      numBytesIn: sumOver(this.#in, (way) => bytesOf(way, recordsRead, sizes)) + this.#restored(restored, sizes),
      numBytesOut: sumOver(this.#out, (way) => bytesOf(way, recordsPut, sizes)),
      inputQueueLength: sumOver(this.#channels, recordsQueued),
      inputQueueCapacity: sumOver(this.#channels, capacityOf),
      outputQueueLength: sumOver(outputs, recordsQueued),
      outputQueueCapacity: sumOver(outputs, capacityOf),
    }
  }

  /** As large as those that come through the channels. */
  #restored(records: number, sizes: EdgeSizes): number {
    const means = this.#in
      .map(({ edge, channels }) => sizes.meanBytes(edge, channels))
      .filter((mean) => mean !== undefined)
    return this.#restoredBytes.of(
      records,
      means.length === 0 ? undefined : sumOver(means, (mean) => mean) / means.length,
    )
  }
}

function wayOf(edge: number, channels: readonly Channel[]): Way {
  return { edge, channels, bytes: new GrowingBytes() }
}

/** Each channel gets bytes of its own. */
function bytesOf({ edge, channels, bytes }: Way, recordsOf: (channel: Channel) => number, sizes: EdgeSizes): number {
  return bytes.of(sumOver(channels, recordsOf), sizes.meanBytes(edge, channels))
}

/** One that nobody reads any more takes whatever comes, and keeps nobody waiting. */
function capacityOf({ credit }: Channel): number {
  return Number.isFinite(credit) ? credit : 0
}
