/**
 * The files of a dashboard: read once, when the server starts, and found by their whole name. No path that is asked for
 * ever reaches the disk.
 */
import { StreamError } from '../base/errors.ts'
import type { FileSystem } from '../base/file-system.ts'

export interface DashboardFiles {
  /** By the path of the URL, decoded once: `/` is `/index.html`. */
  find(path: string): DashboardFile | undefined
}

export interface DashboardFile {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly contentType: string
}

const MOST_FILES = 2_000
const MOST_BYTES = 128 * 1024 * 1024

/** As Flink serves them; others as `application/octet-stream`. */
const CONTENT_TYPES: Readonly<Record<string, string>> = {
  css: 'text/css',
  html: 'text/html',
  js: 'application/javascript',
  json: 'application/json',
  png: 'image/png',
  svg: 'image/svg+xml',
  txt: 'text/plain',
}

/**
 * Rejects with REST_NOT_LISTENING where there is no `index.html` in the folder, or far more than a dashboard has, and
 * where it cannot be read. Symbolic links are passed over.
 */
export async function readDashboard(files: FileSystem, folder: string): Promise<DashboardFiles> {
  const found = new Map<string, DashboardFile>()
  let bytesLeft = MOST_BYTES
  const read = async (path: string): Promise<void> => {
    for (const { name, kind } of await files.list(`${folder}${path}`)) {
      const below = `${path}/${name}`
      if (kind === 'folder') await read(below)
      if (kind !== 'file') continue
      const bytes = new Uint8Array(await files.read(`${folder}${below}`))
      bytesLeft -= bytes.byteLength
      if (found.size >= MOST_FILES || bytesLeft < 0) throw noDashboard(folder, 'there is far more in it')
      found.set(below, { bytes, contentType: contentTypeOf(name) })
    }
  }
  try {
    await read('')
  } catch (refusal) {
    if (StreamError.is(refusal) && refusal.code === 'FILE_ERROR')
      throw noDashboard(folder, 'it cannot be read', refusal)
    throw refusal
  }
  if (!found.has('/index.html')) throw noDashboard(folder, 'it has no index.html')
  return { find: (path) => found.get(path === '/' ? '/index.html' : path) }
}

function contentTypeOf(name: string): string {
  const ending = name.slice(name.lastIndexOf('.') + 1).toLowerCase()
  return Object.hasOwn(CONTENT_TYPES, ending) ? (CONTENT_TYPES[ending] ?? '') : 'application/octet-stream'
}

function noDashboard(folder: string, why: string, cause?: StreamError): StreamError {
  return new StreamError('REST_NOT_LISTENING', {
    message: `'${folder}' does not hold the files of a dashboard: ${why}.`,
    hint: 'Name the folder in which the index.html of an extracted dashboard lies, or leave the dashboard out.',
    details: { folder, exitCode: 2 },
    ...(cause === undefined ? {} : { cause }),
  })
}
