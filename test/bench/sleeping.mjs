/** The slow place of S5. One record after the other, 10 ms each: either the subtask waits for it, or its whole thread. */

const word = new Int32Array(new SharedArrayBuffer(4))

/** Nothing else happens in this thread meanwhile: what `Thread.sleep` does to a thread of Flink, which runs one task. */
export function block(ms) {
  Atomics.wait(word, 0, 0, ms)
}

/**
 * Sleeps before each record that it gives on to `sink`, on the clock of the job, and meanwhile its subtask reads nothing:
 * what takes long belongs into a sink or a source, since a map gives its value at once.
 */
export function sleepingSink(sink, ms) {
  const sleeping = (writer, clock) => ({
    async write(value, context) {
      await new Promise((resolve) => clock.setTimer(ms, resolve))
      writer.write(value, context)
    },
    flush: () => writer.flush(),
    snapshotState: () => writer.snapshotState(),
    close: () => writer.close(),
  })
  return {
    createWriter: (context) => sleeping(sink.createWriter(context), context.environment.clock),
    restoreWriter: (context, states) => sleeping(sink.restoreWriter(context, states), context.environment.clock),
  }
}
