/** Cases in which the disk fails once: at each of many operations of one process, with each code that fits the operation. */
import type { SimulatedOperation } from '../../src/base/simulated-file-system.ts'
import type { JobEvent } from '../../src/runtime/job-handle.ts'
import type { Case } from './cases.ts'
import type { Input, JobSettings } from './kill-test-job.ts'
import { type History, type Life, live } from './lives.ts'

/** What a disk may answer, by what it was asked. */
const CODES: Readonly<Record<SimulatedOperation['type'], readonly string[]>> = {
  create: ['ENOSPC', 'EMFILE'],
  write: ['ENOSPC', 'EIO'],
  sync: ['EIO', 'ENOSPC'],
  close: ['EIO'],
  makeFolder: ['ENOSPC'],
  rename: ['EIO', 'ENOSPC'],
  link: ['ENOSPC'],
  unlink: ['EIO'],
  removeFolder: ['EIO'],
  syncFolder: ['EIO'],
  open: ['EMFILE'],
  read: ['EIO'],
  stat: ['EIO'],
  list: ['EMFILE'],
}

/** Fails each operation in turn, with each code, of the process that follows on `before`; the next ones are left in peace. */
export function* failures(
  operations: readonly SimulatedOperation[],
  job: JobSettings,
  input: Input,
  {
    before = [],
    besides = () => undefined,
    check = () => [],
  }: {
    readonly before?: readonly Life[]
    /** What the disk does in every process besides. */
    readonly besides?: NonNullable<Life['interfere']>
    check?(history: History): readonly string[]
  } = {},
): Iterable<Case> {
  for (const { index, type } of operations)
    for (const code of CODES[type]) {
      const failing: Life = {
        settings: job,
        seed: 1 + before.length,
        disturbed: true,
        // Half of what was to be written arrives.
        interfere: (operation) => (operation.index === index ? { type: 'fail', code, bytes: 7 } : besides(operation)),
      }
      const run = async () => {
        const lives = [...before, failing]
        const history = await live(input, (lived) => lives[lived] ?? { settings: job, seed: index * 100 + lived })
        return { ...history, problems: [...history.problems, ...check(history)] }
      }
      yield { name: `${code} at ${index}, ${type}`, run }
    }
}

/** The operations of the process that follows on a crashed one. */
export async function resumedBehind(
  crashed: Life,
  settings: JobSettings,
  input: Input,
): Promise<readonly SimulatedOperation[]> {
  const operations: SimulatedOperation[] = []
  const interfere = (operation: SimulatedOperation) => void operations.push(operation)
  await live(input, (lived) => (lived === 0 ? crashed : { settings, seed: 2, interfere }))
  return operations
}

/** A failed checkpoint is no reason to restart: the failing process, counted from 0, ends the job. */
export function wentOn(lived: number): (history: History) => readonly string[] {
  return ({ lives }) => {
    const failing = lives[lived]
    const restarted = failing?.events.some(({ type }: JobEvent) => type === 'restart.scheduled')
    if (failing?.outcome.type === 'returned' && restarted !== true) return []
    return [`the job did not go on: ${failing?.outcome.type}, ${restarted === true ? 'restarted' : 'not restarted'}`]
  }
}
