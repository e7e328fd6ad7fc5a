/** What may be left on the disk when a job has finished, and what must not. */
import type { SimulatedDisk } from '../../src/base/simulated-disk.ts'
import { pathsBelow } from './disk-contents.ts'
import { CHECKPOINTS, OUTPUT } from './kill-test-job.ts'

/** Paths of files and folders that nobody will ever remove and that no document announces. */
export function leftovers(disk: SimulatedDisk): string[] {
  const inOutput = pathsBelow(disk, OUTPUT).filter((path) => !isAnnouncedOutput(path))
  const inCheckpoints = pathsBelow(disk, CHECKPOINTS).filter((path) => !isAnnouncedCheckpointFile(path))
  return [...inOutput, ...inCheckpoints].map((path) => `left over: ${path}`)
}

/** Visible files; and pending ones, which a sink never deletes: their checkpoint was never completed. */
function isAnnouncedOutput(path: string): boolean {
  return /\/part-\d+-\d+\.txt$/.test(path) || /\.pending$/.test(path)
}

/** The record outlives the job. */
function isAnnouncedCheckpointFile(path: string): boolean {
  return /^\/data\/checkpoints\/[0-9a-f]{32}\/(job\.json)?$/.test(path)
}
