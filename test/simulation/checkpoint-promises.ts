/**
 * What the job has said of its checkpoints: each that was reported complete must be restorable, whatever happens, until
 * newer ones have taken its place or the job has ended.
 */

import type { SimulatedDisk } from '../../src/base/simulated-disk.ts'
import { SimulatedFileSystem } from '../../src/base/simulated-file-system.ts'
import { readMetadata } from '../../src/checkpoint/completed-checkpoints.ts'
import { fileObjects } from '../../src/checkpoint/file-objects.ts'
import { verifyCheckpoint } from '../../src/checkpoint/state-reading.ts'
import type { JobEvent } from '../../src/runtime/job-handle.ts'
import { pathsBelow } from './disk-contents.ts'
import { CHECKPOINTS, type JobEnd, type JobSettings } from './kill-test-job.ts'

export class CheckpointPromises {
  /** Reported complete, oldest first. */
  readonly #reported: { readonly checkpointId: number; readonly path: string }[] = []
  /** Broken, unless the job turns out to have ended before. */
  #suspicions: string[] = []
  completed = 0

  see(event: JobEvent): void {
    if (event.type !== 'checkpoint.completed' || event.path === undefined) return
    this.completed++
    this.#reported.push({ checkpointId: event.checkpointId, path: event.path })
  }

  /** Looks at what the process has left, without changing it. */
  async processEnded(disk: SimulatedDisk, { options }: JobSettings): Promise<void> {
    const retained = Number(options['execution.checkpointing.num-retained'] ?? 1)
    const there = await restorable(disk)
    for (const { checkpointId, path } of this.#reported.slice(-retained)) {
      const newer = [...there.values()].filter((id) => id > checkpointId).length
      if (there.has(path) || newer >= retained) continue
      this.#suspicions.push(`checkpoint ${checkpointId} was reported complete and cannot be restored`)
    }
  }

  /** A job that was found to have ended had no use for its checkpoints any more; in any other they were needed. */
  async jobEnded(end: JobEnd, problems: string[]): Promise<void> {
    if (end.type === 'finished') problems.push(...this.#suspicions)
    this.#suspicions = []
  }
}

/** Of each published checkpoint that is whole: where it is, and its id. */
async function restorable(disk: SimulatedDisk): Promise<ReadonlyMap<string, number>> {
  const files = new SimulatedFileSystem({ disk, turns: { next: (turn) => turn() } })
  const whole = new Map<string, number>()
  for (const path of pathsBelow(disk, CHECKPOINTS)) {
    const location = /^(.*\/chk-\d+)\/$/.exec(path)?.[1]
    if (location === undefined || /\/epoch-/.test(location) || /\/fenced-/.test(location)) continue
    try {
      const objects = fileObjects(files, location)
      const metadata = await readMetadata(objects)
      await verifyCheckpoint(objects, metadata)
      whole.set(location, metadata.checkpointId)
    } catch {
      // Whatever is wrong with it: it is not restorable, and only its absence from the answer counts.
    }
  }
  return whole
}
