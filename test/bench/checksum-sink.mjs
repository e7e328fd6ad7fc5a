/** Number, wrapped sum and xor of one hash an output, all three part of the checkpoints; the clock is read at every 64th. */

import { processSeconds } from './measure.mjs'

/** What a run shows from inside: filled by the operators, read by the program that runs the workload. */
export class Probe {
  /** On the monotonic clock of this process, in ms. */
  firstOutputMs = undefined
  failedMs = undefined
  firstOutputAfterFailureMs = undefined
  /** Processor seconds of the process so far. */
  failedCpu = undefined
  firstOutputAfterFailureCpu = undefined
  maxGapMs = 0
  /** The same without the outputs before `steadyFrom`: while the state grows, a Map that doubles is one long pause. */
  maxSteadyGapMs = 0
}

export class ChecksumSink {
  probe
  #hash
  #steadyFrom
  /** By subtask, the writer of the newest attempt. */
  #writers = []

  /** `steadyFrom`: how many outputs a subtask gives before the gaps count as steady. */
  constructor(hash, { probe = new Probe(), steadyFrom = 0 } = {}) {
    this.#hash = hash
    this.probe = probe
    this.#steadyFrom = steadyFrom
  }

  createWriter({ subtask }) {
    return this.restoreWriter({ subtask }, [])
  }

  restoreWriter({ subtask }, states) {
    const writer = new ChecksumWriter(this.#hash, this.probe, this.#steadyFrom, states)
    this.#writers[subtask] = writer
    return writer
  }

  checksum() {
    return formatted(combined(this.#writers))
  }
}

class ChecksumWriter {
  outputs
  sum
  xor
  #hash
  #probe
  #steadyFrom
  #seen = 0
  #lastMs = 0

  constructor(hash, probe, steadyFrom, states) {
    this.#hash = hash
    this.#probe = probe
    this.#steadyFrom = steadyFrom
    const { outputs, sum, xor } = combined(states)
    this.outputs = outputs
    this.sum = sum
    this.xor = xor
  }

  write(value) {
    const h = this.#hash(value)
    if ((this.#seen++ & 63) === 0) this.#look()
    this.outputs++
    this.sum = (this.sum + h) | 0
    this.xor ^= h
  }

  flush() {}

  snapshotState() {
    return [{ outputs: this.outputs, sum: this.sum, xor: this.xor }]
  }

  close() {}

  #look() {
    const now = performance.now()
    const probe = this.#probe
    if (this.#seen > 1) {
      const gap = now - this.#lastMs
      if (gap > probe.maxGapMs) probe.maxGapMs = gap
      if (this.#seen > this.#steadyFrom && gap > probe.maxSteadyGapMs) probe.maxSteadyGapMs = gap
    } else {
      probe.firstOutputMs ??= now
      if (probe.failedMs !== undefined && probe.firstOutputAfterFailureMs === undefined) {
        probe.firstOutputAfterFailureMs = now
        probe.firstOutputAfterFailureCpu = processSeconds()
      }
    }
    this.#lastMs = now
  }
}

/** Parallel sinks, and the states of several of them, add up. */
function combined(parts) {
  const all = { outputs: 0, sum: 0, xor: 0 }
  for (const { outputs, sum, xor } of parts) {
    all.outputs += outputs
    all.sum = (all.sum + sum) | 0
    all.xor ^= xor
  }
  return all
}

/** `outputs:sum:xor`, the last two as eight hexadecimal digits. */
export function formatted({ outputs, sum, xor }) {
  const hex = (number) => (number >>> 0).toString(16).padStart(8, '0')
  return `${outputs}:${hex(sum)}:${hex(xor)}`
}
