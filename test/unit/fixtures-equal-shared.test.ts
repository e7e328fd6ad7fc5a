/** The recorded data that tests need is kept here; where the shared originals are present, they must be the same. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const fixtures = fileURLToPath(new URL('../fixtures/', import.meta.url))
const shared = fileURLToPath(new URL('../../../shared/', import.meta.url))
const copies = [
  ...readdirSync(`${fixtures}conformance`).map((name) => [`conformance/${name}`, `conformance/${name}`] as const),
  ['bench/checksums.json', 'bench/checksums.json'] as const,
]

describe('The fixtures', () => {
  it('are there: nine files of traces and the expected checksums', () => {
    expect(copies).toHaveLength(10)
    for (const [copy] of copies) expect(existsSync(fixtures + copy), copy).toBe(true)
  })

  it.runIf(existsSync(shared))('are equal to the shared originals', () => {
    for (const [copy, original] of copies)
      expect(readFileSync(fixtures + copy, 'utf8'), copy).toBe(readFileSync(shared + original, 'utf8'))
  })
})
