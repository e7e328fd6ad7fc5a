/** The checksum in LevelDB's log files: CRC-32C (Castagnoli), turned and shifted as LevelDB stores it. */
const REVERSED_POLYNOMIAL = 0x82f63b78
const MASK_DELTA = 0xa282ead8

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte
  for (let bit = 0; bit < 8; bit++) remainder = (remainder >>> 1) ^ (remainder & 1 ? REVERSED_POLYNOMIAL : 0)
  return remainder
})

/** Unsigned, of the bytes from `start` up to `end`. A byte at a time: a MANIFEST has kilobytes. */
export function maskedCrc32c(bytes: Uint8Array, start: number, end: number): number {
  let crc = 0xffffffff
  for (let at = start; at < end; at++) {
    crc = (crc >>> 8) ^ (TABLE[(crc ^ (bytes[at] as number)) & 0xff] as number)
  }
  const plain = ~crc >>> 0
  return (((plain >>> 15) | (plain << 17)) + MASK_DELTA) >>> 0
}
