/** Counts for each part of an output what was lost, doubled, altered or out of order, and keeps a few examples. */

const KINDS = ['lost', 'duplicated', 'altered', 'unexpected', 'outOfOrder']
const MOST_EXAMPLES = 8

export class Findings {
  #parts
  #examples = []

  constructor(names) {
    this.#parts = new Map(
      names.map((name) => [
        name,
        new Part((example) => {
          if (this.#examples.length < MOST_EXAMPLES) this.#examples.push(`${name}: ${example}`)
        }),
      ]),
    )
  }

  part(name) {
    return this.#parts.get(name)
  }

  verdict() {
    const parts = Object.fromEntries([...this.#parts].map(([name, part]) => [name, part.counts()]))
    const exact = Object.values(parts).every((counts) => KINDS.every((kind) => counts[kind] === 0))
    return { exact, parts, examples: this.#examples }
  }
}

class Part {
  /** By name: how often it was found. */
  #times = new Map()
  /** By series: the highest place so far. */
  #places = new Map()
  #counts = { expected: 0, ...Object.fromEntries(KINDS.map((kind) => [kind, 0])) }
  #tell

  constructor(tell) {
    this.#tell = tell
  }

  /** Harmless when it is expected already. */
  expect(name) {
    if (!this.#times.has(name)) this.#times.set(name, 0)
  }

  /** Places of a series may repeat and must not fall. */
  found(name, where, { series, place }) {
    const times = (this.#times.get(name) ?? 0) + 1
    this.#times.set(name, times)
    if (times > 1) this.wrong('duplicated', where)
    else if (place < (this.#places.get(series) ?? -1)) this.wrong('outOfOrder', where)
    this.#places.set(series, Math.max(place, this.#places.get(series) ?? -1))
  }

  /** For what is a property of something that another part has. */
  checked(right, where) {
    this.#counts.expected++
    if (!right) this.wrong('altered', where)
  }

  wrong(kind, where) {
    this.#counts[kind]++
    this.#tell(`${kind}: ${where}`)
  }

  counts() {
    let lost = 0
    for (const [name, times] of this.#times) {
      if (times > 0) continue
      if (lost++ === 0) this.#tell(`lost: ${name}`)
    }
    return { ...this.#counts, expected: this.#counts.expected + this.#times.size, lost }
  }
}
