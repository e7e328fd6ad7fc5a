/** The frozen workloads as plain loops, without an engine: what the checksums are judged by, and a limit of the speed. */
import { formatted } from './checksum-sink.mjs'
import { countHash, recordHash, recordMaker } from './generator.mjs'

class Checksum {
  outputs = 0
  sum = 0
  xor = 0

  add(hash) {
    this.outputs++
    this.sum = (this.sum + hash) | 0
    this.xor ^= hash
  }
}

function countPerKey(options) {
  const make = recordMaker(options)
  return (checksum) => {
    const state = new Map()
    for (let i = 0; i < options.records; i++) {
      const record = make(i)
      const count = (state.get(record.key) ?? 0) + 1
      state.set(record.key, count)
      checksum.add(countHash({ key: record.key, count }))
    }
  }
}

/** Each prepares what stands ready before the clock starts, and gives the loop. */
const loops = {
  S0(options) {
    const make = recordMaker(options)
    return (checksum) => {
      for (let i = 0; i < options.records; i++) checksum.add(recordHash(make(i)))
    }
  },
  S1:
    ({ records }) =>
    (checksum) => {
      for (let i = 0; i < records; i++) {
        const y = (2 * i + 1) | 0
        if (y % 3 === 0) checksum.add(y)
      }
    },
  S2: countPerKey,
  S6: (options) => countPerKey({ ...options, preload: true }),
  S7: (options) => countPerKey({ ...options, preload: true }),
}

/** `run()` gives the checksum. `options`: `records`, `keys`, `freshKeys`. */
export function plainLoop(workload, options) {
  const loop = loops[workload](options)
  return () => {
    const checksum = new Checksum()
    loop(checksum)
    return formatted(checksum)
  }
}
