/** The cost of a snapshot by itself: a table that nothing changes is walked and encoded, in ns a key. */

import { recordMaker } from './generator.mjs'
import { median } from './measure.mjs'

const ROUNDS = 7
const clock = { now: () => Date.now(), monotonic: () => performance.now() }

/** Not reached through the public API: nothing else runs while the state is walked. */
export async function snapshotWalkNsPerKey(keys) {
  const { memoryStateBackend } = await import('../../dist/src/state/memory/memory-state-backend.js')
  const { ValueStateDescriptor } = await import('millrace')
  const backend = memoryStateBackend({ maxParallelism: 128, keyGroups: { first: 0, last: 127 }, clock })
  const count = backend.getState(new ValueStateDescriptor('count'))
  const make = recordMaker({ keys, freshKeys: false, preload: true })
  for (let i = 0; i < keys; i++) {
    backend.setCurrentKey(make(i).key)
    count.update(1 + (i % 5))
  }
  const all = []
  for (let round = 0; round < ROUNDS; round++) {
    const startMs = performance.now()
    const frozen = backend.freeze(round + 1)
    while (!frozen.step(10_000)) {}
    for (const _ of frozen.payload());
    frozen.release()
    all.push(((performance.now() - startMs) * 1e6) / keys)
  }
  return Math.round(median(all))
}
