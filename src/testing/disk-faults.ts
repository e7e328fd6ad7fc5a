/** What a disk may do to a job: refuse, be slow, or be the last thing that a process asked for. For `MiniCluster.inject`. */
import { randomInteger, seededRandom } from '../base/random.ts'
import type { Interference, SimulatedOperation } from '../base/simulated-file-system.ts'

/** Asked before each file operation; undefined leaves it in peace. */
export type DiskFault = (operation: SimulatedOperation) => Interference | undefined

/** Which operations are meant. Left out: all. */
export type Operations = (operation: SimulatedOperation) => boolean

const ALL: Operations = () => true
const ADDS: readonly SimulatedOperation['type'][] = ['create', 'write', 'makeFolder', 'link']

/** No space left: whatever would need some is refused, of a write half arrives. Until it is taken back. */
export function fullDisk(which: Operations = ALL): DiskFault {
  return (operation) =>
    ADDS.includes(operation.type) && which(operation) ? { type: 'fail', code: 'ENOSPC', bytes: 1 } : undefined
}

/** The `occurrence`th of these operations is refused with this code (EIO when left out); the others are not. */
export function failingDisk(
  which: Operations,
  {
    occurrence = 1,
    code = 'EIO',
  }: { readonly occurrence?: number | undefined; readonly code?: string | undefined } = {},
): DiskFault {
  return atOccurrence(which, occurrence, { type: 'fail', code })
}

/** Each of these operations takes so long on the clock. */
export function slowDisk(delayMs: number, which: Operations = ALL): DiskFault {
  return (operation) => (which(operation) ? { type: 'delay', delayMs } : undefined)
}

/** The process dies before the `occurrence`th of these operations; the next process is left in peace. */
export function crashAt(which: Operations, occurrence = 1): DiskFault {
  return atOccurrence(which, occurrence, { type: 'stop' })
}

/** The process dies before an operation that is drawn: one of the first `within` that come from now on. */
export function crashAtRandom(seed: number, within: number): DiskFault {
  return crashAt(ALL, randomInteger(seededRandom(seed), 1, within))
}

function atOccurrence(which: Operations, occurrence: number, interference: Interference): DiskFault {
  let seen = 0
  return (operation) => (which(operation) && ++seen === occurrence ? interference : undefined)
}
