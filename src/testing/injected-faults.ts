/**
 * Sources, functions and sinks that fail where a test says so. A fault counts over all subtasks and attempts of its job, so
 * that a failure that comes once does not come again after the restart.
 */
import { StreamError } from '../base/errors.ts'
import type {
  CommitRequest,
  Committer,
  CommittingSinkWriter,
  StatefulSink,
  StatefulSinkWriter,
  TwoPhaseCommittingSink,
} from '../operators/sink.ts'
import type { ReaderOutput, Source, SourceReader, SourceSplit } from '../operators/source.ts'

export interface FaultOptions {
  /** How often it fails, one time right after the other; 1 when left out. */
  readonly times?: number | undefined
  /** What is thrown; left out: an error of code FAULT_INJECTED. */
  readonly error?: unknown
}

/** Reads as the source does, and fails in front of the record behind the first `records` ones. */
export function failingSource<T, Split extends SourceSplit, State>(
  source: Source<T, Split, State>,
  records: number,
  options: FaultOptions = {},
): Source<T, Split, State> {
  const fault = faultAfter(records, `the source, behind ${records} records`, options)
  return {
    boundedness: source.boundedness,
    splitSerializer: source.splitSerializer,
    enumeratorSerializer: source.enumeratorSerializer,
    createEnumerator: (context, restored) => source.createEnumerator(context, restored),
    createReader: (context) => failingReader(source.createReader(context), fault),
  }
}

/** Calls the function, and throws in place of the call behind the first `calls` ones. For map, filter, flatMap, reduce and the like. */
export function failingFunction<Args extends readonly unknown[], Result>(
  fn: (...args: Args) => Result,
  calls: number,
  options: FaultOptions = {},
): (...args: Args) => Result {
  const fault = faultAfter(calls, `the function, behind ${calls} calls`, options)
  return (...args) => {
    fault()
    return fn(...args)
  }
}

export interface SinkFaultOptions extends FaultOptions {
  /** Where it fails. `commit`: before anything is committed. `committed`: when it is, so that only the answer is lost. */
  readonly at: 'write' | 'prepareCommit' | 'commit' | 'committed'
  /** How many of these calls go well before; 0 when left out. */
  readonly after?: number | undefined
}

/** Writes and commits as the sink does, and fails where it is told to. */
export function failingSink<T, C>(
  sink: TwoPhaseCommittingSink<T, C>,
  { at, after = 0, ...options }: SinkFaultOptions,
): TwoPhaseCommittingSink<T, C> {
  const fault = faultAfter(after, `the sink, at ${at}, behind ${after} calls`, options)
  const failAt = (place: SinkFaultOptions['at']) => {
    if (place === at) fault()
  }
  const stateful: MayBeStateful<TwoPhaseCommittingSink<T, C>, StatefulSink<T, unknown>> = sink
  const failing = (
    writer: CommittingSinkWriter<T, C>,
  ): MayBeStateful<typeof writer, StatefulSinkWriter<T, unknown>> => {
    const { makeDurable, snapshotState }: MayBeStateful<typeof writer, StatefulSinkWriter<T, unknown>> = writer
    return {
      write(value, writeContext) {
        failAt('write')
        return writer.write(value, writeContext)
      },
      flush: (endOfInput) => writer.flush(endOfInput),
      prepareCommit() {
        failAt('prepareCommit')
        return writer.prepareCommit()
      },
      ...(makeDurable === undefined ? {} : { makeDurable: (id) => makeDurable.call(writer, id) }),
      ...(snapshotState === undefined ? {} : { snapshotState: (id) => snapshotState.call(writer, id) }),
      close: () => writer.close(),
    }
  }
  const { committableSerializer, stateSerializer, stateDistribution, restoreWriter } = stateful
  return {
    ...(committableSerializer === undefined ? {} : { committableSerializer }),
    ...(restoreWriter === undefined
      ? {}
      : {
          stateSerializer,
          stateDistribution,
          restoreWriter: async (...given: Parameters<typeof restoreWriter>) =>
            failing(
              (await restoreWriter.apply(sink, given)) as CommittingSinkWriter<T, C> & StatefulSinkWriter<T, unknown>,
            ),
        }),
    createWriter: async (context) => failing(await sink.createWriter(context)),
    async createCommitter(context): Promise<Committer<C>> {
      const committer = await sink.createCommitter(context)
      return {
        async commit(requests: readonly CommitRequest<C>[]) {
          failAt('commit')
          await committer.commit(requests)
          failAt('committed')
        },
        close: () => committer.close(),
      }
    },
  }
}

/** What may be there beside what is asked for. */
type MayBeStateful<One, Stateful> = One & Partial<Stateful>

function failingReader<T, Split extends SourceSplit>(
  reader: SourceReader<T, Split>,
  fault: () => void,
): SourceReader<T, Split> {
  let wrapped: { readonly output: ReaderOutput<T>; readonly failing: ReaderOutput<T> } | undefined
  return {
    start: () => reader.start(),
    pollNext(output) {
      if (wrapped?.output !== output) wrapped = { output, failing: failingOutput(output, fault) }
      return reader.pollNext(wrapped.failing)
    },
    isAvailable: () => reader.isAvailable(),
    snapshotState: (checkpointId) => reader.snapshotState(checkpointId),
    addSplits: (splits) => reader.addSplits(splits),
    notifyNoMoreSplits: () => reader.notifyNoMoreSplits(),
    notifyCheckpointComplete: (checkpointId) => reader.notifyCheckpointComplete?.(checkpointId),
    close: () => reader.close(),
  }
}

function failingOutput<T>(output: ReaderOutput<T>, fault: () => void): ReaderOutput<T> {
  return {
    collect(value, timestamp) {
      fault()
      output.collect(value, timestamp)
    },
    output: (tag, value, timestamp) => output.output(tag, value, timestamp),
    emitWatermark: (timestamp) => output.emitWatermark(timestamp),
    markIdle: () => output.markIdle(),
    markActive: () => output.markActive(),
    createOutputForSplit: (splitId) => failingOutput(output.createOutputForSplit(splitId), fault),
    releaseOutputForSplit: (splitId) => output.releaseOutputForSplit(splitId),
  }
}

/** Throws at the calls behind the first `calls` ones, `times` times. */
function faultAfter(calls: number, what: string, { times = 1, ...options }: FaultOptions): () => void {
  let seen = 0
  return () => {
    const nth = seen++ - calls
    if (nth < 0 || nth >= times) return
    if ('error' in options) throw options.error
    throw new StreamError('FAULT_INJECTED', {
      message: `A fault was injected into ${what}.`,
      hint: 'A test asked for it.',
      details: { calls, failure: nth + 1 },
    })
  }
}
