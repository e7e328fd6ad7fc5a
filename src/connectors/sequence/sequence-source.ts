/** A bounded source of consecutive whole numbers. */
import { StreamError } from '../../base/errors.ts'
import type { Source } from '../../operators/source.ts'
import { type SplitQueueState, splitQueue } from '../split-queue.ts'
import { StridedReader } from './strided-reader.ts'
import { contiguousSplits, type StridedSplit } from './strided-split.ts'

/**
 * The whole numbers from `from` to `to`, both included, in order within each subtask; each subtask has a part of its
 * own. INVALID_ARGUMENT when a bound is no safe integer or `to` lies before `from`.
 */
export function sequenceSource(from: number, to: number): Source<number, StridedSplit, SplitQueueState<StridedSplit>> {
  for (const [name, bound] of [
    ['from', from],
    ['to', to],
  ] as const)
    if (!Number.isSafeInteger(bound))
      throw new StreamError('INVALID_ARGUMENT', {
        message: `fromSequence: \`${name}\` is ${String(bound)}, which is no whole number that JavaScript keeps exactly.`,
        hint: `Give whole numbers from ${Number.MIN_SAFE_INTEGER} to ${Number.MAX_SAFE_INTEGER}.`,
        details: { argument: name, value: String(bound) },
      })
  if (to < from || !Number.isSafeInteger(to - from + 1) || to === Number.MAX_SAFE_INTEGER)
    throw new StreamError('INVALID_ARGUMENT', {
      message: `fromSequence(${from}, ${to}): the range is empty or too large.`,
      hint: 'Both ends are included; `to` must not lie before `from`.',
      details: { from, to },
    })
  return {
    boundedness: 'bounded',
    createEnumerator: (context, restored) =>
      splitQueue({ context, restored, find: () => contiguousSplits(from, to, context.parallelism) }),
    createReader: (context) => new StridedReader(context, (index) => index),
  }
}
