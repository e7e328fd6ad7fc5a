/** The bytes of one input file, chunk by chunk, from a position on; compressed files are unpacked on the way. */
import { pipeline, Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { StreamError } from '../../base/errors.ts'
import type { ReadHandle } from '../../base/file-system.ts'
import { changed } from './file-identity.ts'

export function isCompressed(path: string): boolean {
  return path.endsWith('.gz') || path.endsWith('.gzip')
}

/** Bytes `from` to `to`. SOURCE_CHANGED when the file ends before `to`. */
export async function* plainChunks(
  handle: ReadHandle,
  path: string,
  range: { readonly from: number; readonly to: number; readonly chunkBytes: number },
): AsyncGenerator<Uint8Array> {
  let offset = range.from
  while (offset < range.to) {
    const chunk = await handle.read(offset, Math.min(range.chunkBytes, range.to - offset))
    if (chunk.length === 0) throw changed(path, `was truncated to ${offset} bytes while it was read`)
    offset += chunk.length
    yield chunk
  }
}

/** Unpacks gzip and drops the first `skip` unpacked bytes. INPUT_DAMAGED when it is no gzip, or ends in the middle. */
export async function* unzippedChunks(
  chunks: AsyncIterable<Uint8Array>,
  path: string,
  options: { readonly skip: number; readonly chunkBytes: number },
): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip({ chunkSize: Math.max(64, options.chunkBytes) })
  const given = new GivenChunks()
  pipeline(Readable.from(given.noted(chunks), { objectMode: true, highWaterMark: 1 }), gunzip, () => {
    // What went wrong ends the iteration below.
  })
  let toSkip = options.skip
  try {
    for await (const chunk of gunzip as AsyncIterable<Buffer>) {
      if (chunk.length > toSkip) yield toSkip === 0 ? chunk : chunk.subarray(toSkip)
      toSkip = Math.max(0, toSkip - chunk.length)
    }
  } catch (thrown) {
    throw isZlibError(thrown) ? damaged(path, thrown) : thrown
  }
  if (toSkip > 0) throw changed(path, `unpacks to ${toSkip} bytes less than before`)
  if (given.holdsDataFrom(gunzip.bytesWritten))
    throw damaged(path, new Error(`behind ${gunzip.bytesWritten} bytes stand zeros, and then something else`))
}

/**
 * What was given to gunzip last. Behind a member it takes a zero for padding, and ends without a word whatever follows: as
 * where a crash has left zeros in a file that others were appended to.
 */
class GivenChunks {
  #bytes = 0
  #last: Uint8Array[] = []

  async *noted(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      this.#bytes += chunk.length
      // It is given no more than two ahead.
      this.#last = [...this.#last.slice(-3), chunk]
      yield chunk
    }
  }

  holdsDataFrom(offset: number): boolean {
    let end = this.#bytes
    for (const chunk of this.#last.toReversed()) {
      if (end <= offset) return false
      const begin = end - chunk.length
      if (chunk.subarray(Math.max(0, offset - begin)).some((byte) => byte !== 0)) return true
      end = begin
    }
    return false
  }
}

function isZlibError(thrown: unknown): thrown is Error {
  return thrown instanceof Error && /^Z_/.test(String((thrown as { code?: unknown }).code))
}

function damaged(path: string, cause: Error): StreamError {
  return new StreamError('INPUT_DAMAGED', {
    message: `Input file ${path} cannot be unpacked: ${cause.message}.`,
    hint: 'The file is not gzip, is damaged, or was not written to its end. `gzip -t` tells.',
    details: { path },
    cause,
  })
}
