/** The bytes of `_metadata`: a frame around JSON, and a reader that lets nothing through that it has not checked. */

import { assert } from '../base/assert.ts'
import { PARTITIONER_TYPES } from '../state/channel-redistribution.ts'
import { damaged, tooNew } from './checkpoint-errors.ts'
import type { CheckpointMetadata } from './checkpoint-metadata.ts'
import { frame, HEAD_BYTES, readHead, unframe } from './frame.ts'
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
import { holdsChannels, sharedIn } from './stored-handles.ts'

export const METADATA_NAME = '_metadata'
/** They tell whether the rest is worth reading. */
export const METADATA_HEAD_BYTES = HEAD_BYTES
/** More than any checkpoint has; a larger file is not read at all. */
const MAX_METADATA_BYTES = 512 * 1024 * 1024

const MAGIC = 'MLRCHKPT'
const VERSION = 2
/** Of metadata without records in flight: a release that knows nothing of those reads it, and refuses the other. */
const VERSION_WITHOUT_CHANNELS = 1

/** Throws INTERNAL for what `decodeMetadata` would refuse by its size: published, it could not be restored. */
export function encodeMetadata(metadata: CheckpointMetadata): Uint8Array {
  const bytes = frame(MAGIC, holdsChannels(metadata) ? VERSION : VERSION_WITHOUT_CHANNELS, metadata)
  assert(
    bytes.length <= MAX_METADATA_BYTES,
    `the metadata of checkpoint ${metadata.checkpointId} has ${bytes.length} bytes`,
  )
  assert(
    metadata.operators.every(({ subtasks }) =>
      subtasks.every(({ keyed }) => keyed?.type !== 'composite' || keyed.parts.length <= MAX_PARTS),
    ),
    `checkpoint ${metadata.checkpointId} has a state of more than ${MAX_PARTS} files`,
  )
  return bytes
}

/**
 * How many bytes of a file of `size` bytes are metadata, from its first METADATA_HEAD_BYTES. A file that cannot be what it
 * says is refused (CHECKPOINT_DAMAGED) before memory is taken for it.
 */
export function metadataLength(head: Uint8Array, size: number, path: string): number {
  const read = readHead(MAGIC, head)
  if (read.type === 'bad') throw damaged(path, read.damage, read.what)
  const { version, length } = read
  if (length > size) throw damaged(path, 'cut', `it has ${size} bytes of ${length}`)
  if (length > MAX_METADATA_BYTES) throw damaged(path, 'lengthened', `it has ${size} bytes, more than any checkpoint's`)
  // What stands behind the frame of a newer version is for the release to say that knows it.
  if (length < size && version <= VERSION)
    throw damaged(path, 'lengthened', `it has ${size} bytes instead of ${length}`)
  return length
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
  kind: isOneOf('keyed', 'operator', 'coordinator', 'channels'),
  keyGroups: optional(isObject({ first: isInteger(0, MAX_SUBTASKS), last: isInteger(-1, MAX_SUBTASKS) })),
})

/** More than the state of any subtask has; a database of 2 MB files would hold 200 GB. */
const MAX_PARTS = 100_000

const fileFields = {
  identity: isIdentity,
  // A plain name: nothing that leads out of the folder of the checkpoint, or of what the job shares.
  path: isText(/^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/),
  length: isInteger(0),
  sha256: isText(/^[0-9a-f]{64}$/),
}

const isInline = isObject({ identity: isIdentity, bytes: isString })
const isFile = isObject(fileFields)
const isShared = isObject({ ...fileFields, epoch: isInteger(1) })

const isStored: Check = isOneOfTypes({ inline: isInline, file: isFile, shared: isShared })
const isHandle: Check = isOneOfTypes({
  inline: isInline,
  file: isFile,
  shared: isShared,
  composite: isObject({
    identity: isIdentity,
    backend: isText(/^[a-z][a-z0-9-]{0,63}$/),
    index: isOneOfTypes({ inline: isInline, file: isFile }),
    parts: isListOf(isStored, MAX_PARTS),
  }),
})

const isChannels = isObject({
  handle: isOneOfTypes({ inline: isInline, file: isFile }),
  edges: isListOf(
    isObject({
      edge: isObject({
        from: isId,
        sideOutput: optional(isString),
        input: isInteger(0),
        ordinal: isInteger(0),
      }),
      partitioner: isOneOf(...PARTITIONER_TYPES),
      serializer: isObject({ id: isString, version: isInteger(0) }),
      records: isInteger(1),
      bytes: isInteger(1),
    }),
    100_000,
  ),
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
      coordinator: optional(isStored),
      subtasks: isListOf(
        isObject({
          index: isInteger(0, MAX_SUBTASKS),
          finished: isBoolean,
          keyed: optional(isHandle),
          operator: optional(isStored),
          channels: optional(isChannels),
        }),
        MAX_SUBTASKS,
      ),
    }),
    100_000,
  ),
})

/** What no field says alone: operators and subtasks stand once, a subtask lies below the parallelism, and files are shared with the past. */
function contradictions(metadata: CheckpointMetadata): string | undefined {
  return placesContradict(metadata) ?? sharingContradicts(metadata) ?? channelsContradict(metadata)
}

function placesContradict(metadata: CheckpointMetadata): string | undefined {
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

function sharingContradicts(metadata: CheckpointMetadata): string | undefined {
  const { kind, epoch, checkpointId } = metadata
  for (const shared of sharedIn(metadata)) {
    const { path, identity } = shared
    if (kind !== 'checkpoint') return `a savepoint names the shared file ${path}`
    if (shared.epoch > epoch || identity.checkpointId > checkpointId)
      return `checkpoint ${checkpointId} of epoch ${epoch} names ${path} of checkpoint ${identity.checkpointId} of epoch ${shared.epoch}`
  }
  return undefined
}

/** Savepoints are aligned, and what has finished has read everything. */
function channelsContradict(metadata: CheckpointMetadata): string | undefined {
  if (!holdsChannels(metadata)) return undefined
  if (metadata.kind !== 'checkpoint') return 'a savepoint holds records in flight'
  const finished = metadata.operators.find(({ subtasks }) =>
    subtasks.some((subtask) => subtask.finished && subtask.channels !== undefined),
  )
  return finished && `operator ${finished.operatorId} has records in flight to a subtask that has finished`
}
