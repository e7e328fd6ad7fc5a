/**
 * The recordings of a real Flink that tests need are kept here; where the originals are present, they must say the same.
 * With MILLRACE_WRITE_FIXTURES=1 they are made anew.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { recordedCommands, recordings } from '../fixtures/flink-rest/recordings.ts'
import { compactCommands, compactFolder, FOLDERS } from './flink-recordings.ts'

const fixtures = fileURLToPath(new URL('../fixtures/flink-rest/', import.meta.url))
const originals = fileURLToPath(new URL('../../../shared/flink/recordings/', import.meta.url))

describe('The recordings of Flink', () => {
  it.runIf(existsSync(originals))('are equal to the shared originals', () => {
    const compact = new Map<string, string>(FOLDERS.map((folder) => [folder, compactFolder(originals, folder)]))
    compact.set('cli', compactCommands(originals))
    for (const [name, text] of compact) {
      if (process.env.MILLRACE_WRITE_FIXTURES !== undefined) writeFileSync(`${fixtures}${name}.json`, text)
      expect(readFileSync(`${fixtures}${name}.json`, 'utf8') === text, name).toBe(true)
    }
  })

  it('are there for every folder, each with an answer and its status', () => {
    const kept = readdirSync(fixtures).filter((name) => name.endsWith('.json'))
    expect(kept.sort()).toEqual([...FOLDERS, 'cli'].map((name) => `${name}.json`).sort())
    for (const folder of FOLDERS)
      for (const [name, { status, template }] of Object.entries(recordings(folder)))
        expect([status >= 200 && status < 600, template.startsWith('/')], `${folder}/${name}`).toEqual([true, true])
    expect(Object.keys(recordedCommands()).length).toBeGreaterThan(50)
  })

  it('name no stack frame', () => {
    for (const name of [...FOLDERS, 'cli'])
      expect(readFileSync(`${fixtures}${name}.json`, 'utf8'), name).not.toMatch(/\\tat [a-z.]+\(/i)
  })
})
