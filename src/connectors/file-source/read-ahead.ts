/** Keeps a few chunks of an asynchronous sequence ready, so that taking one never waits. Reads no further than that. */
const CHUNKS_READY = 2

export class ReadAhead {
  readonly #ready: Uint8Array[] = []
  readonly #wake: () => void
  readonly #running: Promise<void>
  #room: (() => void) | undefined
  #state: 'reading' | 'ended' | 'failed' | 'closed' = 'reading'
  #failure: unknown

  /** Starts at once. `wake` is called whenever there may be something new to see. */
  constructor(chunks: AsyncIterable<Uint8Array>, wake: () => void) {
    this.#wake = wake
    this.#running = this.#run(chunks)
  }

  /** Undefined: nothing is ready. Throws what made reading fail, after the chunks before it. */
  take(): Uint8Array | undefined {
    const chunk = this.#ready.shift()
    if (chunk === undefined && this.#state === 'failed') throw this.#failure
    this.#room?.()
    return chunk
  }

  /** Everything was taken, and nothing will come. */
  get ended(): boolean {
    return this.#state === 'ended' && this.#ready.length === 0
  }

  /** Resolves when the file is closed. Never rejects. */
  async close(): Promise<void> {
    this.#state = 'closed'
    this.#room?.()
    await this.#running
  }

  async #run(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    try {
      for await (const chunk of chunks) {
        this.#ready.push(chunk)
        this.#wake()
        while (this.#ready.length >= CHUNKS_READY && this.#state === 'reading') await this.#taken()
        if (this.#state !== 'reading') return
      }
      if (this.#state === 'reading') this.#state = 'ended'
    } catch (thrown) {
      // Whatever reading threw is thrown on by `take`, in its place behind the chunks that were read.
      this.#failure = thrown
      if (this.#state === 'reading') this.#state = 'failed'
    }
    this.#wake()
  }

  #taken(): Promise<void> {
    return new Promise((settle) => {
      this.#room = () => {
        this.#room = undefined
        settle()
      }
    })
  }
}
