/** What may be left on the disk when a job has finished, and what must not. */
import type { SimulatedDisk } from '../../src/base/simulated-disk.ts'
import { pathsBelow, textOf } from './disk-contents.ts'
import { CHECKPOINTS, OUTPUT } from './kill-test-job.ts'

/** Paths of files and folders that nobody will ever remove and that no document announces. */
export function leftovers(disk: SimulatedDisk): string[] {
  const inOutput = pathsBelow(disk, OUTPUT).filter((path) => !isAnnouncedOutput(path))
  const inCheckpoints = pathsBelow(disk, CHECKPOINTS)
  const records = inCheckpoints.filter((path) => /^[^.]*\/job\.json$/.test(path))
  const jobs = new Set(records.map((path) => path.slice(0, path.lastIndexOf('/'))))
  // A job that failed for good, and was begun anew under another id: its folder waits for whoever looks into it.
  const failed = records.filter((path) => / "status": "FAILED"/.test(textOf(disk, path)))
  const notAnnounced = inCheckpoints.filter(
    (path) => !isAnnouncedInCheckpoints(path, jobs) && !failed.some((record) => path.startsWith(record.slice(0, -8))),
  )
  return [...inOutput, ...notAnnounced].map((path) => `left over: ${path}`)
}

/** Visible files; and pending ones, which a sink never deletes: their checkpoint was never completed. */
function isAnnouncedOutput(path: string): boolean {
  return /\/part-\d+-\d+\.txt$/.test(path) || /\.pending$/.test(path)
}

/**
 * The record outlives the job. A start that died before its record was durable has left a folder under an id that nobody
 * knows: no checkpoint is in it, and no later start can tell whose it was.
 */
function isAnnouncedInCheckpoints(path: string, jobs: ReadonlySet<string>): boolean {
  const [, folder, rest] = /^(\/data\/checkpoints\/[0-9a-f]{32})\/(.*)$/.exec(path) ?? []
  if (folder === undefined || rest === undefined) return false
  if (jobs.has(folder)) return rest === '' || rest === 'job.json'
  return !/(^|\/)chk-/.test(rest)
}
