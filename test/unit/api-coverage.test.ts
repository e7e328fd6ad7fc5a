/** docs/API-COVERAGE.md names tests that are there: each file, and each claim in it. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const page = readFileSync(join(root, 'docs', 'API-COVERAGE.md'), 'utf8')

/** Cells of the rows of a page, without the heads of its tables. */
function rowsOf(text: string): readonly (readonly string[])[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('| ') && !/^\| (api|---) \|/.test(line))
    .map((line) =>
      line
        .slice(2, -2)
        .split(/ (?<!\\)\| /)
        .map((cell) => cell.replaceAll('\\|', '|')),
    )
}

/** What is wrong with a row: it names neither a test nor a reason, or what it names is not there. */
function wrongWith([api, promise, tests = '', ...more]: readonly string[]): string[] {
  if (promise === undefined || more.length > 0) return [`${api}: a row has three cells`]
  const named = [...tests.matchAll(/`([\w./-]+\/[\w./-]+)`: (.*?)(?=<br>|$)/g)]
  if (named.length === 0 && !/^(later|none): \S/.test(tests)) return [`${api}: names no test and no reason`]
  return named.flatMap(([, file = '', claim = '']) => {
    if (!existsSync(join(root, file))) return [`${api}: there is no ${file}`]
    return readFileSync(join(root, file), 'utf8').includes(claim) ? [] : [`${api}: ${file} does not say "${claim}"`]
  })
}

describe('docs/API-COVERAGE.md', () => {
  test('names tests and claims that are there, or says why there is none', () => {
    expect(rowsOf(page).flatMap(wrongWith)).toEqual([])
  })

  test('has every section of the contract, with rows', () => {
    const sections = page.split(/^## /m).slice(1)
    expect(sections.map((section) => section[0])).toEqual([...'123456789'])
    for (const section of sections) expect(rowsOf(section).length, section.split('\n')[0]).toBeGreaterThan(0)
  })

  test('says each promise once', () => {
    const promises = rowsOf(page).map(([api, promise]) => `${api}: ${promise}`)
    expect(promises.filter((each, place) => promises.indexOf(each) !== place)).toEqual([])
  })

  test('would be found out', () => {
    const file = 'test/unit/api-coverage.test.ts'
    const rows = [
      '| a | no such file | `test/gone.test.ts`: x |',
      `| b | no such claim | \`${file}\`: a claim that ${'is'} gone |`,
      '| c | no test | soon |',
      '| d | a cell too many | none: x | y |',
      `| e | the second one is gone | \`${file}\`: would be found out<br>\`test/gone.test.ts\`: x |`,
      `| f | right | \`${file}\`: would be found out |`,
    ]
    expect(rowsOf(rows.join('\n')).map((row) => wrongWith(row).length)).toEqual([1, 1, 1, 1, 1, 0])
  })
})
