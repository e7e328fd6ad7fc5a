/** Replays a redistribution trace through the functions that decide where state goes when a job is restored. */
import { StreamError } from '../base/errors.ts'
import {
  defaultMaxParallelism,
  hashOfDouble,
  hashOfKey,
  keyGroupOfHash,
  keyGroupRanges,
  subtaskOfKeyGroup,
} from '../state/key-groups.ts'
import { type RedistributionMode, redistributeOperatorState } from '../state/redistribution.ts'

export type RedistributionTrace =
  | { readonly kind: 'keyGroupRanges'; readonly maxParallelism: number; readonly parallelism: number }
  | { readonly kind: 'defaultMaxParallelism'; readonly parallelism: number }
  | {
      readonly kind: 'keyGroup'
      readonly keyType: 'string' | 'int' | 'long' | 'double' | 'boolean' | 'hash'
      readonly key: string | number | boolean | null
      readonly maxParallelism: number
      readonly parallelism?: number | undefined
    }
  | {
      readonly kind: 'operatorState'
      readonly oldParallelism: number
      readonly newParallelism: number
      readonly states: readonly {
        readonly name: string
        readonly mode: RedistributionMode
        /** By old subtask; null where it reported nothing. */
        readonly subtasks: readonly (readonly string[] | null)[]
      }[]
    }
  | {
      readonly kind: 'channelState'
      readonly mapper: string
      readonly oldParallelism: number
      readonly newParallelism: number
    }

export type RedistributionReplay =
  | { readonly ranges: readonly (readonly [first: number, last: number])[] }
  | { readonly maxParallelism: number }
  | { readonly hash: number; readonly keyGroup: number; readonly subtask?: number | undefined }
  | { readonly subtasks: readonly Readonly<Record<string, readonly string[]>>[] }

/** Throws INVALID_KEY for what cannot be a key, UNSUPPORTED for the state of channels. */
export function replayRedistribution(trace: RedistributionTrace): RedistributionReplay {
  switch (trace.kind) {
    case 'keyGroupRanges':
      return { ranges: keyGroupRanges(trace.maxParallelism, trace.parallelism).map(({ first, last }) => [first, last]) }
    case 'defaultMaxParallelism':
      return { maxParallelism: defaultMaxParallelism(trace.parallelism) }
    case 'keyGroup':
      return replayKeyGroup(trace)
    case 'operatorState':
      return replayOperatorState(trace)
    case 'channelState':
      throw new StreamError('UNSUPPORTED', {
        message: 'The redistribution of in-flight data is not part of this version.',
        hint: 'Use aligned checkpoints, which have none.',
      })
    default:
      return trace satisfies never
  }
}

function replayKeyGroup(trace: RedistributionTrace & { readonly kind: 'keyGroup' }): RedistributionReplay {
  const { keyType, key, maxParallelism, parallelism } = trace
  const hash = hashOf(keyType, key)
  const keyGroup = keyGroupOfHash(hash, maxParallelism)
  return {
    hash,
    keyGroup,
    ...(parallelism === undefined ? {} : { subtask: subtaskOfKeyGroup(keyGroup, maxParallelism, parallelism) }),
  }
}

function hashOf(
  keyType: (RedistributionTrace & { readonly kind: 'keyGroup' })['keyType'],
  key: string | number | boolean | null,
): number {
  if (keyType === 'hash') return Number(key)
  if (keyType === 'double' && typeof key === 'number') return hashOfDouble(key)
  return hashOfKey(keyType === 'long' && typeof key === 'number' ? BigInt(key) : key)
}

function replayOperatorState(trace: RedistributionTrace & { readonly kind: 'operatorState' }): RedistributionReplay {
  const reported = Array.from({ length: trace.oldParallelism }, (_, subtask) =>
    trace.states.flatMap(({ name, mode, subtasks }) => {
      const elements = subtasks[subtask]
      return elements === null || elements === undefined ? [] : [{ name, mode, elements }]
    }),
  )
  const shares = redistributeOperatorState(reported, trace.newParallelism)
  return { subtasks: shares.map((states) => Object.fromEntries(states.map(({ name, elements }) => [name, elements]))) }
}
