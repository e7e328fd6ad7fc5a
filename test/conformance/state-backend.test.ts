/** What every keyed state backend must do, run by each of them. */
import { describe, test } from 'vitest'
import type { VirtualClock } from '../../src/base/virtual-clock.ts'
import { memoryStateBackend } from '../../src/state/memory/memory-state-backend.ts'
import { stateBackendSuite } from '../../src/testing/state-backend-suite.ts'
import { levelBackends } from '../unit/state/level/level-backends.ts'

const SMALLEST_PARTS = { mostEntries: 1, mostBytes: 1024, chunkKeys: 2 }

const backends = [
  { name: 'hashmap', create: memoryStateBackend },
  {
    name: 'leveldb, of which everything is evicted all the time,',
    create: levelBackends({ cacheBytes: 0 }),
    evicts: true,
    cleanedUp,
  },
  { name: 'leveldb, of which some is evicted,', create: levelBackends({ cacheBytes: 4096 }), evicts: true, cleanedUp },
  {
    name: 'leveldb, of which nothing is evicted,',
    create: levelBackends({ cacheBytes: 64 * 1024 * 1024 }),
    evicts: true,
    cleanedUp,
  },
  {
    name: 'leveldb with every map of two entries in parts, of which everything is evicted,',
    create: levelBackends({ cacheBytes: 0, partSizes: SMALLEST_PARTS }),
    evicts: true,
    cleanedUp,
  },
  {
    name: 'leveldb with every map in parts, of which nothing is evicted,',
    create: levelBackends({ cacheBytes: 64 * 1024 * 1024, partSizes: { ...SMALLEST_PARTS, mostEntries: 0 } }),
    evicts: true,
    cleanedUp,
  },
  {
    name: 'leveldb without incremental checkpoints',
    create: levelBackends({ cacheBytes: 1024, incremental: false }),
    evicts: true,
    cleanedUp,
  },
]

describe.each(backends)('the $name state backend', (options) => {
  for (const { claim, run } of stateBackendSuite(options)) test(claim, run)
})

/** The store is read a page at a time. */
async function cleanedUp(clock: VirtualClock): Promise<void> {
  for (let page = 0; page < 40; page++) {
    clock.advance(10)
    await new Promise((resolve) => setImmediate(resolve))
  }
}
