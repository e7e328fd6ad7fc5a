/** What a harness gives as a snapshot, and how it comes back at any parallelism. Plain JSON, so that it can be kept in a file. */
import { StreamError } from '../base/errors.ts'
import { defaultMaxParallelism, keyGroupRanges } from '../state/key-groups.ts'
import type { StoredKeyedState } from '../state/state-backend.ts'
import { storedInline } from './keyed-snapshot.ts'

/** The state of one operator at one moment. Plain JSON: kept in a file, it shows whether later programs still read it. */
export interface HarnessSnapshot {
  readonly checkpointId: number
  readonly maxParallelism: number
  /** One entry a subtask: its length is the parallelism. */
  readonly subtasks: readonly SubtaskSnapshot[]
}

export interface SubtaskSnapshot {
  /** Operator state, in base64; left out where there is none. */
  readonly operator?: string | undefined
  /** Keyed state and timers, in base64, of these key groups. */
  readonly keyed?: { readonly first: number; readonly last: number; readonly bytes: string } | undefined
}

/** What every subtask is given at a restore: it takes its share. */
export interface RestoredState {
  readonly checkpointId: number
  readonly operator: readonly (Uint8Array | undefined)[]
  readonly keyed: readonly StoredKeyedState[]
}

export function restoredState({ checkpointId, subtasks }: HarnessSnapshot): RestoredState {
  return {
    checkpointId,
    operator: subtasks.map(({ operator }) => (operator === undefined ? undefined : fromBase64(operator))),
    keyed: subtasks.flatMap(({ keyed }) =>
      keyed === undefined ? [] : [storedInline(keyed.bytes, { first: keyed.first, last: keyed.last })],
    ),
  }
}

export interface Scale {
  readonly parallelism: number
  readonly maxParallelism: number
}

/** As a job decides it: the max parallelism of the snapshot, where the program leaves it open. */
export function scaleOf(
  { parallelism = 1, maxParallelism }: { parallelism?: number | undefined; maxParallelism?: number | undefined },
  restoreFrom: HarnessSnapshot | undefined,
): Scale {
  const stored = restoreFrom?.subtasks.some(({ keyed }) => keyed !== undefined) ? restoreFrom.maxParallelism : undefined
  if (stored !== undefined && maxParallelism !== undefined && maxParallelism !== stored)
    throw new StreamError('MAX_PARALLELISM_CHANGED', {
      message: `The harness has max parallelism ${maxParallelism}, and the snapshot was taken with ${stored}.`,
      hint: `Leave maxParallelism out, or set it to ${stored}.`,
      details: { maxParallelism, storedMaxParallelism: stored },
    })
  const scale = { parallelism, maxParallelism: maxParallelism ?? stored ?? defaultMaxParallelism(parallelism) }
  keyGroupRanges(scale.maxParallelism, parallelism)
  return scale
}

export function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64')
}

function fromBase64(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'base64'))
}
