/** The head of a state file says whose state it is, so that a file of another job, checkpoint or operator is recognised. */
import type { SnapshotIdentity } from '../state/snapshot.ts'
import { frame, unframe } from './frame.ts'

export interface StateFileIdentity extends SnapshotIdentity {
  readonly jobId: string
  readonly epoch: number
}

/** No head is longer. */
export const MAX_HEAD_BYTES = 4096

const MAGIC = 'MLRSTATE'
const VERSION = 1

export function encodeHead(identity: StateFileIdentity): Uint8Array {
  const { jobId, epoch, checkpointId, operatorId, subtask, kind, keyGroups } = identity
  return frame(MAGIC, VERSION, { jobId, epoch, checkpointId, operatorId, subtask, kind, keyGroups })
}

export type Head =
  | { readonly type: 'ok'; readonly identity: StateFileIdentity; readonly length: number }
  | { readonly type: 'newer'; readonly version: number; readonly known: number }
  | { readonly type: 'bad'; readonly what: string }

/** Reads the head from the first bytes of a file. Never throws. */
export function decodeHead(bytes: Uint8Array): Head {
  const read = unframe(MAGIC, VERSION, bytes, false)
  switch (read.type) {
    case 'ok':
      return { type: 'ok', identity: Object(read.json) as StateFileIdentity, length: read.length }
    case 'newer':
      return { type: 'newer', version: read.version, known: VERSION }
    case 'bad':
      return { type: 'bad', what: read.what }
  }
}

/** In words, how `found` differs from what was expected; undefined when it does not. */
export function differenceOf(found: StateFileIdentity, expected: StateFileIdentity): string | undefined {
  if (found.jobId !== expected.jobId) return `it is of another job, ${found.jobId} instead of ${expected.jobId}`
  if (found.checkpointId !== expected.checkpointId || found.epoch !== expected.epoch)
    return `it is of another checkpoint, ${found.checkpointId} of epoch ${found.epoch} instead of ${expected.checkpointId} of epoch ${expected.epoch}`
  if (found.operatorId !== expected.operatorId)
    return `it is of another operator, ${found.operatorId} instead of ${expected.operatorId}`
  if (found.subtask !== expected.subtask) return `it is of subtask ${found.subtask} instead of ${expected.subtask}`
  if (found.kind !== expected.kind) return `it is ${found.kind} state instead of ${expected.kind} state`
  if (found.keyGroups?.first !== expected.keyGroups?.first || found.keyGroups?.last !== expected.keyGroups?.last)
    return `it holds the key groups ${groups(found)} instead of ${groups(expected)}`
  return undefined
}

/** In words, whose state it is. */
export function placeOf({ kind, operatorId, subtask }: SnapshotIdentity): string {
  return `the ${kind} state of subtask ${subtask} of operator ${operatorId}`
}

function groups({ keyGroups }: StateFileIdentity): string {
  return keyGroups === undefined ? 'none' : `${keyGroups.first} to ${keyGroups.last}`
}
