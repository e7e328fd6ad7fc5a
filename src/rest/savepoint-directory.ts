/**
 * Which directories a request may name: where savepoints are written to, and which are deleted. Decides by the real path,
 * symbolic links followed, and creates nothing. docs/decisions/0037 says why.
 */
import { isAbsolute } from 'node:path'
import { StreamError } from '../base/errors.ts'
import type { LocatedPath } from '../base/file-system.ts'
import { lastName, localPath, parentPath } from '../base/paths.ts'
import type { JobHandle } from '../runtime/job-handle.ts'
import { isLoopback } from './addresses.ts'
import { echoed, handlerRefusal } from './refusals.ts'
import type { RestCluster } from './rest-cluster.ts'
import type { RestFailure } from './route.ts'
import { isHidden, isSystemFolder } from './system-folders.ts'

const CONFIGURE = 'Other directories are allowed with rest.savepoint-roots.'

/**
 * The directory into which a savepoint is to be written; undefined: the one that the job is configured with. Throws 400
 * where the request names none and none is configured, and where it names one that it must not.
 *
 * @param field what the body calls it.
 */
export async function savepointDirectory(
  cluster: RestCluster,
  job: JobHandle | undefined,
  field: string,
  named: string | undefined,
): Promise<string | undefined> {
  if (named !== undefined) {
    const { path, existing, owner } = await located(cluster, field, localOf(field, named))
    await permit(cluster, { field, named, path, existing, owner })
    return path
  }
  if (job?.executionGraph().configuration.savepointDirectory) return undefined
  const configured = cluster.configuration.get('execution.checkpointing.savepoint-dir')
  if (configured !== undefined) return configured
  const option = 'Config key [execution.checkpointing.savepoint-dir] is not set.'
  throw handlerRefusal(400, `${option} Property [${field}] must be provided.`)
}

/** The folder of a savepoint that is to be deleted: lies in a directory that may be named, and is no link. Throws 400 else. */
export async function savepointToDelete(cluster: RestCluster, field: string, named: string): Promise<string> {
  const given = localOf(field, named)
  const folder = lastName(given) === '_metadata' ? parentPath(given) : given
  const above = await located(cluster, field, parentPath(folder))
  const { path, existing, owner } = await located(cluster, field, folder)
  if (path !== `${above.path === '/' ? '' : above.path}/${lastName(folder)}`)
    throw refused(field, named, 'it is a symbolic link.')
  await permit(cluster, { field, named, path, existing, owner, isIn: true })
  return path
}

interface Wish extends LocatedPath {
  readonly field: string
  readonly named: string
  /** A root itself is not enough. */
  readonly isIn?: boolean | undefined
}

async function permit(cluster: RestCluster, wish: Wish): Promise<void> {
  const { savepointRoots, bindAddress } = cluster.settings
  const roots = [...new Set([...savepointRoots, ...configuredDirectories(cluster)])]
  for (const root of await Promise.all(roots.map((one) => realPathOf(cluster, one)))) {
    if (root === wish.path && wish.isIn === true) throw refused(wish.field, wish.named, 'it is no savepoint.')
    if (root !== undefined && isWithin(root, wish.path)) return
  }
  const why =
    savepointRoots.length > 0 || !isLoopback(bindAddress)
      ? `it lies in none of the directories that are configured. ${CONFIGURE}`
      : reasonAgainst(wish)
  if (why !== undefined) throw refused(wish.field, wish.named, why)
}

/** Where no directories are listed, whoever reaches the loopback may name what is the user's own. */
function reasonAgainst({ path, existing, owner }: LocatedPath): string | undefined {
  if (isSystemFolder(existing)) return `it belongs to the system. ${CONFIGURE}`
  if (isHidden(path)) return `a name on its path begins with a dot: programs keep their settings there. ${CONFIGURE}`
  if (owner === 'other') return `'${existing}' belongs to another user. ${CONFIGURE}`
  return undefined
}

/** What the configuration and the jobs name. */
function configuredDirectories({ configuration, jobs }: RestCluster): readonly string[] {
  const ofJobs = jobs.all().flatMap((job) => {
    const { savepointDirectory, checkpointDirectory } = job.executionGraph().configuration
    return [savepointDirectory, checkpointDirectory]
  })
  return [
    configuration.get('execution.checkpointing.savepoint-dir'),
    configuration.get('execution.checkpointing.dir'),
    ...ofJobs,
  ].filter((one) => typeof one === 'string')
}

/** Undefined: it cannot be told, so nothing lies in it. */
async function realPathOf({ ports }: RestCluster, root: string): Promise<string | undefined> {
  try {
    const path = localPath(root)
    return ports.files.locate === undefined ? path : (await ports.files.locate(path)).path
  } catch (thrown) {
    if (StreamError.is(thrown)) return undefined
    throw thrown
  }
}

/** Throws 400 for what the disk does not tell. */
async function located({ ports }: RestCluster, field: string, path: string): Promise<LocatedPath> {
  if (ports.files.locate === undefined) return { path, existing: path, owner: 'self' }
  try {
    return await ports.files.locate(path)
  } catch (thrown) {
    if (StreamError.is(thrown)) throw refused(field, path, echoed(thrown.message))
    throw thrown
  }
}

/** Throws 400 for another scheme or host, a NUL, and what depends on the folder that the process was started in. */
function localOf(field: string, named: string): string {
  if (/(^|[\\/])\.\.([\\/]|$)/.test(named)) throw refused(field, named, "it holds '..'.")
  try {
    const path = localPath(named)
    if (!/^file:/i.test(named) && !isAbsolute(named)) throw refused(field, named, 'it is not absolute.')
    if (/\p{Cc}/u.test(path)) throw refused(field, named, 'it holds a control character.')
    return path
  } catch (thrown) {
    if (StreamError.is(thrown)) throw refused(field, named, echoed(`${thrown.message} ${thrown.hint ?? ''}`))
    throw thrown
  }
}

function isWithin(root: string, path: string): boolean {
  return path === root || path.startsWith(root.endsWith('/') ? root : `${root}/`)
}

function refused(field: string, named: string, why: string): RestFailure {
  return handlerRefusal(400, `The directory '${echoed(named)}' of property [${field}] is not allowed: ${why}`.trimEnd())
}
