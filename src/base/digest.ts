/** Checksums: SHA-256 in pieces, CRC-32 at once. */
import { createHash } from 'node:crypto'
import { crc32 as zlibCrc32 } from 'node:zlib'

/** The longest piece that is hashed in one go: about a third of a millisecond. */
export const DIGEST_CHUNK_BYTES = 256 * 1024

export interface Sha256 {
  update(bytes: Uint8Array): void
  /** 64 lower-case hexadecimal digits. Ends the digest. */
  hex(): string
}

export function sha256(): Sha256 {
  const hash = createHash('sha256')
  return { update: (bytes) => void hash.update(bytes), hex: () => hash.digest('hex') }
}

/** The CRC-32 of ISO 3309, as gzip's; unsigned. */
export function crc32(bytes: Uint8Array): number {
  return zlibCrc32(bytes)
}
