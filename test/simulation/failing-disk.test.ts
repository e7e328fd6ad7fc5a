import { describe, expect, it } from 'vitest'
import type { SimulatedOperation } from '../../src/base/simulated-file-system.ts'
import type { JobEvent } from '../../src/runtime/job-handle.ts'
import { type Case, runCases, say } from './cases.ts'
import { CHECKPOINTS, type JobSettings } from './kill-test-job.ts'
import { input, operationsOf, settings } from './kill-test-settings.ts'
import { type History, type Life, live } from './lives.ts'

const FILE = 'failing-disk.test.ts'

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
function* failures(
  operations: readonly SimulatedOperation[],
  job: JobSettings,
  {
    before = [],
    check = () => [],
  }: { readonly before?: readonly Life[]; check?(history: History): readonly string[] } = {},
): Iterable<Case> {
  for (const { index, type } of operations)
    for (const code of CODES[type]) {
      const failing: Life = {
        settings: job,
        seed: 1 + before.length,
        disturbed: true,
        // Half of what was to be written arrives.
        interfere: (operation) => (operation.index === index ? { type: 'fail', code, bytes: 7 } : undefined),
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
async function resumedBehind(crashed: Life): Promise<readonly SimulatedOperation[]> {
  const operations: SimulatedOperation[] = []
  const interfere = (operation: SimulatedOperation) => void operations.push(operation)
  await live(input, (lived) => (lived === 0 ? crashed : { settings, seed: 2, interfere }))
  return operations
}

describe('A disk that fails once', () => {
  it('costs a checkpoint or an attempt and never a record, wherever it fails', { timeout: 300_000 }, async () => {
    const operations = await operationsOf({ settings, seed: 1 })
    const { cases, lives } = await runCases(FILE, failures(operations, settings))
    say(
      `ENOSPC, EIO or EMFILE at each of ${operations.length} operations, ${cases} cases, ${lives - cases} resumed, 0 wrong`,
    )
  })

  it('costs nothing that was there before when it fails while a job is resumed', { timeout: 300_000 }, async () => {
    const crashed: Life = { settings, seed: 1, crash: { before: 215, loss: 'kill' } }
    const resuming = (await resumedBehind(crashed)).slice(0, 200)
    const { cases } = await runCases(FILE, failures(resuming, settings, { before: [crashed] }))
    say(`the same at each of the first ${resuming.length} operations of a resumed job, ${cases} cases, 0 wrong`)
  })

  it('stops no job that tolerates failed checkpoints, when it fails in one', { timeout: 300_000 }, async () => {
    const tolerant: JobSettings = {
      ...settings,
      options: { ...settings.options, 'execution.checkpointing.tolerable-failed-checkpoints': 2 ** 31 - 1 },
    }
    const inCheckpoints = (await operationsOf({ settings: tolerant, seed: 1 })).filter(
      // Whether a publish whose rename failed is visible, nobody knows: then the attempt fails and the store is read again.
      ({ type, path, to = '' }) =>
        path.startsWith(CHECKPOINTS) && /\/chk-\d+/.test(path) && !(type === 'rename' && /\/chk-\d+$/.test(to)),
    )
    const check = ({ lives }: History) => {
      const [first] = lives
      const restarted = first?.events.some(({ type }: JobEvent) => type === 'restart.scheduled')
      if (first?.outcome.type === 'returned' && restarted !== true) return []
      return [`the job did not go on: ${first?.outcome.type}, ${restarted === true ? 'restarted' : 'not restarted'}`]
    }
    const { cases } = await runCases(FILE, failures(inCheckpoints, tolerant, { check }))
    expect(cases).toBeGreaterThan(0)
    say(`the same in checkpoints of a tolerant job, ${cases} cases, all went on`)
  })
})
