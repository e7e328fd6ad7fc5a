/**
 * The names of a file sink's files. Only finished ones have their final name; the others begin with a dot and say whose
 * they are: job, epoch and attempt. Pure.
 */
export interface PartNames {
  /** In the sink's own folder whatever the bucket is: one listing finds all that a dead attempt left. */
  readonly inProgress: string
  readonly pending: string
  readonly final: string
}

/** Who writes: one subtask in one attempt. */
export interface PartOwner {
  readonly jobId: string
  readonly epoch: number
  readonly attempt: number
  readonly subtask: number
}

/** Relative to the sink's folder. `bucket` is a checked one, '' for the folder itself. */
export function partNames(owner: PartOwner, n: number, ending: string, bucket: string): PartNames {
  const name = `part-${owner.subtask}-${n}${ending}`
  const unfinished = `.${name}.${owner.jobId}-${owner.epoch}-${owner.attempt}`
  const below = bucket === '' ? '' : `${bucket}/`
  return { inProgress: `${unfinished}.inprogress`, pending: `${below}${unfinished}.pending`, final: `${below}${name}` }
}

/** Longer numbers are not ours: counting on from one would leave the numbers that a double tells apart. */
const NUMBERED = /^\.?part-\d+-(\d{1,15})(?!\d)/

/** The highest number in any name, whoever it belongs to; -1 when there is none. */
export function highestNumber(names: readonly string[]): number {
  let highest = -1
  for (const name of names) {
    const number = NUMBERED.exec(name)?.[1]
    if (number !== undefined) highest = Math.max(highest, Number(number))
  }
  return highest
}

/**
 * In-progress files that no living subtask writes: those of this subtask's earlier attempts and, for subtask 0, those of
 * subtasks that a smaller parallelism left without an heir. Never files of another job, never pending ones.
 */
export function deadInProgress(names: readonly string[], owner: PartOwner, parallelism: number): readonly string[] {
  return names.filter((name) => {
    const found = /^\.part-(\d+)-\d+.*\.([^.-]+)-(\d+)-(\d+)\.inprogress$/.exec(name)
    if (found === null || found[2] !== owner.jobId) return false
    const [subtask, epoch, attempt] = [Number(found[1]), Number(found[3]), Number(found[4])]
    const isHeir = subtask === owner.subtask || (owner.subtask === 0 && subtask >= parallelism)
    return isHeir && (epoch < owner.epoch || (epoch === owner.epoch && attempt < owner.attempt))
  })
}
