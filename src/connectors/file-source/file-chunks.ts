/** The bytes of one input file, chunk by chunk, from a position on; compressed files are unpacked on the way. */
import { StreamError } from '../../base/errors.ts'
import type { FileSystem, ReadHandle } from '../../base/file-system.ts'
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

/** Unpacks `size` bytes of gzip and drops the first `skip` unpacked ones. INPUT_DAMAGED when it is none, or ends in the middle. */
export async function* unzippedChunks(
  files: FileSystem,
  handle: ReadHandle,
  path: string,
  options: { readonly size: number; readonly skip: number; readonly chunkBytes: number },
): AsyncGenerator<Uint8Array> {
  const { size, chunkBytes } = options
  const unpacked = files.gunzip(plainChunks(handle, path, { from: 0, to: size, chunkBytes }), chunkBytes)
  let toSkip = options.skip
  try {
    for await (const chunk of unpacked) {
      if (chunk.length > toSkip) yield toSkip === 0 ? chunk : chunk.subarray(toSkip)
      toSkip = Math.max(0, toSkip - chunk.length)
    }
  } catch (thrown) {
    throw isZlibError(thrown) ? damaged(path, thrown) : thrown
  }
  if (toSkip > 0) throw changed(path, `unpacks to ${toSkip} bytes less than before`)
  // At a zero behind a member gunzip ends without a word, whatever follows: as where a crash has left zeros in a file that
  // others were appended to.
  for await (const rest of plainChunks(handle, path, { from: unpacked.bytesRead, to: size, chunkBytes }))
    if (rest.some((byte) => byte !== 0)) throw damaged(path, new Error('behind zeros stands something else'))
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
