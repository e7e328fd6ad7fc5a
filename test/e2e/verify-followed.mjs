/**
 * Recomputes from the input files what the followed job must have written. Which records are late depends on how the job
 * ran: each is in its window or among the late ones, never in both and never in neither, and a file that was there from
 * the start has no late ones that keep to its order. All else is fixed by the input.
 */
import { join } from 'node:path'
import { FAREWELL_MS, LAG_MS, noteOf, windowEnd } from './programs/followed-input.mjs'
import { link } from './programs/input.mjs'
import { jsonLinesOf, rowsOf } from './verify-files.mjs'
import { Findings } from './verify-findings.mjs'
import { expectedOf } from './verify-followed-input.mjs'

/** The parts of the verdict: what is counted by itself. */
const PARTS = ['events', 'numbers', 'windows', 'tickets', 'farewells', 'rules', 'late', 'invalid']

/** `parts` has counts for each part; `examples` the first things that were wrong. */
export function verifyFollowed({ input, output }) {
  const expected = expectedOf(input)
  const findings = new Findings(PARTS)
  const rows = (kind) => rowsOf(join(output, 'rows', kind))
  verifyEvents(expected, rows('event'), findings)
  const late = verifyLate(expected, findings, join(output, 'late'))
  verifyWindows(expected, late, rows('window'), findings)
  verifyTickets(expected, rows('ticket'), findings)
  verifyFarewells(expected, rows('farewell'), findings)
  verifyRules(expected, rows('rule'), findings)
  verifyInvalid(expected, findings, join(output, 'invalid'))
  return findings.verdict()
}

/** Each record once, with the chain of its key, its number in its file, and a rule that is not older than the one before. */
function verifyEvents({ keys, rules }, rows, findings) {
  const events = findings.part('events')
  const newestRule = new Map()
  for (const [key, records] of keys) for (const { n } of records) events.expect(`${key} ${n}`)
  for (const { where, key, n, chain, at, rule, rules: chainOfRules, nth, subtask, note } of rows) {
    const record = keys.get(key)?.[n - 1]
    if (record === undefined) {
      events.wrong('unexpected', where)
      continue
    }
    events.found(`${key} ${n}`, where, { series: key, place: n })
    if (chain !== record.chain || at !== record.at || note !== noteOf(record.value)) events.wrong('altered', where)
    findings.part('numbers').checked(nth === record.nth, `${where}, expected number ${record.nth}`)
    if ((rules[rule - 1]?.chain ?? 0) !== chainOfRules) findings.part('rules').wrong('altered', where)
    if (rule < (newestRule.get(subtask) ?? 0)) findings.part('rules').wrong('outOfOrder', where)
    newestRule.set(subtask, rule)
  }
}

/** By key: which of its records went into the side output. */
function verifyLate({ keys }, findings, folder) {
  const part = findings.part('late')
  const late = new Map([...keys.keys()].map((key) => [key, new Set()]))
  for (const { where, key, n, at, watermark, answered } of jsonLinesOf(folder)) {
    const record = keys.get(key)?.[n - 1]
    if (record === undefined || record.at !== at) {
      part.wrong('unexpected', where)
      continue
    }
    part.expect(`${key} ${n}`)
    part.found(`${key} ${n}`, where, { series: key, place: n })
    if (windowEnd(at) > Math.max(watermark, answered)) part.wrong('unexpected', `${where}: its window was open`)
    else if (record.fromTheStart && at >= record.highestBefore - LAG_MS)
      part.wrong('unexpected', `${where}: it was not more than ${LAG_MS} ms behind ${record.highestBefore}`)
    late.get(key).add(n)
  }
  return late
}

/** One answer for each window that has records which were not late. */
function verifyWindows({ keys }, late, rows, findings) {
  const part = findings.part('windows')
  const windows = new Map()
  for (const [key, records] of keys)
    for (const { n, at, value } of records) {
      if (late.get(key).has(n)) continue
      const name = `${key} ${windowEnd(at)}`
      const { count, chain } = windows.get(name) ?? { count: 0, chain: 0 }
      windows.set(name, { count: count + 1, chain: link(chain, value) })
    }
  for (const name of windows.keys()) part.expect(name)
  for (const { where, key, n, chain, at } of rows) {
    const window = windows.get(`${key} ${at}`)
    if (window === undefined) part.wrong('unexpected', where)
    else {
      part.found(`${key} ${at}`, where, { series: key, place: at })
      if (window.count !== n || window.chain !== chain)
        part.wrong('altered', `${where}, expected ${window.count} records`)
    }
  }
}

/** One answer for each, in the order in which those of a key fell due. */
function verifyTickets({ tickets }, rows, findings) {
  const part = findings.part('tickets')
  for (const name of tickets.keys()) part.expect(name)
  for (const { where, key, n, chain, at } of rows) {
    const expected = tickets.get(`${key} ${n}`)
    if (expected === undefined) part.wrong('unexpected', where)
    else {
      part.found(`${key} ${n}`, where, { series: key, place: at })
      if (expected !== chain) part.wrong('altered', where)
    }
  }
}

/** The last timer of each key, and none of those that were deleted. */
function verifyFarewells({ keys }, rows, findings) {
  const part = findings.part('farewells')
  for (const key of keys.keys()) part.expect(key)
  for (const { where, key, n, chain, at } of rows) {
    const last = keys.get(key)?.at(-1)
    if (last === undefined || at !== FAREWELL_MS + last.n) {
      part.wrong('unexpected', where)
      continue
    }
    part.found(key, where, { series: key, place: at })
    if (n !== last.n || chain !== last.chain) part.wrong('altered', where)
  }
}

/** Each rule once in every subtask, however many there were when it came. */
function verifyRules({ rules }, rows, findings) {
  const part = findings.part('rules')
  const parallelisms = new Map(rows.map(({ n, parallelism }) => [n, parallelism]))
  for (const { version } of rules)
    for (let subtask = 0; subtask < (parallelisms.get(version) ?? 1); subtask++) part.expect(`${version} in ${subtask}`)
  for (const { where, n, chain, subtask, parallelism } of rows) {
    const rule = rules[n - 1]
    if (rule === undefined || subtask >= parallelisms.get(n) || parallelism !== parallelisms.get(n))
      part.wrong('unexpected', where)
    else {
      part.found(`${n} in ${subtask}`, where, { series: subtask, place: n })
      if (rule.chain !== chain) part.wrong('altered', where)
    }
  }
}

function verifyInvalid({ invalid }, findings, folder) {
  const part = findings.part('invalid')
  for (const text of invalid.keys()) part.expect(text)
  for (const { where, path, line, offset, text } of jsonLinesOf(folder)) {
    const expected = invalid.get(text)
    if (expected === undefined) part.wrong('unexpected', where)
    else {
      part.found(text, where, { series: expected.file, place: offset })
      if (expected.line !== line || expected.offset !== offset || !path.includes(`/${expected.file}.`))
        part.wrong('altered', `${where}, expected line ${expected.line}, byte ${expected.offset}`)
    }
  }
}
