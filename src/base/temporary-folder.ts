/** The system's folder for files that nobody misses later. */
import { tmpdir } from 'node:os'
import { localPath } from './paths.ts'

/** Absolute, with forward slashes. */
export function temporaryFolder(): string {
  return localPath(tmpdir())
}
