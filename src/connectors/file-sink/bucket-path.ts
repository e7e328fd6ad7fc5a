/** Buckets: which subfolders a record may be sent to, and what makes such a folder safe to rely on. */
import { StreamError } from '../../base/errors.ts'
import type { FileOperation } from '../../base/file-system.ts'
import { parentPath } from '../../base/paths.ts'
import { takeNoNotice } from '../../base/unawaited.ts'
import { isWellFormed } from './line-encoding.ts'

/** What file systems take as one name. */
const LONGEST_NAME_BYTES = 255

/**
 * The bucket as it came: '' for the sink's own folder, else names with slashes between them. FUNCTION_RESULT_INVALID for
 * anything that would lie elsewhere, be hidden, or be taken for a file of the sink.
 */
export function checkedBucket(bucket: unknown): string {
  if (typeof bucket !== 'string') {
    takeNoNotice(bucket)
    throw refused(shown(bucket), 'is no text')
  }
  if (bucket === '') return bucket
  if (bucket.includes('\0')) throw refused(shown(bucket), 'holds a NUL')
  if (bucket.includes('\\')) throw refused(shown(bucket), 'holds a backslash')
  if (bucket.startsWith('/')) throw refused(shown(bucket), 'is an absolute path')
  if (!isWellFormed(bucket)) throw refused(shown(bucket), 'holds half of a surrogate pair')
  for (const name of bucket.split('/')) {
    if (name === '') throw refused(shown(bucket), 'holds an empty name')
    if (name === '..') throw refused(shown(bucket), 'leads out of the folder')
    if (name.startsWith('.')) throw refused(shown(bucket), 'holds a name with a dot in front, as unfinished files have')
    if (/^part-\d+-\d+/.test(name)) throw refused(shown(bucket), 'holds a name like those of the files of the sink')
    if (Buffer.byteLength(name) > LONGEST_NAME_BYTES)
      throw refused(shown(bucket), `holds a name of more than ${LONGEST_NAME_BYTES} bytes`)
  }
  return bucket
}

/** Makes the folder of a bucket, durable up to the sink's folder, also where a process died between making and syncing. */
export function bucketFolderOperations(folder: string, bucket: string): readonly FileOperation[] {
  const path = `${folder}/${bucket}`
  const operations: FileOperation[] = [{ type: 'makeFolder', path }]
  for (let above = path; above !== folder; ) {
    above = parentPath(above)
    operations.push({ type: 'syncFolder', path: above })
  }
  return operations
}

function shown(bucket: unknown): string {
  if (typeof bucket !== 'string') return `a value of type ${bucket === null ? 'null' : typeof bucket}`
  return JSON.stringify(bucket.length > 100 ? `${bucket.slice(0, 100)}…` : bucket)
}

function refused(value: string, why: string): StreamError {
  return new StreamError('FUNCTION_RESULT_INVALID', {
    message: `The bucketAssigner of a FileSink returned ${value}, which ${why}.`,
    hint: "Return '' for the folder itself, or names with slashes between them, such as 'country=de/day=2024-05-01'.",
    details: { bucket: value },
  })
}
