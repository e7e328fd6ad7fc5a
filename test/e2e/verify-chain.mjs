/** Recomputes what the chain job must have written, in one pass and without any engine. */

import { link, PARTITIONS, recordAt, recordsIn } from './programs/input.mjs'
import { finishedFiles, linesOf } from './verify-files.mjs'

export function verifyChain({ seed, records, output }) {
  const expected = expectedChains(seed, records)
  const seen = new Map([...expected].map(([key, chains]) => [key, new Uint32Array(chains.length)]))
  const newest = new Map()
  const found = { expected: records, read: 0, lost: 0, duplicated: 0, altered: 0, unexpected: 0, outOfOrder: 0 }
  const examples = []
  const wrong = (what, where) => {
    found[what]++
    if (examples.length < 5) examples.push(`${what}: ${where}`)
  }
  for (const { file, path } of finishedFiles(output)) {
    for (const line of linesOf(path)) {
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

function parsed(line) {
  try {
    return JSON.parse(line)
  } catch {
    // No record: counted as unexpected.
    return undefined
  }
}
