/** Replays a redistribution trace through the functions that decide where state goes when a job is restored. */
import { StreamError } from '../base/errors.ts'
import { ambiguousIn, oldSubtasksByRange, oldSubtasksInTurn } from '../state/channel-redistribution.ts'
import {
  defaultMaxParallelism,
  HIGHEST_MAX_PARALLELISM,
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
      readonly mapper: 'range' | 'roundRobin'
      readonly oldParallelism: number
      readonly newParallelism: number
    }

export type RedistributionReplay =
  | { readonly ranges: readonly (readonly [first: number, last: number])[] }
  | { readonly maxParallelism: number }
  | { readonly hash: number; readonly keyGroup: number; readonly subtask?: number | undefined }
  | { readonly subtasks: readonly Readonly<Record<string, readonly string[]>>[] }
  | { readonly oldSubtasks: readonly (readonly number[])[]; readonly ambiguous: readonly number[] }

/** Throws INVALID_KEY for what cannot be a key, TRACE_INVALID for an unknown mapper. */
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
      return replayChannelState(trace)
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

/** Flink's mapper by range knows no max parallelism of the operator: it takes the highest. */
function replayChannelState(trace: RedistributionTrace & { readonly kind: 'channelState' }): RedistributionReplay {
  const { mapper, oldParallelism, newParallelism } = trace
  const oldSubtasks = Array.from({ length: newParallelism }, (_, subtask) => {
    switch (mapper) {
      case 'range':
        return oldSubtasksByRange(subtask, oldParallelism, newParallelism, HIGHEST_MAX_PARALLELISM)
      case 'roundRobin':
        return oldSubtasksInTurn(subtask, oldParallelism, newParallelism)
      default:
        throw unknownMapper(mapper)
    }
  })
  return { oldSubtasks, ambiguous: ambiguousIn(oldSubtasks) }
}

function unknownMapper(mapper: never): StreamError {
  return new StreamError('TRACE_INVALID', {
    message: `The mapper '${String(mapper)}' of channel state does not exist.`,
    hint: "It is 'range' or 'roundRobin'.",
    details: { mapper: String(mapper) },
  })
}
