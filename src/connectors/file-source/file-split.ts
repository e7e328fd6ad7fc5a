/** One input file, or a byte range of one, with the position behind its last emitted record. */

import type { SourceSplit } from '../../operators/source.ts'
import type { FileIdentity } from './file-identity.ts'
import type { DecoderStart } from './record-decoder.ts'

export interface FileSplit extends SourceSplit {
  readonly path: string
  /** Of the first byte that is not read yet; of a compressed file counted uncompressed. */
  readonly offset: number
  /** Before the offset; in a range, behind its start. */
  readonly lines: number
  /** From the first time that the file was opened. */
  readonly identity?: FileIdentity | undefined
  /** CSV: names by position, once they are known. */
  readonly columns?: readonly string[] | undefined
  /** Left out: the whole file. */
  readonly range?: ByteRange | undefined
  /** Of a file that is followed: up to the known size everything is read, but for a last line without its end. */
  readonly caughtUp?: boolean | undefined
  /** Of a file that is followed: it has not grown for long, and is not open. */
  readonly closed?: boolean | undefined
}

/**
 * The lines that begin behind `start` (from 0 on: at it) and not behind `end`: each line belongs to exactly one range,
 * wherever the cuts are. Without `end`: all that follow.
 */
export interface ByteRange {
  readonly start: number
  readonly end?: number | undefined
}

export interface FileHeader {
  readonly columns: readonly string[]
  /** Behind it; 0 when the file has none. */
  readonly end: number
}

export function freshSplit(path: string): FileSplit {
  return { id: path, path, offset: 0, lines: 0 }
}

/** Ranges of about `splitBytes` and equal size. `id` names the file. */
export function rangeSplits(
  id: string,
  path: string,
  identity: FileIdentity,
  splitBytes: number,
): readonly FileSplit[] {
  const count = Math.max(1, Math.ceil(identity.size / splitBytes))
  const length = Math.ceil(identity.size / count)
  return Array.from({ length: count }, (_, index) => {
    const start = index * length
    const end = index + 1 < count ? start + length : undefined
    return { id: count === 1 ? id : `${id}@${start}`, path, offset: start, lines: 0, identity, range: { start, end } }
  })
}

/** Nothing of the range was emitted yet: where its first line begins is to be found out. */
export function isAtStartOfRange({ range, offset }: FileSplit): boolean {
  return range !== undefined && range.start > 0 && offset === range.start
}

/** The columns that state must hold at this position; at a start they are found out again. */
export function columnsAt(split: FileSplit, columns: readonly string[] | undefined): readonly string[] | undefined {
  return split.offset === 0 || isAtStartOfRange(split) ? undefined : columns
}

/** Line numbers are known only where somebody has counted from the start of the file. */
export function linesAreCounted({ range }: FileSplit): boolean {
  return range === undefined || range.start === 0
}

/** `header`: needed at the start of a range, where the format has one. */
export function decoderStart(split: FileSplit, header: FileHeader | undefined): DecoderStart {
  const { path, offset, lines, columns, range } = split
  if (!isAtStartOfRange(split)) return { path, offset, lines, columns, end: range?.end }
  const known = { path, lines, columns: header?.columns, end: range?.end }
  if (header !== undefined && header.end > offset) return { ...known, offset: header.end }
  return { ...known, offset, insideLine: true }
}
