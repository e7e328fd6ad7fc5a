/**
 * The writer of an exchange under `execution.debug-freeze`: each record goes through the serializer of the edge and back,
 * and the copy is handed on, as it would be between two threads. What does not survive that is found here.
 */

import { messageOf, StreamError } from '../../base/errors.ts'
import { deepFreeze } from '../../elements/deep-freeze.ts'
import { defaultSerializer, type Serializer } from '../../elements/serializer.ts'
import type { ControlElement } from '../../elements/stream-element.ts'
import type { Channel } from './channel.ts'
import type { RecordWriter } from './record-writer.ts'

export interface EdgeNames {
  /** The operator that emits, and the one that receives. */
  readonly from: string
  readonly to: string
}

export class RoundTripWriter implements RecordWriter {
  readonly channels: readonly Channel[]
  readonly broadcast: boolean
  readonly #writer: RecordWriter
  readonly #serializer: Serializer<unknown>
  readonly #names: EdgeNames

  constructor(writer: RecordWriter, serializer: Serializer<unknown> | undefined, names: EdgeNames) {
    this.channels = writer.channels
    this.broadcast = writer.broadcast
    this.#writer = writer
    this.#serializer = serializer ?? defaultSerializer()
    this.#names = names
  }

  get watermark(): number {
    return this.#writer.watermark
  }

  processElement(value: unknown, timestamp: number): void {
    this.#writer.processElement(deepFreeze(this.#roundTrip(value)), timestamp)
  }

  processWatermark(timestamp: number): void {
    this.#writer.processWatermark(timestamp)
  }

  processWatermarkStatus(idle: boolean): void {
    this.#writer.processWatermarkStatus(idle)
  }

  writeControl(element: ControlElement): void {
    this.#writer.writeControl(element)
  }

  #roundTrip(value: unknown): unknown {
    const serializer = this.#serializer
    let bytes: unknown
    try {
      bytes = serializer.serialize(value)
    } catch (thrown) {
      // A serializer of the user, or a value that the default one refuses.
      throw this.#refused('cannot be serialised', thrown)
    }
    if (!(bytes instanceof Uint8Array))
      throw this.#refused('cannot be serialised', new TypeError(`serialize returned ${typeof bytes}, not a Uint8Array`))
    try {
      return serializer.deserialize(bytes, serializer.version)
    } catch (thrown) {
      // What was written cannot be read back.
      throw this.#refused('cannot be read back from what was serialised', thrown)
    }
  }

  #refused(what: string, cause: unknown): StreamError {
    const { from, to } = this.#names
    const { id } = this.#serializer
    return new StreamError('NOT_SERIALIZABLE', {
      message: `A record from "${from}" to "${to}" ${what} (serializer ${id}): ${messageOf(cause)}`,
      hint: `Keep plain data only, or give "${from}" a serializer that knows the type: withSerializer(...). Without execution.debug-freeze (--check) only unaligned checkpoints serialise records.`,
      details: { from, to, serializer: id, ...(StreamError.is(cause) ? cause.details : {}) },
      cause,
    })
  }
}
