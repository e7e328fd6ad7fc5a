/**
 * The files of sources that follow them: written piece by piece while the job runs, cut anywhere, also inside of a line,
 * and renamed in between as a log is rotated. What was written is durable; the job is over when nothing more comes.
 */
import type { SimulatedDisk } from '../../../src/base/simulated-disk.ts'
import { folder } from './build-sources.ts'
import type { Plan } from './plan.ts'
import { pick, text } from './records.ts'
import { rowsOf } from './source-rows.ts'

const EVERY_MS = 12
const LONGEST_PIECE = 300
/** How long nothing more may come after everything is there, and how long it may take until then. */
const QUIET_MS = 150
const MOST_MS = 3000

interface Growing {
  readonly folder: string
  readonly file: string
  readonly bytes: Uint8Array
  written: number
  renamed: number
}

export class GrowingFiles {
  readonly isFollowed: boolean
  readonly #files: readonly Growing[]
  #grownAtMs = 0
  #askedAtMs = 0
  #completeAtMs: number | undefined

  constructor({ sources }: Plan) {
    const followed = sources.filter(({ kind }) => kind === 'followed')
    this.isFollowed = followed.length > 0
    this.#files = followed.flatMap((source) =>
      source.splits.map((_, split): Growing => {
        const lines = rowsOf(source, split).map((row) => `${text(row)}\n`)
        const bytes = Buffer.from(lines.join(''))
        return { folder: folder(source), file: `file-${split}`, bytes, written: 0, renamed: 0 }
      }),
    )
  }

  /** Writes what is due. */
  grow(disk: SimulatedDisk, nowMs: number): void {
    if (nowMs < this.#grownAtMs + EVERY_MS) return
    this.#grownAtMs = nowMs
    for (const each of this.#files) if (each.written < each.bytes.length) growOne(disk, each)
  }

  /** The job has had the time to bring more than it should. Past the longest time it is over whatever is there. */
  isOver(nowMs: number, isThere: () => boolean): boolean {
    if (this.#files.some(({ written, bytes }) => written < bytes.length)) {
      this.#completeAtMs = undefined
      return false
    }
    if (nowMs < this.#askedAtMs + EVERY_MS) return false
    this.#askedAtMs = nowMs
    this.#completeAtMs ??= nowMs
    const sinceMs = nowMs - this.#completeAtMs
    return sinceMs > MOST_MS || (sinceMs > QUIET_MS && isThere())
  }
}

function growOne(disk: SimulatedDisk, each: Growing): void {
  const { bytes, written } = each
  const path = `${each.folder}/${each.file}${each.renamed === 0 ? '' : `.${each.renamed}`}`
  const file = disk.find(path) === undefined ? disk.createFile(path) : disk.file(path)
  each.written = Math.min(bytes.length, written + 1 + pick(LONGEST_PIECE, written, bytes.length))
  disk.append(file, bytes.subarray(written, each.written))
  disk.syncFile(file)
  if (pick(5, each.written, 9) === 0) disk.rename(path, `${each.folder}/${each.file}.${++each.renamed}`)
  disk.syncFolder(each.folder)
}
