/** Wraps any exactly-once sink so that it traces what it prepares and commits. The wrapped sink does all the work. */
import { replacing } from './replacing.mjs'
import { trace } from './trace.mjs'

/**
 * `commitEarly`: a broken sink, which commits as soon as it can and before the checkpoint is durable. For the negative
 * control only.
 */
export function tracedSink(sink, { commitEarly = false } = {}) {
  const tracedWriter = async (made, context) => {
    const writer = await made
    const early = commitEarly ? await sink.createCommitter(context) : undefined
    let prepared = []
    const commitPrepared = async () => {
      const committables = prepared
      prepared = []
      if (committables.length > 0) await early?.commit(committables.map((committable) => requestFor(committable)))
    }
    return replacing(writer, {
      async prepareCommit() {
        const committables = await writer.prepareCommit()
        prepared = [...prepared, ...committables]
        if (writer.makeDurable === undefined) await commitPrepared()
        trace('sink.prepared', { subtask: context.subtask, count: committables.length })
        return committables
      },
      ...(writer.makeDurable && {
        async makeDurable(checkpointId) {
          await writer.makeDurable(checkpointId)
          await commitPrepared()
          trace('sink.durable', { subtask: context.subtask, checkpointId })
        },
      }),
    })
  }
  return replacing(sink, {
    createWriter: (context) => tracedWriter(sink.createWriter(context), context),
    ...(sink.restoreWriter && {
      restoreWriter: (context, states) => tracedWriter(sink.restoreWriter(context, states), context),
    }),
    async createCommitter(context) {
      const committer = await sink.createCommitter(context)
      return replacing(committer, {
        async commit(requests) {
          const of = { subtask: context.subtask, count: requests.length, checkpointId: requests[0].checkpointId }
          trace('commit.begun', of)
          await committer.commit(requests)
          trace('commit.ended', of)
        },
      })
    },
  })
}

function requestFor(committable) {
  const unexpected = (reason) => {
    throw new Error(`the early commit failed: ${reason}`)
  }
  return { committable, checkpointId: 0, attempt: 0, retryLater: unexpected, alreadyCommitted() {}, failed: unexpected }
}
