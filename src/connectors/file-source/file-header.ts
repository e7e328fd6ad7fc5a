/** The columns of a CSV file, for a reader that begins in the middle of it. */
import type { ReadHandle } from '../../base/file-system.ts'
import { plainChunks } from './file-chunks.ts'
import type { FileHeader } from './file-split.ts'
import { type FileFormat, NEEDS_BYTES, type RecordDecoder } from './record-decoder.ts'

const CHUNK_BYTES = 16 * 1024

/** Reads the first `size` bytes at most. Undefined: they hold no record. RECORD_INVALID when the first one is unreadable. */
export async function readHeader(
  handle: ReadHandle,
  path: string,
  size: number,
  format: FileFormat<unknown>,
): Promise<FileHeader | undefined> {
  const decoder = format.createDecoder({ path, offset: 0, lines: 0 })
  for await (const chunk of plainChunks(handle, path, { from: 0, to: size, chunkBytes: CHUNK_BYTES })) {
    decoder.push(chunk)
    const header = headerOf(decoder)
    if (header !== undefined) return header
  }
  decoder.end()
  return headerOf(decoder)
}

function headerOf(decoder: RecordDecoder<unknown>): FileHeader | undefined {
  while (decoder.columns === undefined) if (decoder.next() === NEEDS_BYTES) break
  const { columns, headerEnd } = decoder
  return columns === undefined ? undefined : { columns, end: headerEnd }
}
