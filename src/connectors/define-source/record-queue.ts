/** Records read ahead, first in first out, in parallel arrays: nothing is allocated for a record that passes. */
export class RecordQueue<Owner> {
  #size = 0
  #head = 0
  #mask: number
  #owners: (Owner | undefined)[]
  #values: unknown[]
  #positions: unknown[]
  #timestamps: number[]

  constructor(capacity: number) {
    const length = 2 ** Math.ceil(Math.log2(capacity))
    this.#mask = length - 1
    this.#owners = new Array(length).fill(undefined)
    this.#values = new Array(length).fill(undefined)
    this.#positions = new Array(length).fill(undefined)
    this.#timestamps = new Array(length).fill(0)
  }

  get size(): number {
    return this.#size
  }

  push(owner: Owner, value: unknown, position: unknown, timestamp: number): void {
    if (this.#size > this.#mask) this.#grow()
    const slot = (this.#head + this.#size) & this.#mask
    this.#owners[slot] = owner
    this.#values[slot] = value
    this.#positions[slot] = position
    this.#timestamps[slot] = timestamp
    this.#size++
  }

  /** Of the first record. There must be one. */
  get owner(): Owner {
    return this.#owners[this.#head] as Owner
  }

  get value(): unknown {
    return this.#values[this.#head]
  }

  get position(): unknown {
    return this.#positions[this.#head]
  }

  get timestamp(): number {
    return this.#timestamps[this.#head] as number
  }

  drop(): void {
    this.#owners[this.#head] = undefined
    this.#values[this.#head] = undefined
    this.#positions[this.#head] = undefined
    this.#head = (this.#head + 1) & this.#mask
    this.#size--
  }

  /** More splits than room, each with one record that came late. */
  #grow(): void {
    const grown = new RecordQueue<Owner>((this.#mask + 1) * 2)
    while (this.#size > 0) {
      grown.push(this.owner, this.value, this.position, this.timestamp)
      this.drop()
    }
    this.#head = grown.#head
    this.#size = grown.#size
    this.#mask = grown.#mask
    this.#owners = grown.#owners
    this.#values = grown.#values
    this.#positions = grown.#positions
    this.#timestamps = grown.#timestamps
  }
}
