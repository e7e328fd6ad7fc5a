/** The kill-test job of the systematic tests: small, so that it can be run once for each of its file operations. */

import type { Configuration } from '../../src/base/config/options.ts'
import type { SimulatedOperation } from '../../src/base/simulated-file-system.ts'
import { Input, type JobSettings, SCRATCH } from './kill-test-job.ts'
import { type Life, live } from './lives.ts'

export const input = new Input({ files: 3, keysPerFile: 3, linesPerFile: 30 })

export const settings: JobSettings = {
  parallelism: 2,
  link: 'direct',
  options: {
    'execution.checkpointing.interval': 12,
    // Nothing that is in order takes as long.
    'execution.checkpointing.timeout': '2 s',
    'execution.channel-credit': 2,
    // State in files of its own.
    'execution.checkpointing.data-inline-threshold': 0,
  },
}

/** State on disk behind a cache that keeps no row, in incremental checkpoints of which several are kept. */
export const ON_DISK: Configuration = {
  'state.backend.type': 'leveldb',
  'state.backend.leveldb.cache-size': 0,
  'state.backend.leveldb.localdir': SCRATCH,
  'execution.checkpointing.num-retained': 2,
}

export const onDisk: JobSettings = { ...settings, options: { ...settings.options, ...ON_DISK } }

/** The operations of a process that nobody disturbs, in their order. */
export async function operationsOf(life: Life, from: Input = input): Promise<readonly SimulatedOperation[]> {
  const operations: SimulatedOperation[] = []
  await live(from, () => ({ ...life, interfere: (operation) => void operations.push(operation) }))
  return operations
}

const READING = new Set<SimulatedOperation['type']>(['open', 'read', 'stat', 'list', 'close'])

/** It leaves the disk as it was: a crash before it leaves what a crash before the last change leaves. */
export function changesNothing({ type }: SimulatedOperation): boolean {
  return READING.has(type)
}
