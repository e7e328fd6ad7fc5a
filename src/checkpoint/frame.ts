/**
 * The frame around JSON in checkpoint files: 8 bytes magic, format version, length of the JSON, the JSON, CRC-32 of all
 * before it; numbers are 32 bits, big-endian. It trusts no byte that it reads.
 */
import { crc32 } from '../base/digest.ts'

/** So many bytes tell how long the frame is. */
export const HEAD_BYTES = 16
const TAIL_BYTES = 4
/** Deeper nesting than any file of ours has; a parser would take seconds for a million brackets. */
const MAX_DEPTH = 64

export type Unframed =
  | { readonly type: 'ok'; readonly version: number; readonly json: unknown; readonly length: number }
  | { readonly type: 'newer'; readonly version: number }
  | Bad

export interface Bad {
  readonly type: 'bad'
  readonly damage: 'cut' | 'lengthened' | 'changed' | 'malformed'
  readonly what: string
}

/** @param magic 8 ASCII characters. */
export function frame(magic: string, version: number, json: unknown): Uint8Array {
  const body = new TextEncoder().encode(JSON.stringify(json))
  const bytes = new Uint8Array(HEAD_BYTES + body.length + TAIL_BYTES)
  const view = new DataView(bytes.buffer)
  for (let i = 0; i < 8; i++) bytes[i] = magic.charCodeAt(i)
  view.setUint32(8, version)
  view.setUint32(12, body.length)
  bytes.set(body, HEAD_BYTES)
  view.setUint32(HEAD_BYTES + body.length, crc32(bytes.subarray(0, HEAD_BYTES + body.length)))
  return bytes
}

/** What the first bytes say of the frame, nothing of it verified but how it begins. Never throws. */
export function readHead(
  magic: string,
  bytes: Uint8Array,
): { readonly type: 'head'; readonly version: number; readonly length: number } | Bad {
  if (bytes.length < HEAD_BYTES) return bad('cut', `it has ${bytes.length} bytes, not even a header`)
  for (let i = 0; i < 8; i++)
    if (bytes[i] !== magic.charCodeAt(i)) return bad('malformed', 'it does not begin as such a file does')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return { type: 'head', version: view.getUint32(8), length: HEAD_BYTES + view.getUint32(12) + TAIL_BYTES }
}

/** Reads a frame at the start of `bytes`; `whole` when nothing may follow it. Never throws. */
export function unframe(magic: string, newestVersion: number, bytes: Uint8Array, whole: boolean): Unframed {
  const head = readHead(magic, bytes)
  if (head.type === 'bad') return head
  const { version, length } = head
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const end = length - TAIL_BYTES
  const crcMatches = length <= bytes.length && view.getUint32(end) === crc32(bytes.subarray(0, end))
  if (!crcMatches && length > bytes.length) return bad('cut', `it has ${bytes.length} bytes of ${length}`)
  if (!crcMatches) return bad('changed', 'its checksum does not match')
  if (version > newestVersion) return { type: 'newer', version }
  if (whole && length < bytes.length) return bad('lengthened', `it has ${bytes.length} bytes instead of ${length}`)
  const body = bytes.subarray(HEAD_BYTES, end)
  if (isTooDeep(body)) return bad('malformed', `it nests more than ${MAX_DEPTH} deep`)
  try {
    return { type: 'ok', version, json: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)), length }
  } catch {
    // The text is no JSON or no UTF-8, although its checksum is right: somebody made it so.
    return bad('malformed', 'its text is no JSON')
  }
}

function bad(damage: Bad['damage'], what: string): Bad {
  return { type: 'bad', damage, what }
}

const QUOTE = 0x22
const BACKSLASH = 0x5c

function isTooDeep(json: Uint8Array): boolean {
  let depth = 0
  let inString = false
  for (let i = 0; i < json.length; i++) {
    const byte = json[i] as number
    if (inString) {
      if (byte === BACKSLASH) i++
      else if (byte === QUOTE) inString = false
    } else if (byte === QUOTE) inString = true
    else if (byte === 0x5b || byte === 0x7b) {
      if (++depth > MAX_DEPTH) return true
    } else if (byte === 0x5d || byte === 0x7d) depth--
  }
  return false
}
