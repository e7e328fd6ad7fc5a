import { describe, expect, it } from 'vitest'
import { BROKEN, type BrokenProtocol } from './broken-file-systems.ts'
import { say } from './cases.ts'
import { changesNothing, input, operationsOf, settings } from './kill-test-settings.ts'
import { live } from './lives.ts'

/** What a crash loses is drawn: where one draw at each operation finds nothing, the next one is tried. Always the same ones. */
const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
/** A process that goes on from what should not be there any more breaks one of these promises, in words. */
const BROKEN_PROMISE = /duplicated|lost|restored|without a reason/

interface Found {
  readonly problem: string
  readonly tried: number
  readonly seed: number
}

async function find({ loss, wrapFiles }: BrokenProtocol): Promise<Found | number> {
  let tried = 0
  for (const seed of SEEDS) {
    const first = { settings, seed, wrapFiles }
    expect((await live(input, () => first)).problems).toEqual([])
    for (const operation of await operationsOf(first)) {
      if (changesNothing(operation)) continue
      tried++
      const before = operation.index
      const crashed = { ...first, crash: { before, loss } }
      const next = (lived: number) => (lived === 0 ? crashed : { ...first, seed: before * 100 + lived })
      const problem = (await live(input, next)).problems[0]
      if (problem !== undefined) return { problem, tried, seed }
    }
  }
  return tried
}

describe('The simulation finds a protocol in which', () => {
  // One or two seeds have always been enough. Each takes some ten seconds.
  it.each(BROKEN)('$name', { timeout: 600_000 }, async (protocol) => {
    const found = await find(protocol)
    if (typeof found === 'number') return expect.fail(`none of ${found} crashes found it`)
    const { problem, tried, seed } = found
    expect(problem).toMatch(BROKEN_PROMISE)
    say(`broken protocol, ${protocol.name}: found by crash ${tried}, seed ${seed} (${problem.slice(0, 100)})`)
  })
})
