/** The verifier of the followed job finds each kind of damage: an output that is right is damaged by hand, one thing a time. */
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { root, start, workFolder } from './processes.ts'
import { verifyFollowed } from './verify-followed.mjs'

workFolder()
let files: string
let job: string

beforeAll(async () => {
  const alone = ['--job', 'followed', '--only-job', '1', '--seed', '2', '--cycles', '0', '--keep']
  const { code, stdout, stderr } = await start(join(root, 'scripts/e2e-kill.mjs'), alone).ended
  expect(code, stdout + stderr).toBe(0)
  files = /files in (\S+)/.exec(stdout)?.[1] as string
  job = join(files, 'job-1')
}, 60_000)

afterAll(() => rmSync(files, { recursive: true, force: true }))

type Verdict = ReturnType<typeof verifyFollowed>
const verdict = () => verifyFollowed({ input: join(job, 'input'), output: join(job, 'output') })

/** What is wrong when the longest finished file of a folder has these lines instead of its own. */
function wrongWith(folder: string, change: (lines: readonly string[]) => readonly string[]) {
  const path = longestFile(join(job, 'output', folder))
  const before = readFileSync(path, 'utf8')
  const end = path.endsWith('.csv') ? '\r\n' : '\n'
  writeFileSync(path, [...change(before.split(end).slice(0, -1)), ''].join(end))
  try {
    return wrongIn(verdict())
  } finally {
    writeFileSync(path, before)
  }
}

/** Only what is not 0. */
function wrongIn({ parts }: Verdict) {
  const wrong: Record<string, number> = {}
  for (const [part, { expected: _, ...counts }] of Object.entries(parts))
    for (const [kind, count] of Object.entries(counts)) if (count > 0) wrong[`${part} ${kind}`] = count
  return wrong
}

function longestFile(folder: string): string {
  const paths = readdirSync(folder)
    .filter((name) => !name.startsWith('.'))
    .map((name) => join(folder, name))
  return paths.sort((one, other) => statSync(other).size - statSync(one).size)[0] as string
}

/** Fields of a row without quotes, of which one is changed. */
function withField(line: string, name: string, change: (value: string) => unknown): string {
  const at = ['kind', 'key', 'n', 'chain', 'at', 'rule', 'rules', 'nth', 'subtask', 'parallelism', 'note'].indexOf(name)
  const fields = line.split(',')
  return fields.with(at, String(change(fields[at] as string))).join(',')
}

/** Rows of keys in the output's first folder that no note makes hard to cut. */
const isPlain = (line: string) => /^event,a\d-\d,\d.*,plain$/.test(line)

