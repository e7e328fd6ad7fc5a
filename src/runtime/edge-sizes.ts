/**
 * What a record of each edge takes, an estimate for counts in bytes. It looks at a few records when it is asked, and seldom:
 * their serializer may be the user's, and a record large.
 */
import type { Clock } from '../base/clock.ts'
import { defaultSerializer } from '../elements/serializer.ts'
import type { JobGraph } from '../graph/job-graph.ts'
import type { Channel } from './data/channel.ts'
import { MOST_SAMPLES, meanRecordSize } from './data/mean-record-size.ts'

/** Between two looks at one edge; longer where looking takes long, so that it takes a hundredth of the time at most. */
const LEAST_PAUSE_MS = 1000
const PAUSE_FOR_EACH_MS = 100

interface EdgeSize {
  /** Undefined: the serializer refused each record that it was shown. */
  meanBytes: number | undefined
  lookAgainMs: number
}

export class EdgeSizes {
  readonly #graph: JobGraph
  readonly #clock: Clock
  readonly #sizes = new Map<number, EdgeSize>()

  constructor(graph: JobGraph, clock: Clock) {
    this.#graph = graph
    this.#clock = clock
  }

  /** `channels`: some of this edge, to be looked at if it is time. Undefined: none of them has brought a record yet. */
  meanBytes(edge: number, channels: readonly Channel[]): number | undefined {
    const known = this.#sizes.get(edge)
    const startMs = this.#clock.monotonic()
    if (known !== undefined && startMs < known.lookAgainMs) return known.meanBytes
    const serializer = this.#graph.edges[edge]?.serializer ?? defaultSerializer()
    const samples = channels.map((channel) => channel.newest(MOST_SAMPLES))
    if (known === undefined && samples.every((records) => records.length === 0)) return undefined
    const meanBytes = meanRecordSize(samples, () => serializer) ?? known?.meanBytes
    const endMs = this.#clock.monotonic()
    const lookAgainMs = endMs + Math.max(LEAST_PAUSE_MS, (endMs - startMs) * PAUSE_FOR_EACH_MS)
    this.#sizes.set(edge, { meanBytes, lookAgainMs })
    return meanBytes
  }
}

/** Bytes of a number of records that grows, while the mean size goes up and down: what was counted stays counted. */
export class GrowingBytes {
  #records = 0
  #bytes = 0

  /** Of so many records so far. */
  of(records: number, meanBytes: number | undefined): number {
    if (meanBytes === undefined) return Math.round(this.#bytes)
    this.#bytes += Math.max(0, records - this.#records) * meanBytes
    this.#records = records
    return Math.round(this.#bytes)
  }
}
