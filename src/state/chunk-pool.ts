/**
 * Chunks for the bytes of snapshots, used again from one checkpoint to the next. Tens of megabytes that are allocated anew
 * every second make the garbage collector mark the whole heap each time, and that stops the job for longer than the
 * snapshot does.
 */
import { ByteWriter } from '../elements/byte-writer.ts'

const SMALLEST = 256
const SIZES = [SMALLEST, 1024, 4096, 16 * 1024, 64 * 1024] as const
const LARGEST = SIZES.length - 1
/** An entry that begins near the end of a chunk goes beyond its size: so much, as a part of it, without making it grow. */
const SLACK = 1 / 16
/**
 * So much is kept for the next checkpoint; of a larger state the rest is left to the garbage collector. A million counters
 * in 128 key groups take 20 MB of chunks.
 */
const MOST_BYTES_KEPT = 24 * 1024 * 1024

/** Full when its length has reached `size`. */
export class Chunk extends ByteWriter {
  readonly sizeClass: number
  readonly size: number

  constructor(sizeClass: number) {
    const size = SIZES[sizeClass] as number
    super(size * (1 + SLACK))
    this.sizeClass = sizeClass
    this.size = size
  }
}

/** One a thread: a snapshot that is being written fills what another one has let go. */
const kept: Chunk[][] = SIZES.map(() => [])
let bytesKept = 0

/** The first chunk of a key group is small, since there may be thousands with an entry each; those behind it are larger each. */
export function takeChunk(behind: Chunk | undefined): Chunk {
  const sizeClass = behind === undefined ? 0 : Math.min(behind.sizeClass + 1, LARGEST)
  const chunk = (kept[sizeClass] as Chunk[]).pop()
  if (chunk === undefined) return new Chunk(sizeClass)
  bytesKept -= chunk.bytes.length
  chunk.length = 0
  return chunk
}

/** Nobody reads the chunk any more. */
export function giveBack(chunk: Chunk): void {
  // One that grew around a large entry is no longer of its size.
  if (chunk.bytes.length > chunk.size * (1 + SLACK) || bytesKept >= MOST_BYTES_KEPT) return
  bytesKept += chunk.bytes.length
  ;(kept[chunk.sizeClass] as Chunk[]).push(chunk)
}
