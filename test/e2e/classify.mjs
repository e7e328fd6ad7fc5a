/**
 * Where a SIGKILL fell, from evidence alone: the lines that the process traced before it died, and what lies on the disk
 * behind it. What the supervisor meant to hit does not count.
 */

/** In the order of the report; `other`: while starting, between checkpoints, or when all was done. */
export const CLASSES = [
  'beforeFirstCheckpoint',
  'insideCheckpoint',
  'betweenPublishAndCommit',
  'insideRecovery',
  'insideCleanUp',
  'other',
]

/**
 * @param {object} evidence
 * @param {readonly {type: string, checkpointId?: number, count?: number, task?: string}[]} evidence.lines what the process traced
 * @param {boolean} evidence.resumed a checkpoint of the job was complete before the process started
 * @param {readonly number[]} evidence.published ids of the checkpoints that are on the disk
 * @param {boolean} evidence.cleanedUp nothing is left of the job's checkpoints, and its record says that it has finished
 * @returns {{ place: string, afterCheckpoint: boolean, detail: string }}
 */
export function classify({ lines, resumed, published, cleanedUp }) {
  const seen = replay(lines)
  // The process may have died between a publication and the line that tells of it.
  const silently = seen.open !== undefined && published.includes(seen.open)
  const due = silently ? seen.prepared - seen.committed : seen.dueAtCompletion
  const afterCheckpoint = resumed || silently || seen.completed > 0
  const at = (place, detail) => ({ place, afterCheckpoint, detail })

  if (!seen.called) return at('other', 'starting')
  if (seen.finished)
    return cleanedUp
      ? at('other', 'cleaned up')
      : at('insideCleanUp', 'the job has finished, its checkpoints are not cleaned up')
  if (!seen.running)
    return resumed ? at('insideRecovery', seen.restoring) : at('beforeFirstCheckpoint', 'starting the first time')
  if (due > 0)
    return at('betweenPublishAndCommit', silently ? 'published, not told yet' : 'not everything is committed')
  const inside = seen.open !== undefined && !silently
  // Nothing was ever complete: the next process starts from nothing, inside the first checkpoint or not.
  if (!afterCheckpoint) return at('beforeFirstCheckpoint', inside ? 'inside the first' : 'running')
  if (inside) return at('insideCheckpoint', seen.preparedInOpen ? 'sinks have prepared' : 'triggered')
  return at('other', seen.tasksFinished ? 'input ended' : 'between checkpoints')
}

/** Whether every task ran before the process died. */
export function hasRun(lines) {
  return replay(lines).running
}

function replay(lines) {
  const tasks = new Map()
  const seen = {
    called: false,
    running: false,
    finished: false,
    tasksFinished: false,
    restoring: 'restoring state',
    completed: 0,
    /** The checkpoint that was triggered and has not ended. */
    open: undefined,
    preparedInOpen: false,
    prepared: 0,
    committed: 0,
    /** Of what the newest complete checkpoint covers, so much is not committed. */
    dueAtCompletion: 0,
  }
  for (const { type, checkpointId, count = 0, task } of lines) {
    if (type === 'execute') seen.called = true
    else if (type === 'job.FINISHED') seen.finished = true
    else if (type.startsWith('task.')) {
      tasks.set(task, type)
      const states = [...tasks.values()]
      seen.tasksFinished = states.every((state) => state === 'task.FINISHED')
      // Tasks that had finished before the restored checkpoint do not run again.
      if (states.every((state) => state === 'task.RUNNING' || state === 'task.FINISHED')) seen.running = true
      else if (!seen.running) seen.restoring = 'tasks are restoring'
    } else if (type === 'checkpoint.triggered') {
      seen.open = checkpointId
      seen.preparedInOpen = false
      seen.preparedBefore = seen.prepared
    } else if (type === 'checkpoint.aborted') seen.open = undefined
    else if (type === 'checkpoint.completed') complete(seen)
    else if (type === 'sink.prepared') {
      seen.prepared += count
      seen.preparedInOpen = true
    } else if (type === 'commit.begun' && seen.running && checkpointId === seen.open) complete(seen)
    else if (type === 'commit.ended' && seen.running) {
      seen.committed += count
      seen.dueAtCompletion = Math.max(0, seen.dueAtCompletion - count)
    } else if (type === 'commit.begun' && !seen.running) seen.restoring = 'committing what was restored'
  }
  return seen
}

/** Nothing is committed before its checkpoint is complete, so a commit tells of the completion as well. */
function complete(seen) {
  if (seen.open === undefined) return
  seen.open = undefined
  seen.completed++
  seen.dueAtCompletion = seen.prepared - seen.committed
}
