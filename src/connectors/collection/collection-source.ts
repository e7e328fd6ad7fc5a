/** The values of a program as a bounded source. After a restore it iterates again and skips what was emitted before. */
import { StreamError } from '../../base/errors.ts'
import type { Source, SourceSplit } from '../../operators/source.ts'
import { type SplitQueueState, splitQueue } from '../split-queue.ts'
import { CollectionReader } from './collection-reader.ts'

export interface CollectionSplit extends SourceSplit {
  /** How many elements were emitted. */
  readonly emitted: number
}

const LARGEST_COPY = 100_000

/**
 * One subtask reads everything, in order. An iterable that can be iterated only once is copied at once. INVALID_ARGUMENT
 * for a string, for what is no iterable, and for such an iterator of more than 100,000 elements.
 */
export function collectionSource<T>(
  values: Iterable<T> & object,
): Source<T, CollectionSplit, SplitQueueState<CollectionSplit>> {
  const repeatable = repeatableOf(values)
  return {
    boundedness: 'bounded',
    createEnumerator: (context, restored) =>
      splitQueue({ context, restored, find: (): readonly CollectionSplit[] => [{ id: '0', emitted: 0 }] }),
    createReader: (context) => new CollectionReader(context, repeatable),
  }
}

function repeatableOf<T>(values: Iterable<T> & object): Iterable<T> {
  const given: unknown = values
  if (typeof given === 'string')
    throw refused('is a string', 'Give an array of strings; to stream the characters, spread the string into one.')
  if (typeof given !== 'object' || given === null || typeof values[Symbol.iterator] !== 'function')
    throw refused('is no iterable', 'Give an array, a Set or any other object with [Symbol.iterator].')
  const iterator: unknown = values[Symbol.iterator]()
  if (iterator !== values) return values
  const copy: T[] = []
  for (const value of values) {
    if (copy.length === LARGEST_COPY)
      throw refused(
        `is an iterator of more than ${LARGEST_COPY} elements that can be iterated only once`,
        'Give something that can be iterated again after a failure, such as { [Symbol.iterator]: () => generate() }.',
      )
    copy.push(value)
  }
  return copy
}

function refused(what: string, hint: string): StreamError {
  return new StreamError('INVALID_ARGUMENT', { message: `fromData: the value ${what}.`, hint })
}
