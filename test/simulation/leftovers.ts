/** What may be left on the disk when a job has finished, and what must not. */
import type { SimulatedDisk } from '../../src/base/simulated-disk.ts'
import { pathsBelow, textOf } from './disk-contents.ts'
import { CHECKPOINTS, OUTPUT, SCRATCH } from './kill-test-job.ts'

interface KnownJob {
  readonly status: string
  readonly epoch: number
}

/** Paths of files and folders that nobody will ever remove and that no document announces. */
export function leftovers(disk: SimulatedDisk): string[] {
  const inOutput = pathsBelow(disk, OUTPUT).filter((path) => !isAnnouncedOutput(path))
  const inCheckpoints = pathsBelow(disk, CHECKPOINTS)
  const jobs = new Map(
    inCheckpoints.flatMap((path) => {
      const folder = /^(\/data\/checkpoints\/[0-9a-f]{32})\/job\.json$/.exec(path)?.[1]
      return folder === undefined ? [] : [[folder, recordIn(textOf(disk, path))] as const]
    }),
  )
  const notAnnounced = inCheckpoints.filter((path) => !isAnnouncedInCheckpoints(path, jobs))
  const inScratch = pathsBelow(disk, SCRATCH)
  return [...inOutput, ...notAnnounced, ...inScratch].map((path) => `left over: ${path}`)
}

function recordIn(text: string): KnownJob {
  try {
    return (JSON.parse(text) as { readonly record: KnownJob }).record
  } catch {
    // Damaged: the job itself says so when it is resumed.
    return { status: 'unreadable', epoch: 0 }
  }
}

/** Visible files; and pending ones, which a sink never deletes: their checkpoint was never completed. */
function isAnnouncedOutput(path: string): boolean {
  return /\/part-\d+-\d+\.txt$/.test(path) || /\.pending$/.test(path)
}

/**
 * The record outlives the job, and the newest epoch that no record tells of leaves its folder as a mark. A job that
 * failed for good and was begun anew under another id leaves its folder to whoever looks into it. A start that died before
 * its record was durable leaves one under an id that nobody knows: no checkpoint is in it.
 */
function isAnnouncedInCheckpoints(path: string, jobs: ReadonlyMap<string, KnownJob>): boolean {
  const [, folder = '', rest = ''] = /^(\/data\/checkpoints\/[0-9a-f]{32})\/(.*)$/.exec(path) ?? []
  const job = jobs.get(folder)
  if (job === undefined) return folder !== '' && !/(^|\/)chk-/.test(rest)
  if (job.status === 'FAILED') return true
  const mark = /^fenced-(\d+)-[^/]+\/(owner\.json)?$/.exec(rest)?.[1]
  return rest === '' || rest === 'job.json' || (mark !== undefined && Number(mark) > job.epoch)
}
