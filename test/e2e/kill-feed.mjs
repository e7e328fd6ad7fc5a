/**
 * Writes the input of the followed job while that lives and dies: appends lines and halves of lines, begins and renames
 * files, adds rules, and sometimes writes what is no record. Draws everything from `random`.
 */
import { appendFileSync, mkdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { END_MS, FROM_THE_START, LAG_MS } from './programs/followed-input.mjs'

const FILES_AT_START = 4
const MOST_FILES = 9
const KEYS_PER_FILE = 6
const MOST_LINES = 6

export class Feed {
  /** What was done besides appending. */
  done = { files: 0, renames: 0, halves: 0, rules: 0 }
  #folder
  #random
  #left
  #files = []
  #marks = 0

  /** Of `records` lines to come, the first are written at once: every file of the start has some. */
  constructor(folder, { records, random }) {
    this.#folder = folder
    this.#random = random
    this.#left = records
    mkdirSync(join(folder, 'records'), { recursive: true })
    mkdirSync(join(folder, 'rules'), { recursive: true })
    this.#addRule()
    for (let n = 0; n < FILES_AT_START; n++) this.#begin(`${FROM_THE_START}${n}`)
  }

  get complete() {
    return this.#left === 0
  }

  /** A little of everything. */
  step() {
    const happens = (share) => this.#random() < share
    if (this.#left === 0) return
    if (happens(0.05)) this.#addRule()
    if (happens(0.03) && this.#files.length < MOST_FILES) this.#begin(`b${this.#files.length}`)
    if (happens(0.03)) this.#rename(this.#any())
    const most = 1 + Math.floor(this.#random() * MOST_LINES)
    for (const file of this.#files) if (happens(0.5)) this.#append(file, most, happens(0.2))
  }

  /** All that is left. */
  finish() {
    while (this.#left > 0) this.step()
    for (const file of this.#files) this.#write(file, Buffer.alloc(0))
  }

  /** Moves the event time of every file behind all timers. Again for each process: watermarks are no state. */
  mark() {
    const line = Buffer.from(`${JSON.stringify({ mark: true, at: END_MS + this.#marks++ })}\n`)
    for (const file of this.#files) this.#write(file, line)
  }

  #begin(name) {
    // A file that comes later begins where the others are, or behind them: some of it is late.
    const clock = Math.max(1000, ...this.#files.map((file) => file.clock)) - this.#random() * 1000
    const file = {
      name,
      path: `${name}.jsonl`,
      clock: Math.max(1000, clock),
      lines: 0,
      renames: 0,
      rest: Buffer.alloc(0),
    }
    this.#files.push(file)
    this.done.files++
    this.#append(file, 3, false)
  }

  #append(file, lines, half) {
    let text = ''
    for (let left = Math.min(lines, this.#left); left > 0; left--) text += `${this.#line(file)}\n`
    const bytes = Buffer.from(text)
    if (!half || bytes.length < 2) return this.#write(file, bytes)
    // Anywhere, also within a character. The rest comes with the next lines of the file.
    const cut = 1 + Math.floor(this.#random() * (bytes.length - 1))
    this.done.halves++
    this.#write(file, bytes.subarray(0, cut))
    file.rest = bytes.subarray(cut)
  }

  #write(file, bytes) {
    const all = Buffer.concat([file.rest, bytes])
    file.rest = Buffer.alloc(0)
    if (all.length > 0) appendFileSync(join(this.#folder, 'records', file.path), all)
  }

  #line(file) {
    const random = this.#random
    const seq = file.lines++
    this.#left--
    if (random() < 0.02) return `{"file":"${file.name}","broken ü ${seq}`
    file.clock += 4 + random() * 16
    const behind = random() < 0.05 ? LAG_MS + random() * 4000 : random() * LAG_MS
    const at = Math.max(0, Math.floor(file.clock - behind))
    const key = `${file.name}-${Math.floor(random() * KEYS_PER_FILE)}`
    return JSON.stringify({ file: file.name, key, at, value: Math.floor(random() * 2 ** 32), text: `ß${seq}` })
  }

  #rename(file) {
    const path = `${file.name}.${++file.renames}.jsonl`
    renameSync(join(this.#folder, 'records', file.path), join(this.#folder, 'records', path))
    file.path = path
    this.done.renames++
  }

  #addRule() {
    const version = ++this.done.rules
    const rule = { version, value: Math.floor(this.#random() * 2 ** 32) }
    appendFileSync(join(this.#folder, 'rules', 'rules.jsonl'), `${JSON.stringify(rule)}\n`)
  }

  #any() {
    return this.#files[Math.floor(this.#random() * this.#files.length)]
  }
}
