/**
 * The verifier: recomputes what the chain job must have written, in one pass and without any engine, and reads only
 * finished files. Prints what it found as one JSON line; exits 0 only when nothing is lost, doubled, altered or out of order.
 *
 * node test/e2e/verify.mjs --seed 1 --records 20000 --output DIR
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { link, PARTITIONS, recordAt, recordsIn } from './programs/input.mjs'

function verify({ seed, records, output }) {
  const expected = expectedChains(seed, records)
  const seen = new Map([...expected].map(([key, chains]) => [key, new Uint32Array(chains.length)]))
  const newest = new Map()
  const found = { expected: records, read: 0, lost: 0, duplicated: 0, altered: 0, unexpected: 0, outOfOrder: 0 }
  const examples = []
  const wrong = (what, where) => {
    found[what]++
    if (examples.length < 5) examples.push(`${what}: ${where}`)
  }
  for (const { file, lines } of finishedFiles(output)) {
    for (const line of lines) {
      found.read++
      const { key, count, chain } = parsed(line) ?? {}
      const chains = expected.get(key)
      if (chains === undefined || !(count >= 1 && count <= chains.length)) {
        wrong('unexpected', `${file}: ${line.slice(0, 100)}`)
        continue
      }
      if (++seen.get(key)[count - 1] > 1) wrong('duplicated', `${file}: ${line}`)
      else if (count < (newest.get(key) ?? 0)) wrong('outOfOrder', `${file}: ${line} after count ${newest.get(key)}`)
      if (chains[count - 1] !== chain) wrong('altered', `${file}: ${line}, expected chain ${chains[count - 1]}`)
      newest.set(key, Math.max(count, newest.get(key) ?? 0))
    }
  }
  for (const [key, counts] of seen)
    counts.forEach((times, index) => {
      if (times === 0) wrong('lost', `key ${key}, count ${index + 1}`)
    })
  const exact =
    found.read === records &&
    !['lost', 'duplicated', 'altered', 'unexpected', 'outOfOrder'].some((what) => found[what] > 0)
  return { exact, ...found, examples }
}

/** By key: the chain behind each of its values. */
function expectedChains(seed, records) {
  const expected = new Map()
  for (let partition = 0; partition < PARTITIONS; partition++) {
    for (let seq = 0; seq < recordsIn(partition, records); seq++) {
      const { key, value } = recordAt(seed, partition, seq)
      const chains = expected.get(key) ?? []
      chains.push(link(chains.at(-1) ?? 0, value))
      expected.set(key, chains)
    }
  }
  return expected
}

/** In the order in which each subtask wrote them. Names of unfinished files begin with a dot. */
function finishedFiles(folder) {
  return readdirSync(folder)
    .filter((name) => !name.startsWith('.'))
    .map((file) => ({ file, place: placeOf(file) }))
    .sort((one, other) => (one.place < other.place ? -1 : 1))
    .map(({ file }) => ({ file, lines: linesOf(join(folder, file)) }))
}

/** `part-<subtask>-<n>.json`: by n, as a text. `tx-<time>-…` sorts as it is. */
function placeOf(file) {
  const number = /^part-\d+-(\d+)/.exec(file)?.[1]
  return number === undefined ? file : number.padStart(12, '0')
}

function linesOf(path) {
  const lines = readFileSync(path, 'utf8').split('\n')
  if (lines.pop() !== '') throw new Error(`${path} does not end with a whole line`)
  return lines
}

function parsed(line) {
  try {
    return JSON.parse(line)
  } catch {
    // No record: counted as unexpected.
    return undefined
  }
}

const { values } = parseArgs({
  options: { seed: { type: 'string' }, records: { type: 'string' }, output: { type: 'string' } },
})
const verdict = verify({ seed: Number(values.seed), records: Number(values.records), output: values.output })
console.log(JSON.stringify(verdict))
process.exitCode = verdict.exact ? 0 : 1
