/** Wraps any sink so that each of its writers takes no more than so many records a second: what comes faster waits before it. */
import { setTimeout as pause } from 'node:timers/promises'
import { replacing } from './replacing.mjs'

const BATCH = 16

/** `rate` 0: as fast as it goes. */
export function slowSink(sink, rate) {
  if (rate === 0) return sink
  const batchMs = (BATCH * 1000) / rate
  const slowWriter = async (made) => {
    const writer = await made
    let written = 0
    return replacing(writer, {
      write(value, context) {
        const writing = writer.write(value, context)
        return ++written % BATCH === 0 ? Promise.all([writing, pause(batchMs)]).then(() => undefined) : writing
      },
    })
  }
  return replacing(sink, {
    createWriter: (context) => slowWriter(sink.createWriter(context)),
    ...(sink.restoreWriter && {
      restoreWriter: (context, states) => slowWriter(sink.restoreWriter(context, states)),
    }),
  })
}
