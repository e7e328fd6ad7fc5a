/**
 * Looks at a job's checkpoint folder and at the scratch folder beside it, and says what should not be there and what is
 * missing. Knows the files by docs/SAVEPOINT-FORMAT.md alone; the job's process is dead meanwhile.
 */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'

/**
 * `named`: by its name, the hash of each shared file that a published checkpoint names. `unnamed`: shared files that none
 * names; `hasShared`: their folder is there. `passing`: folders that live only as long as a process. `wrong`: files of published checkpoints that are missing
 * or are not what was written, in words.
 */
export function lookAtCheckpoints(folder) {
  const found = {
    published: [],
    named: new Map(),
    unnamed: [],
    passing: scratchIn(folder),
    hasShared: false,
    wrong: [],
  }
  const checkpoints = join(folder, 'checkpoints')
  for (const jobId of namesIn(checkpoints)) {
    const job = join(checkpoints, jobId)
    for (const name of namesIn(job)) {
      if (/^chk-\d+$/.test(name)) lookAtCheckpoint(job, name, found)
      else if (name !== 'job.json' && name !== 'shared') found.passing.push(name)
    }
    found.unnamed.push(...namesIn(join(job, 'shared')).filter((name) => !found.named.has(name)))
    found.hasShared ||= existsSync(join(job, 'shared'))
  }
  return found
}

function lookAtCheckpoint(job, name, found) {
  const metadata = metadataIn(join(job, name, '_metadata'))
  if (metadata === undefined) {
    found.wrong.push(`${name}/_metadata is missing or damaged`)
    return
  }
  found.published.push(metadata.checkpointId)
  for (const { type, path, length, sha256 } of filesOf(metadata)) {
    const place = type === 'shared' ? `shared/${path}` : `${name}/${path}`
    if (type === 'shared') found.named.set(path, sha256)
    if (!existsSync(join(job, place))) found.wrong.push(`${place}, which ${name} names, is missing`)
    else if (!isWhole(readFileSync(join(job, place)), length, sha256))
      found.wrong.push(`${place}, which ${name} names, is not what was written`)
  }
}

/** Undefined where there is none that is whole. */
function metadataIn(path) {
  if (!existsSync(path)) return undefined
  const bytes = readFileSync(path)
  const end = 16 + bytes.readUInt32BE(12)
  const isFrame = bytes.toString('latin1', 0, 8) === 'MLRCHKPT' && bytes.length === end + 4
  if (!isFrame || bytes.readUInt32BE(end) !== crc32(bytes.subarray(0, end))) return undefined
  return JSON.parse(bytes.toString('utf8', 16, end))
}

function* filesOf({ operators }) {
  for (const { coordinator, subtasks } of operators) {
    const handles = [
      coordinator,
      ...subtasks.flatMap(({ keyed, operator, channels }) => [keyed, operator, channels?.handle]),
    ]
    for (const handle of handles.filter((one) => one !== undefined)) {
      const stored = handle.type === 'composite' ? [handle.index, ...handle.parts] : [handle]
      yield* stored.filter(({ type }) => type !== 'inline')
    }
  }
}

function isWhole(bytes, length, sha256) {
  return bytes.length === length && createHash('sha256').update(bytes).digest('hex') === sha256
}

function scratchIn(folder) {
  return namesIn(join(folder, 'scratch')).map((name) => `scratch/${name}`)
}

function namesIn(folder) {
  return existsSync(folder) ? readdirSync(folder) : []
}
