/** The bytes of `_metadata`: a frame around JSON, and a reader that lets nothing through that it has not checked. */

import { damaged, tooNew } from './checkpoint-errors.ts'
import type { CheckpointMetadata } from './checkpoint-metadata.ts'
import { frame, unframe } from './frame.ts'
import {
  type Check,
  isBoolean,
  isInteger,
  isListOf,
  isNumber,
  isObject,
  isOneOf,
  isOneOfTypes,
  isString,
  isText,
  optional,
} from './shape.ts'

export const METADATA_NAME = '_metadata'
/** More than any checkpoint has; a larger file is not read at all. */
export const MAX_METADATA_BYTES = 512 * 1024 * 1024

const MAGIC = 'MLRCHKPT'
const VERSION = 1

export function encodeMetadata(metadata: CheckpointMetadata): Uint8Array {
  return frame(MAGIC, VERSION, metadata)
}

/** @param path for errors. Throws CHECKPOINT_DAMAGED (cut, lengthened, changed, malformed) or CHECKPOINT_VERSION. */
export function decodeMetadata(bytes: Uint8Array, path: string): CheckpointMetadata {
  const read = unframe(MAGIC, VERSION, bytes, true)
  if (read.type === 'newer') throw tooNew(path, read.version, VERSION)
  if (read.type === 'bad') throw damaged(path, read.damage, read.what)
  const wrong = isMetadata(read.json, 'metadata') ?? contradictions(read.json as CheckpointMetadata)
  if (wrong !== undefined) throw damaged(path, 'malformed', wrong)
  return read.json as CheckpointMetadata
}

const MAX_SUBTASKS = 32_768
const isId = isText(/^[0-9a-f]{32}$/)

const isIdentity = isObject({
  checkpointId: isInteger(1),
  operatorId: isId,
  subtask: isInteger(0, MAX_SUBTASKS),
  kind: isOneOf('keyed', 'operator', 'coordinator'),
  keyGroups: optional(isObject({ first: isInteger(0, MAX_SUBTASKS), last: isInteger(-1, MAX_SUBTASKS) })),
})

const isHandle: Check = isOneOfTypes({
  inline: isObject({ identity: isIdentity, bytes: isString }),
  file: isObject({
    identity: isIdentity,
    // A plain name: nothing that leads out of the folder of the checkpoint.
    path: isText(/^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/),
    length: isInteger(0),
    sha256: isText(/^[0-9a-f]{64}$/),
  }),
})

const isMetadata = isObject({
  jobId: isId,
  jobName: isString,
  epoch: isInteger(1),
  checkpointId: isInteger(1),
  kind: isOneOf('checkpoint', 'savepoint', 'synchronousSavepoint'),
  timestamp: isNumber,
  operators: isListOf(
    isObject({
      operatorId: isId,
      uid: optional(isString),
      name: isString,
      parallelism: isInteger(1, MAX_SUBTASKS),
      maxParallelism: isInteger(1, MAX_SUBTASKS),
      coordinator: optional(isHandle),
      subtasks: isListOf(
        isObject({
          index: isInteger(0, MAX_SUBTASKS),
          finished: isBoolean,
          keyed: optional(isHandle),
          operator: optional(isHandle),
        }),
        MAX_SUBTASKS,
      ),
    }),
    100_000,
  ),
})

/** What no field says alone: operators and subtasks stand once, and a subtask lies below the parallelism. */
function contradictions(metadata: CheckpointMetadata): string | undefined {
  const operators = new Set<string>()
  for (const { operatorId, parallelism, subtasks } of metadata.operators) {
    if (operators.has(operatorId)) return `operator ${operatorId} stands twice`
    operators.add(operatorId)
    const indexes = new Set<number>()
    for (const { index } of subtasks) {
      if (index >= parallelism) return `operator ${operatorId} has a subtask ${index} at parallelism ${parallelism}`
      if (indexes.has(index)) return `operator ${operatorId} has subtask ${index} twice`
      indexes.add(index)
    }
  }
  return undefined
}
