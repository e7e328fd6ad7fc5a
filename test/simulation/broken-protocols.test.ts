import { describe, expect, it } from 'vitest'
import { BROKEN } from './broken-file-systems.ts'
import { say } from './cases.ts'
import { changesNothing, input, operationsOf, settings } from './kill-test-settings.ts'
import { live } from './lives.ts'

describe('The simulation finds a protocol in which', () => {
  it.each(BROKEN)('$name', { timeout: 60_000 }, async ({ name, loss, wrapFiles }) => {
    const first = { settings, seed: 1, wrapFiles }
    expect((await live(input, () => first)).problems).toEqual([])
    let tried = 0
    let found: string | undefined
    for (const operation of await operationsOf(first)) {
      if (changesNothing(operation)) continue
      tried++
      const before = operation.index
      const crashed = { ...first, crash: { before, loss } }
      const next = (lived: number) => (lived === 0 ? crashed : { ...first, seed: before * 100 + lived })
      found = (await live(input, next)).problems[0]
      if (found !== undefined) break
    }
    // In words: lost, doubled, not restorable, or a process that failed without a reason.
    expect(found, `no crash of ${tried} found it`).toMatch(/duplicated|lost|restored|without a reason/)
    say(`broken protocol, ${name}: found by crash ${tried} (${found?.slice(0, 100)})`)
  })
})
