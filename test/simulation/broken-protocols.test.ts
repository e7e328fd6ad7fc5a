import { describe, expect, it } from 'vitest'
import { BROKEN } from './broken-file-systems.ts'
import { say } from './cases.ts'
import { Input, type JobSettings } from './kill-test-job.ts'
import { type Loss, live } from './lives.ts'

const LOSSES: readonly Loss[] = ['kill', 'posix', 'ordered']

const input = new Input({ files: 3, keysPerFile: 3, linesPerFile: 30 })
const settings: JobSettings = {
  parallelism: 2,
  link: 'direct',
  options: {
    'execution.checkpointing.interval': 12,
    'execution.checkpointing.timeout': '2 s',
    'execution.channel-credit': 2,
    'execution.checkpointing.data-inline-threshold': 0,
  },
}

describe('The simulation finds a protocol in which', () => {
  it.each(Object.entries(BROKEN))('%s', { timeout: 60_000 }, async (name, wrapFiles) => {
    const whole = await live(input, () => ({ settings, seed: 1, wrapFiles }))
    expect(whole.problems).toEqual([])
    const operations = whole.lives[0]?.operations ?? 0
    const found = await firstProblem(operations, (before, loss) =>
      live(input, (lived) => ({
        settings,
        seed: lived === 0 ? 1 : before * 100 + lived,
        wrapFiles,
        crash: lived === 0 ? { before, loss } : undefined,
      })),
    )
    expect(found).toBeDefined()
    say(`${name}: found by crash ${found?.tried} (${found?.problem})`)
  })
})

async function firstProblem(
  operations: number,
  crashed: (before: number, loss: Loss) => ReturnType<typeof live>,
): Promise<{ readonly tried: number; readonly problem: string } | undefined> {
  let tried = 0
  for (let before = 1; before <= operations; before++)
    for (const loss of LOSSES) {
      tried++
      const [problem] = (await crashed(before, loss)).problems
      if (problem !== undefined) return { tried, problem }
    }
  return undefined
}
