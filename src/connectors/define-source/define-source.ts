/** A user's own replayable source from a few functions. Everything that waits is done here, ahead of the records' way. */
import { type Duration, toMilliseconds } from '../../base/config/duration.ts'
import { StreamError } from '../../base/errors.ts'
import type { Boundedness, Source } from '../../operators/source.ts'
import { type DefinedEnumeratorState, definedEnumerator } from './defined-enumerator.ts'
import { DefinedReader } from './defined-reader.ts'
import type { DefinedSplit } from './defined-split.ts'

/** What `read` yields: a record and the place behind it. */
export interface SourceRecord<out T, out P> {
  readonly value: T
  /** Where reading goes on behind this record. Plain data. */
  readonly position: P
  /** Milliseconds since the epoch. */
  readonly timestamp?: number | undefined
}

/** A split by its id alone, or with the position at which it starts. */
export type DefinedSplitId<P> = string | { readonly id: string; readonly position: P }

interface SourceDefinition<T, P, Read> {
  readonly boundedness: Boundedness
  /** For a fresh start and, with `discoverEvery`, again; ids that are known are dropped. */
  splits(): readonly DefinedSplitId<P>[] | Promise<readonly DefinedSplitId<P>[]>
  /**
   * Yields the records of one split from `position` on. A return ends the split; in an unbounded source it is an error,
   * unless `signal` was aborted. What is yielded after the abort is dropped.
   */
  readonly read: (split: string, position: Read, signal: AbortSignal) => AsyncIterable<SourceRecord<T, P>>
  /** Looks for further splits this often. Only where the source is unbounded. */
  readonly discoverEvery?: Duration | undefined
}

/** `start` gives the position of a fresh split once; it is stored and never asked again after a restore. */
export type DefineSourceOptions<T, P> = SourceDefinition<T, P, P> & { start(split: string): P }
/** Without `start` the position of a fresh split is undefined, unless `splits` gave one. */
export type DefineSourceOptionsWithoutStart<T, P> = SourceDefinition<T, P, P | undefined> & {
  readonly start?: undefined
}

/** What `defineSource` makes: a source for `fromSource`. */
export type DefinedSource<T, P> = Source<T, DefinedSplit<P>, DefinedEnumeratorState<P>>

/**
 * A replayable source of your own, for `fromSource`. A subtask of a bounded one reads a split to its end before it asks for
 * the next; of an unbounded one it reads all its splits at once. INVALID_ARGUMENT when a member is missing, or
 * `discoverEvery` stands in a bounded source.
 */
export function defineSource<T, P>(options: DefineSourceOptionsWithoutStart<T, P>): DefinedSource<T, P>
/** As above, with a `start` that gives the position of a fresh split. */
export function defineSource<T, P>(options: DefineSourceOptions<T, P>): DefinedSource<T, P>
export function defineSource<T, P>(
  options: DefineSourceOptions<T, P> | DefineSourceOptionsWithoutStart<T, P>,
): DefinedSource<T, P> {
  const { boundedness, discoverEvery } = options
  const discoverEveryMs = discoverEvery === undefined ? undefined : toMilliseconds(discoverEvery, 'discoverEvery')
  if (boundedness !== 'bounded' && boundedness !== 'continuous-unbounded')
    throw refused('boundedness', "is neither 'bounded' nor 'continuous-unbounded'")
  for (const member of ['splits', 'read'] as const)
    if (typeof options[member] !== 'function') throw refused(member, 'is no function')
  if (discoverEveryMs !== undefined && boundedness === 'bounded')
    throw refused('discoverEvery', 'stands in a bounded source, which would never end')
  const read = options.read as SourceDefinition<T, P, P | undefined>['read']
  return {
    boundedness,
    createEnumerator: (context, restored) =>
      definedEnumerator({
        context,
        restored,
        pulled: boundedness === 'bounded',
        discoverEveryMs,
        splits: async () => options.splits(),
        start: (split) => options.start?.(split),
      }),
    createReader: (context) =>
      new DefinedReader<T, P>({
        context,
        bounded: boundedness === 'bounded',
        read: (...of) => read.apply(options, of),
      }),
  }
}

function refused(member: string, why: string): StreamError {
  return new StreamError('INVALID_ARGUMENT', {
    message: `defineSource: \`${member}\` ${why}.`,
    hint: 'Give { boundedness, splits, read } and, where reading starts at a position, start.',
    details: { member },
  })
}
