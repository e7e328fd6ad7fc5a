/** What the input files of the followed job hold, and what follows from that: read as bytes, line by line. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { FROM_THE_START, TICKET_EVERY } from './programs/followed-input.mjs'
import { link } from './programs/input.mjs'

const NEW_LINE = 0x0a

/**
 * `keys`: by key its records in order, with the chain behind each. `tickets`: by key and number the chain that is due.
 * `invalid`: by text where it stands. `rules`: in order, with the chain behind each.
 */
export function expectedOf(input) {
  const expected = { keys: new Map(), tickets: new Map(), invalid: new Map(), rules: rulesIn(join(input, 'rules')) }
  const folder = join(input, 'records')
  for (const name of readdirSync(folder).sort()) addFile(readFileSync(join(folder, name)), name.split('.')[0], expected)
  return expected
}

function addFile(bytes, file, { keys, tickets, invalid }) {
  let nth = 0
  let highestBefore = -1
  for (const { text, line, offset } of linesIn(bytes)) {
    const record = parsed(text)
    if (record === undefined) invalid.set(text, { file, line, offset })
    else if (record.mark !== true) {
      const { key, at, value } = record
      if (!keys.has(key)) keys.set(key, [])
      const records = keys.get(key)
      const n = records.length + 1
      const chain = link(records.at(-1)?.chain ?? 0, value)
      const fromTheStart = file.startsWith(FROM_THE_START)
      records.push({ n, at, value, chain, nth: ++nth, highestBefore, fromTheStart })
      if (n % TICKET_EVERY === 0) tickets.set(`${key} ${n}`, chain)
      highestBefore = Math.max(highestBefore, at)
    }
  }
}

function rulesIn(folder) {
  const rules = []
  for (const name of readdirSync(folder).sort())
    for (const { text } of linesIn(readFileSync(join(folder, name)))) {
      const { version, value } = JSON.parse(text)
      rules.push({ version, chain: link(rules.at(-1)?.chain ?? 0, value) })
    }
  return rules
}

/** Whole lines only; lines count from 1. */
function* linesIn(bytes) {
  let line = 0
  for (let offset = 0; ; ) {
    const end = bytes.indexOf(NEW_LINE, offset)
    if (end === -1) return
    yield { text: bytes.subarray(offset, end).toString('utf8'), line: ++line, offset }
    offset = end + 1
  }
}

function parsed(text) {
  try {
    return JSON.parse(text)
  } catch {
    // No record: expected in the side output for such lines.
    return undefined
  }
}
