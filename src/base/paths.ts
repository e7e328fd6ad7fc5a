/** Paths as text: forward slashes, absolute, no trailing slash. Reads no disk. */
import { isAbsolute, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { StreamError } from './errors.ts'

/** The path behind a `file:` URI or a plain path, absolute. Rejects other schemes and other hosts with STORAGE_LOCATION. */
export function localPath(location: string): string {
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]+):/.exec(location)?.[1]?.toLowerCase()
  const isDrive = process.platform === 'win32' && /^[A-Za-z]:[\\/]/.test(location)
  if (location === '' || location.includes('\0')) throw refused(location, 'it is empty or holds a NUL')
  if (scheme !== undefined && !isDrive && scheme !== 'file') throw refused(location, `'${scheme}:' is not supported`)
  const path = scheme === 'file' ? fromFileUri(location) : location
  const absolute = isAbsolute(path) ? resolve(path) : resolve(process.cwd(), path)
  return process.platform === 'win32' ? absolute.replaceAll('\\', '/') : absolute
}

/** `/a` for `/a/b`, `/` for `/a` and for `/`. */
export function parentPath(path: string): string {
  const end = path.lastIndexOf('/')
  return end <= 0 ? '/' : path.slice(0, end)
}

/** `b` for `/a/b`. */
export function lastName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

function fromFileUri(location: string): string {
  try {
    return fileURLToPath(location)
  } catch (thrown) {
    // A host, or an escape that hides a slash.
    throw refused(location, thrown instanceof Error ? thrown.message : String(thrown))
  }
}

function refused(location: string, why: string): StreamError {
  return new StreamError('STORAGE_LOCATION', {
    message: `The location '${location}' cannot be used for checkpoints: ${why}.`,
    hint: "Give an absolute path, or a URI such as 'file:///var/lib/myjob/checkpoints'.",
    details: { location },
  })
}