describe('The verifier of the followed job', () => {
  it('finds nothing in the output of a run that nobody disturbed', () => {
    const found = verdict()
    expect(wrongIn(found)).toEqual({})
    expect(found.exact).toBe(true)
    for (const part of ['events', 'numbers', 'windows', 'tickets', 'farewells', 'rules', 'invalid'])
      expect(found.parts[part]?.expected, part).toBeGreaterThan(0)
  })

  it('finds an answer of any timer that is missing, and one that is there twice', () => {
    for (const [folder, part] of [
      ['rows/window', 'windows'],
      ['rows/ticket', 'tickets'],
      ['rows/farewell', 'farewells'],
    ] as const) {
      expect(wrongWith(folder, (lines) => lines.slice(0, -1))).toEqual({ [`${part} lost`]: 1 })
      expect(wrongWith(folder, (lines) => [...lines, lines.at(-1) as string])).toEqual({
        [`${part} duplicated`]: 1,
      })
    }
  })

  it('finds a record that a window misses, and a timer that had been deleted', () => {
    const last = (name: string, change: (value: string) => unknown) => (lines: readonly string[]) =>
      lines.with(-1, withField(lines.at(-1) as string, name, change))
    expect(
      wrongWith(
        'rows/window',
        last('n', (n) => Number(n) + 1),
      ),
    ).toEqual({ 'windows altered': 1 })
    expect(
      wrongWith(
        'rows/ticket',
        last('chain', () => 1),
      ),
    ).toEqual({ 'tickets altered': 1 })
    expect(
      wrongWith(
        'rows/farewell',
        last('at', (at) => Number(at) - 1),
      ),
    ).toEqual({
      'farewells unexpected': 1,
      'farewells lost': 1,
    })
  })

  it('finds a record with the number of another, and two of a key in the wrong order', () => {
    const place = (lines: readonly string[]) => lines.findIndex(isPlain)
    const renumbered = (lines: readonly string[]) =>
      lines.with(
        place(lines),
        withField(lines[place(lines)] as string, 'nth', (nth) => Number(nth) - 1),
      )
    expect(wrongWith('rows/event', renumbered)).toEqual({ 'numbers altered': 1 })
    const swapped = (lines: readonly string[]) => {
      const first = lines.findIndex(isPlain)
      const key = lines[first]?.split(',')[1]
      const second = lines.findIndex((line, at) => at > first && isPlain(line) && line.split(',')[1] === key)
      return lines.with(first, lines[second] as string).with(second, lines[first] as string)
    }
    const wrong = wrongWith('rows/event', swapped)
    expect(wrong['events outOfOrder']).toBeGreaterThan(0)
    expect(wrong['events lost']).toBeUndefined()
  })

  it('finds a note that did not come back from CSV as it was', () => {
    const wrong = wrongWith('rows/event', (lines) => lines.map((line) => line.replace(/,"a,b"$/, ',ab')))
    expect(Object.keys(wrong)).toEqual(['events altered'])
  })

  it('finds a rule that a subtask has missed, and an older rule after a newer one', () => {
    expect(wrongWith('rows/rule', (lines) => lines.filter((line) => !line.startsWith('rule,rule,2,')))).toEqual({
      'rules lost': 1,
    })
    const last = (lines: readonly string[]) => lines.findLastIndex(isPlain)
    const withoutRules = (lines: readonly string[]) => {
      const line = withField(lines[last(lines)] as string, 'rule', () => 0)
      return lines.with(
        last(lines),
        withField(line, 'rules', () => 0),
      )
    }
    expect(wrongWith('rows/event', withoutRules)).toEqual({ 'rules outOfOrder': 1 })
  })

  it('takes no record for late that came in time', () => {
    const { parts } = verdict()
    const late = { key: 'a0-0', n: 1, at: firstAt('a0-0'), watermark: 0, answered: 0 }
    writeFileSync(join(job, 'output/late/part-0-999999.jsonl'), `${JSON.stringify(late)}\n`)
    const wrong = wrongIn(verdict())
    rmSync(join(job, 'output/late/part-0-999999.jsonl'))
    expect(wrong['late unexpected']).toBe(1)
    expect((wrong['windows altered'] ?? 0) + (wrong['windows unexpected'] ?? 0)).toBe(1)
    expect(parts.late?.unexpected).toBe(0)
  })

  it('finds an invalid line that is missing or placed elsewhere', () => {
    expect(wrongWith('invalid', (lines) => lines.slice(0, -1))).toEqual({ 'invalid lost': 1 })
    const moved = (lines: readonly string[]) =>
      lines.with(-1, JSON.stringify({ ...JSON.parse(lines.at(-1) as string), line: 1 }))
    expect(wrongWith('invalid', moved)).toEqual({ 'invalid altered': 1 })
  })
})

/** The timestamp of a key's first record. */
function firstAt(key: string): number {
  const folder = join(job, 'input/records')
  const file = readdirSync(folder).find((name) => name.startsWith(`${key.split('-')[0]}.`)) as string
  const line = readFileSync(join(folder, file), 'utf8')
    .split('\n')
    .find((text) => text.includes(`"key":"${key}"`))
  return JSON.parse(line as string).at
}
