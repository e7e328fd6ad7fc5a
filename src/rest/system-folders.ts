/** Which folders nobody needs for savepoints: those of the system, and those in which programs keep their settings. Pure. */

/** Directly below the root of the file system. */
const SYSTEM = new Set([
  ...['bin', 'boot', 'dev', 'etc', 'lib', 'lib32', 'lib64', 'libx32', 'lost+found', 'proc', 'run', 'sbin', 'snap'],
  ...['sys', 'usr', 'Applications', 'Library', 'System', 'cores'],
])
/** Of `/var`, which is the system's otherwise; `folders` holds the temporary files of users of a Mac. */
const FREE_IN_VAR = new Set(['folders', 'lib', 'opt', 'tmp'])
const WINDOWS = /^[a-z]:\/(windows|program files( \(x86\))?|programdata)(\/|$)/i
const ROOT = /^([a-z]:)?\/?$/i

/** `path`: real, absolute, with forward slashes. The root itself counts. */
export function isSystemFolder(path: string): boolean {
  if (ROOT.test(path) || WINDOWS.test(path)) return true
  const [first, second, third] = path.split('/').slice(1)
  // A Mac has its /var, /tmp and /etc in there.
  const [top, next] = first === 'private' ? [second, third] : [first, second]
  if (top === undefined) return true
  return SYSTEM.has(top) || (top === 'var' && !FREE_IN_VAR.has(next ?? ''))
}

/** A name on the path begins with a dot: `~/.ssh`, `~/.config`. */
export function isHidden(path: string): boolean {
  return /\/\./.test(path)
}
