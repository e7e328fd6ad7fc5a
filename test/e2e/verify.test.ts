/** The verifier of the kill test finds each kind of damage: an output that is right is damaged by hand, in every way once. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { chainJob, millrace, verdictOn, workFolder } from './processes.ts'

const RECORDS = 400
const work = workFolder()
const output = join(work, 'output')
let path: string
let lines: readonly string[]

beforeAll(async () => {
  const { code, stderr } = await millrace(chainJob({ folder: work, records: RECORDS, rate: 0 }))
  expect(code, stderr).toBe(0)
  const longest = readdirSync(output)
    .filter((name) => !name.startsWith('.'))
    .map((name) => ({ name, length: readFileSync(join(output, name)).length }))
    .sort((one, other) => other.length - one.length)[0]
  path = join(output, longest?.name as string)
  lines = readFileSync(path, 'utf8').trimEnd().split('\n')
})

/** With one finished file holding these lines instead of its own. */
async function verdictWith(changed: readonly string[]) {
  writeFileSync(path, `${changed.join('\n')}\n`)
  return await verdictOn({ seed: 1, records: RECORDS, output })
}

const keyOf = (line: string) => JSON.parse(line).key as string

describe('The verifier', () => {
  it('finds nothing in the output of a run that nobody disturbed', async () => {
    expect(await verdictWith(lines)).toMatchObject({
      exact: true,
      read: RECORDS,
      lost: 0,
      duplicated: 0,
      outOfOrder: 0,
    })
  })

  it('finds a line that is missing', async () => {
    expect(await verdictWith(lines.slice(0, -1))).toMatchObject({ exact: false, lost: 1, duplicated: 0 })
  })

  it('finds a line that is there twice', async () => {
    expect(await verdictWith([...lines, lines[0] as string])).toMatchObject({ exact: false, lost: 0, duplicated: 1 })
  })

  it('finds two lines of a key in the wrong order', async () => {
    const first = lines[0] as string
    const next = lines.findIndex((line, index) => index > 0 && keyOf(line) === keyOf(first))
    const swapped = lines.with(0, lines[next] as string).with(next, first)
    expect(await verdictWith(swapped)).toMatchObject({ exact: false, lost: 0, duplicated: 0, outOfOrder: 1 })
  })

  it('finds a chain that misses a value, and a line of a key that is not in the input', async () => {
    const first = JSON.parse(lines[0] as string)
    expect(await verdictWith(lines.with(0, JSON.stringify({ ...first, chain: 1 })))).toMatchObject({
      exact: false,
      altered: 1,
    })
    expect(await verdictWith([...lines, '{"key":"nobody","count":1,"chain":1}'])).toMatchObject({
      exact: false,
      unexpected: 1,
    })
  })
})
