import { describe, expect, it } from 'vitest'
import { BROKEN, type BrokenProtocol } from './broken-file-systems.ts'
import { say } from './cases.ts'
import { changesNothing, input, operationsOf, settings } from './kill-test-settings.ts'
import { type Life, live } from './lives.ts'

/** What a crash loses is drawn: where one draw at each operation finds nothing, the next one is tried. Always the same ones. */
const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
/**
 * Shortly before the crash that was once found to show it: there the search begins, and only when that shows nothing any
 * more goes through all crashes. With MILLRACE_SEARCH=all it goes through all of them at once.
 */
const BEGIN: Readonly<Record<string, { readonly seed: number; readonly operation: number }>> = {
  'folders are not synced': { seed: 1, operation: 124 },
  'files are not synced': { seed: 1, operation: 32 },
  'a checkpoint is reported before the folder that holds it is durable': { seed: 2, operation: 212 },
  'the old checkpoint is deleted before the new one is durable': { seed: 1, operation: 216 },
  'output is committed before its checkpoint is durable': { seed: 1, operation: 128 },
}
/** A process that goes on from what should not be there any more breaks one of these promises, in words. */
const BROKEN_PROMISE = /duplicated|lost|restored|without a reason/

interface Found {
  readonly problem: string
  readonly tried: number
  readonly seed: number
}

async function find(protocol: BrokenProtocol): Promise<Found | number> {
  const begin = process.env.MILLRACE_SEARCH === 'all' ? undefined : BEGIN[protocol.name]
  let tried = 0
  const searches = SEEDS.map((seed) => ({ seed, operation: 1 }))
  for (const { seed, operation: from } of begin === undefined ? searches : [begin, ...searches]) {
    const first = { settings, seed, wrapFiles: protocol.wrapFiles }
    expect((await live(input, () => first)).problems).toEqual([])
    for (const operation of await operationsOf(first)) {
      if (operation.index < from || changesNothing(operation)) continue
      tried++
      const problem = await problemAfter(first, { before: operation.index, loss: protocol.loss })
      if (problem !== undefined) return { problem, tried, seed }
    }
  }
  return tried
}

/** What is wrong when the first process dies there and the others are left in peace. */
async function problemAfter(first: Life, crash: NonNullable<Life['crash']>): Promise<string | undefined> {
  const next = (lived: number) => (lived === 0 ? { ...first, crash } : { ...first, seed: crash.before * 100 + lived })
  return (await live(input, next)).problems[0]
}

describe('The simulation finds a protocol in which', () => {
  it.each(BROKEN)('$name', { timeout: 600_000 }, async (protocol) => {
    const found = await find(protocol)
    if (typeof found === 'number') return expect.fail(`none of ${found} crashes found it`)
    const { problem, tried, seed } = found
    expect(problem).toMatch(BROKEN_PROMISE)
    say(`broken protocol, ${protocol.name}: found by crash ${tried}, seed ${seed} (${problem.slice(0, 100)})`)
  })
})
