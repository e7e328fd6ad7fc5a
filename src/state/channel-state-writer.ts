/** Serialises captured records, channel by channel, as they come. The format is written down in `channel-state-format.ts`. */
import { crc32 } from 'node:zlib'
import { type Serializer, type ValueCodec, valueCodec } from '../elements/serializer.ts'
import { type ChannelSection, encodeHeader, type SectionHeader } from './channel-state-format.ts'
import { type Chunk, giveBack, takeChunk } from './chunk-pool.ts'
import { inFlightEdges } from './in-flight-edges.ts'
import type { InFlightEdge } from './snapshot.ts'

/** One captured channel. */
export interface ChannelSectionWriter {
  /** Throws what the serializer throws: nothing can be made of the whole writer then, but it is still to be released. */
  append(value: unknown, timestamp: number): void
}

export interface WrittenChannels {
  /** To be written one behind the other. They are used again when the writer is released. */
  readonly parts: readonly Uint8Array[]
  readonly edges: readonly InFlightEdge[]
}

export class ChannelStateWriter {
  /** Serialised so far. */
  bytes = 0
  readonly #sections: SectionOutput[] = []

  /** Records may be appended to several sections by turns. `serializer`: of the edge; undefined: the default one. */
  section(channel: ChannelSection, serializer: Serializer<unknown> | undefined): ChannelSectionWriter {
    const section = new SectionOutput(channel, valueCodec(serializer), (added) => {
      this.bytes += added
    })
    this.#sections.push(section)
    return section
  }

  /** Undefined when no record was captured. Nothing may be appended afterwards. */
  finish(): WrittenChannels | undefined {
    const sections = this.#sections.filter(({ records }) => records > 0)
    if (sections.length === 0) return undefined
    const headers = sections.map((section) => section.finish())
    const chunks = sections.flatMap((section) => section.chunks)
    return {
      parts: [encodeHeader(headers), ...chunks.map(({ bytes, length }) => bytes.subarray(0, length))],
      edges: inFlightEdges(headers),
    }
  }

  /** Once, whether it was finished or not: what `finish` gave is of no use any more. */
  release(): void {
    for (const section of this.#sections.splice(0)) for (const chunk of section.chunks) giveBack(chunk)
  }
}

class SectionOutput implements ChannelSectionWriter {
  readonly chunks: Chunk[] = []
  records = 0
  readonly #channel: ChannelSection
  readonly #codec: ValueCodec<unknown>
  readonly #count: (added: number) => void
  #bytes = 0
  /** Of all chunks but the last. */
  #crc = 0

  constructor(channel: ChannelSection, codec: ValueCodec<unknown>, count: (added: number) => void) {
    this.#channel = channel
    this.#codec = codec
    this.#count = count
  }

  append(value: unknown, timestamp: number): void {
    const out = this.#open()
    const before = out.length
    out.float64(timestamp)
    this.#codec.write(out, value)
    this.records++
    this.#bytes += out.length - before
    this.#count(out.length - before)
  }

  finish(): SectionHeader {
    this.#close()
    const { id, version } = this.#codec
    return {
      ...this.#channel,
      serializer: { id, version },
      records: this.records,
      bytes: this.#bytes,
      crc: this.#crc,
    }
  }

  #open(): Chunk {
    const last = this.chunks.at(-1)
    if (last !== undefined && last.length < last.size) return last
    this.#close()
    const next = takeChunk(last)
    this.chunks.push(next)
    return next
  }

  #close(): void {
    const last = this.chunks.at(-1)
    if (last !== undefined) this.#crc = crc32(last.bytes.subarray(0, last.length), this.#crc)
  }
}
