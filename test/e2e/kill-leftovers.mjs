/**
 * Follows what the processes of one job leave on the disk besides output: what a dead one leaves is gone when the next
 * has begun to run, a shared file never changes, and in the end only what the retained checkpoints name is there.
 */
import { hasRun } from './classify.mjs'
import { lookAtCheckpoints } from './verify-checkpoints.mjs'

/** One process has one scratch folder, one epoch and at most one that it was putting aside. */
const MOST_PASSING = 4

export class Leftovers {
  /** Each thing that was wrong, in words. */
  problems = []
  counts = { sharedFiles: 0, sharedSwept: 0, foldersSwept: 0, checkpointsLookedAt: 0 }
  #folder
  #before = { unnamed: [], passing: [] }
  /** By the name of a shared file, its hash. */
  #seen = new Map()

  constructor(folder) {
    this.#folder = folder
  }

  /** A process is dead. What one leaves whose tasks did not all run comes on top of what was there. */
  killed(life, { lines }) {
    const found = this.#look(`after life ${life}`)
    const ran = hasRun(lines)
    if (ran) this.#expectSwept(life, found)
    if (found.passing.length > MOST_PASSING)
      this.problems.push(`after life ${life} there are ${found.passing.length} folders: ${found.passing.join(', ')}`)
    this.#before = ran ? found : { unnamed: [...this.#before.unnamed, ...found.unnamed], passing: found.passing }
  }

  /** The last process has ended by itself. `kept`: how many checkpoints there must be. */
  ended(kept) {
    const { published, unnamed, passing, hasShared } = this.#look('at the end')
    if (published.length > kept.most || published.length < kept.least)
      this.problems.push(`at the end there are the checkpoints ${published.join(', ')}`)
    for (const name of unnamed)
      this.problems.push(`at the end shared file ${name} is there, and no checkpoint names it`)
    if (published.length === 0 && hasShared) this.problems.push('at the end there is a folder of shared files')
    for (const name of passing) this.problems.push(`at the end the folder ${name} is there`)
  }

  #look(when) {
    const found = lookAtCheckpoints(this.#folder)
    this.counts.checkpointsLookedAt += found.published.length
    for (const what of found.wrong) this.problems.push(`${when} ${what}`)
    for (const [name, hash] of found.named) {
      const before = this.#seen.get(name)
      if (before !== undefined && before !== hash) this.problems.push(`${when} shared file ${name} is another one`)
      this.#seen.set(name, hash)
    }
    this.counts.sharedFiles = this.#seen.size
    return found
  }

  #expectSwept(life, found) {
    const shared = new Set([...found.unnamed, ...found.named.keys()])
    const passing = new Set(found.passing)
    for (const name of this.#before.unnamed)
      if (shared.has(name))
        this.problems.push(`life ${life} has not swept shared file ${name}, which no checkpoint named`)
      else this.counts.sharedSwept++
    for (const name of this.#before.passing)
      if (passing.has(name)) this.problems.push(`life ${life} has not swept the folder ${name}`)
      else this.counts.foldersSwept++
  }
}
