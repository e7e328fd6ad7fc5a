/** A user's own exactly-once sink from a few functions. */
import { StreamError } from '../../base/errors.ts'
import type { Committer, CommittingSinkWriter, TwoPhaseCommittingSink, WriteContext } from '../../operators/sink.ts'

/** The few functions that an exactly-once sink is made of. */
export interface DefineSinkOptions<Connection, T, C> {
  /** Once for each subtask and attempt for writing, and once more for committing: two connections, closed one by one. */
  open(): Connection | Promise<Connection>
  /** Per record. A returned promise pauses this subtask until it settles. */
  write(connection: Connection, value: T, context: WriteContext): unknown
  /** Before each checkpoint and at the end of the input: what `commit` will make visible. Undefined: nothing. */
  prepare(connection: Connection): C | undefined | Promise<C | undefined>
  /**
   * When the checkpoint is complete, and again after a restore: it must bear the same ids twice. A throw fails the task, and
   * the restart commits again.
   */
  commit(connection: Connection, ids: readonly C[]): unknown
  /** Once for writing and once for committing, at the end of each attempt. */
  readonly close?: ((connection: Connection) => unknown) | undefined
}

/**
 * An exactly-once sink of your own, for `sinkTo`: `prepare` makes what was written safe, without showing it, before each
 * checkpoint; `commit` shows it when the checkpoint is complete. Without checkpointing both come once, at the end of the
 * input. INVALID_ARGUMENT when a member is missing.
 */
export function defineSink<Connection, T, C>(
  options: DefineSinkOptions<Connection, T, C>,
): TwoPhaseCommittingSink<T, C> {
  for (const member of ['open', 'write', 'prepare', 'commit'] as const)
    if (typeof options[member] !== 'function')
      throw new StreamError('INVALID_ARGUMENT', {
        message: `defineSink: \`${member}\` is no function.`,
        hint: 'Give { open, write, prepare, commit } and, if there is something to close, close.',
        details: { member },
      })
  return {
    async createWriter(): Promise<CommittingSinkWriter<T, C>> {
      const connection = await options.open()
      return {
        write: (value, context) => options.write(connection, value, context) as void | Promise<void>,
        flush() {},
        async prepareCommit() {
          const id = await options.prepare(connection)
          return id === undefined ? [] : [id]
        },
        async close() {
          await options.close?.(connection)
        },
      }
    },
    async createCommitter(): Promise<Committer<C>> {
      const connection = await options.open()
      return {
        async commit(requests) {
          await options.commit(
            connection,
            requests.map(({ committable }) => committable),
          )
        },
        async close() {
          await options.close?.(connection)
        },
      }
    },
  }
}
