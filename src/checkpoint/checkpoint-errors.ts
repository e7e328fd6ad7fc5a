/** The errors of checkpoints that cannot be used, by name: what is missing, damaged or foreign, and which file it is. */
import { StreamError } from '../base/errors.ts'

/** How a file differs from what was written. */
export type Damage = 'cut' | 'lengthened' | 'changed' | 'malformed'

const DAMAGE_HINT =
  'The file was changed after it was written, or the disk damaged it. Restore it from a copy, or name another checkpoint or savepoint yourself: Millrace never goes back to an older one by itself, because sinks may have committed the newer one already.'

export function damaged(path: string, damage: Damage, what: string): StreamError {
  return new StreamError('CHECKPOINT_DAMAGED', {
    message: `The checkpoint file '${path}' is damaged (${damage}): ${what}.`,
    hint: DAMAGE_HINT,
    details: { path, damage },
  })
}

export function foreign(path: string, what: string): StreamError {
  return new StreamError('CHECKPOINT_FOREIGN', {
    message: `The checkpoint file '${path}' does not belong there: ${what}.`,
    hint: 'Files of two checkpoints or jobs were mixed up while copying. Copy the folder of the checkpoint again, as a whole.',
    details: { path },
  })
}

export function missing(path: string, what: string): StreamError {
  return new StreamError('CHECKPOINT_MISSING', {
    message: `The checkpoint file '${path}' is missing: ${what}.`,
    hint: 'Restore it from a copy, or name another checkpoint or savepoint yourself. Starting empty would lose what the job had counted, so it is not done.',
    details: { path },
  })
}

export function tooNew(path: string, found: number, known: number): StreamError {
  return new StreamError('CHECKPOINT_VERSION', {
    message: `The checkpoint file '${path}' has format version ${found}; this release of Millrace reads up to ${known}.`,
    hint: 'Use the release that wrote it, or a newer one.',
    details: { path, found, known },
  })
}
