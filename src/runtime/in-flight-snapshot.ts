/**
 * The records in flight of one unaligned checkpoint of one subtask: serialised beside the records while they are still being
 * captured, as far as the limit allows. It captures nothing itself and writes no file.
 */
import type { Clock } from '../base/clock.ts'
import { messageOf, StreamError } from '../base/errors.ts'
import { DEFAULT_SERIALIZER_ID } from '../elements/serializer.ts'
import { type ChannelSectionWriter, ChannelStateWriter, type WrittenChannels } from '../state/channel-state-writer.ts'
import type { ChannelCapture } from './data/channel-capture.ts'
import type { BackgroundWork, TurnLoop } from './data/turn-loop.ts'
import type { IncomingChannel } from './incoming-channels.ts'

export interface InFlightOptions {
  readonly checkpointId: number
  /** Of the subtask, for messages. */
  readonly name: string
  /** By index of the channel. */
  readonly incoming: readonly IncomingChannel[]
  readonly limitBytes: number
  readonly turnLoop: TurnLoop
  readonly clock: Clock
  /** Begins the capture; `changed` is called whenever there is more of it, and at its end. */
  capture(changed: () => void): ChannelCapture
}

/** Something else came in its place, or its abort. */
const SUBSUMED = 'CHECKPOINT_DECLINED_SUBSUMED'

/** Records serialised at a time: short enough for any slice of a turn. */
const RECORDS_PER_STEP = 100

export class InFlightSnapshot implements BackgroundWork {
  /**
   * Settles when all barriers are here and everything captured is serialised; undefined: nothing was in flight. Rejects
   * with NOT_SERIALIZABLE, IN_FLIGHT_TOO_LARGE, or CHECKPOINT_DISCARDED where the capture was dropped.
   */
  readonly complete: Promise<WrittenChannels | undefined>
  readonly capture: ChannelCapture
  readonly #options: InFlightOptions
  readonly #writer = new ChannelStateWriter()
  /** In the order of the captured channels. */
  readonly #sections: readonly ChannelSectionWriter[]
  readonly #serialised: number[]
  #state: 'starting' | 'waiting' | 'working' | 'over' = 'starting'
  #resolve: (written: WrittenChannels | undefined) => void = () => {}
  #reject: (thrown: unknown) => void = () => {}

  constructor(options: InFlightOptions) {
    this.#options = options
    this.complete = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    // Perhaps nobody waits for it any more.
    this.complete.catch(() => {})
    this.capture = options.capture(() => this.#changed())
    this.#sections = this.capture.records.map(({ channel }) => {
      const { section, serializer } = options.incoming[channel] as IncomingChannel
      return this.#writer.section(section, serializer)
    })
    this.#serialised = this.capture.records.map(() => 0)
    this.#state = 'waiting'
    this.#changed()
  }

  step(untilMs: number): boolean {
    try {
      do if (!this.#serialiseSome()) return this.#caughtUp()
      while (this.#options.clock.monotonic() < untilMs)
      return false
    } catch (thrown) {
      this.#fail(thrown)
      return true
    }
  }

  /** Not all barriers will come. `reason`: one of Flink's. Harmless when it is complete. */
  abandon(reason: string): void {
    this.#fail(this.#givenUp(reason))
  }

  /** Nobody will write it, or it is written. Harmless at any time. */
  release(): void {
    this.abandon(SUBSUMED)
    this.#writer.release()
  }

  #changed(): void {
    if (this.#state !== 'waiting') return
    this.#state = 'working'
    this.#options.turnLoop.addBackground(this)
  }

  /** False when all that was captured so far is serialised. */
  #serialiseSome(): boolean {
    const { records } = this.capture
    const next = records.findIndex(({ values }, index) => (this.#serialised[index] as number) < values.length)
    const captured = records[next]
    if (captured === undefined) return false
    const { values, timestamps } = captured
    const from = this.#serialised[next] as number
    const to = Math.min(values.length, from + RECORDS_PER_STEP)
    try {
      for (let index = from; index < to; index++) {
        this.#sections[next]?.append(values[index], timestamps[index] as number)
        values[index] = undefined
      }
    } catch (thrown) {
      // A serializer of the user, or a value that the default one refuses.
      throw this.#refused(captured.channel, thrown)
    }
    this.#serialised[next] = to
    if (this.#writer.bytes > this.#options.limitBytes) throw this.#tooLarge()
    return true
  }

  #caughtUp(): boolean {
    if (this.#state === 'over') return true
    this.#state = 'waiting'
    if (this.capture.state === 'dropped') this.abandon(SUBSUMED)
    if (this.capture.state !== 'finished') return true
    this.#state = 'over'
    this.#resolve(this.#writer.finish())
    return true
  }

  #fail(thrown: unknown): void {
    if (this.#state === 'over') return
    this.#state = 'over'
    this.#options.turnLoop.removeBackground(this)
    this.capture.drop()
    this.#reject(thrown)
  }

  #givenUp(reason: string): StreamError {
    const { checkpointId, name } = this.#options
    return new StreamError('CHECKPOINT_DISCARDED', {
      message: `Checkpoint ${checkpointId} of ${name} was given up while its records in flight were captured.`,
      details: { checkpointId, reason },
    })
  }

  #refused(channel: number, cause: unknown): StreamError {
    const { names, serializer } = this.#options.incoming[channel] as IncomingChannel
    const { from, to } = names
    return new StreamError('NOT_SERIALIZABLE', {
      message: `A record in flight from "${from}" to "${to}" cannot be stored with an unaligned checkpoint (serializer ${serializer?.id ?? DEFAULT_SERIALIZER_ID}): ${messageOf(cause)}`,
      hint: `Emit plain data only, or give "${from}" a serializer that knows the type: withSerializer(...). \`millrace run --check\` finds such records at once.`,
      details: { from, to, ...(StreamError.is(cause) ? cause.details : {}) },
      cause,
    })
  }

  #tooLarge(): StreamError {
    const { checkpointId, name, limitBytes } = this.#options
    return new StreamError('IN_FLIGHT_TOO_LARGE', {
      message: `Checkpoint ${checkpointId} would hold more than ${limitBytes} bytes of records in flight to ${name}.`,
      hint: 'Raise execution.checkpointing.unaligned.max-in-flight-size, lower execution.channel-credit, or let checkpoints align for longer (execution.checkpointing.aligned-checkpoint-timeout).',
      details: { checkpointId, limitBytes, reason: 'CHECKPOINT_DECLINED_ALIGNMENT_LIMIT_EXCEEDED' },
    })
  }
}
