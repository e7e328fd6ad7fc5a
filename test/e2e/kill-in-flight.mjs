/** Counts, over the lives of one job, the checkpoints that were completed, those that hold records in flight, and the lives behind such a one. */
export class InFlightTally {
  counts = { checkpoints: 0, checkpointsInFlight: 0, livesBehindInFlight: 0 }
  #lastHolds = false

  /** A process is gone, however it ended. */
  lived({ lines }) {
    if (this.#lastHolds) this.counts.livesBehindInFlight++
    for (const { persistedBytes } of lines.filter(({ type }) => type === 'checkpoint.completed')) {
      this.#lastHolds = persistedBytes > 0
      this.counts.checkpoints++
      if (this.#lastHolds) this.counts.checkpointsInFlight++
    }
  }
}
