/** A sink that forgets what it gets: for measurements, and for jobs whose functions do all the work. */
import type { Sink, SinkWriter } from '../../operators/sink.ts'

const writer: SinkWriter<unknown> = { write() {}, flush() {}, close() {} }

/** Takes every record and does nothing with it. */
export class DiscardingSink implements Sink<unknown> {
  createWriter(): SinkWriter<unknown> {
    return writer
  }
}
