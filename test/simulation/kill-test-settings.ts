/** The kill-test job of the systematic tests: small, so that it can be run once for each of its file operations. */
import type { SimulatedOperation } from '../../src/base/simulated-file-system.ts'
import { Input, type JobSettings } from './kill-test-job.ts'
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

/** The operations of a process that nobody disturbs, in their order. */
export async function operationsOf(life: Life): Promise<readonly SimulatedOperation[]> {
  const operations: SimulatedOperation[] = []
  await live(input, () => ({ ...life, interfere: (operation) => void operations.push(operation) }))
  return operations
}

const READING = new Set<SimulatedOperation['type']>(['open', 'read', 'stat', 'list', 'close'])

/** It leaves the disk as it was: a crash before it leaves what a crash before the last change leaves. */
export function changesNothing({ type }: SimulatedOperation): boolean {
  return READING.has(type)
}
