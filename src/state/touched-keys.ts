/**
 * The keys that changed while snapshots walk a table, each with a stamp. A hash table of its own: the hash is known
 * already, a look-up that finds nothing reads eight bytes, and growing never stops the job, since each of the 64 parts
 * grows by itself. It stays with its table from one walk to the next: made anew every time, it would be most of what the
 * garbage collector has to do.
 */
import type { MapKey } from './key.ts'

const PARTS = 64
/** The hash has 31 bits: the highest six choose the part, the lower ones the place in it. */
const PART_SHIFT = 25
const SMALLEST_PART = 32

export class TouchedKeys {
  readonly #parts: (Part | undefined)[] = []
  #walk = 0
  #oldestStamp = 1

  constructor() {
    for (let i = 0; i < PARTS; i++) this.#parts.push(undefined)
  }

  /** Everything is forgotten: a walk begins. */
  clear(): void {
    this.#walk++
    this.#oldestStamp = 1
  }

  /** Nobody asks for lower stamps any more: such keys go when their part is full. */
  forgetBelow(stamp: number): void {
    this.#oldestStamp = stamp
  }

  /** `hash`: of 31 bits, the same for equal keys. Gives 0, or less than what is asked for still, when the key has no stamp. */
  stampOf(hash: number, key: MapKey): number {
    const part = this.#parts[hash >>> PART_SHIFT]
    return part === undefined || part.walk !== this.#walk ? 0 : part.stampOf(hash, key)
  }

  /** Sets the stamp of a key, above 0, and gives the former one as `stampOf` does. */
  stamp(hash: number, key: MapKey, stamp: number): number {
    let part = this.#parts[hash >>> PART_SHIFT]
    if (part === undefined) this.#parts[hash >>> PART_SHIFT] = part = new Part()
    if (part.walk !== this.#walk) part.clear(this.#walk)
    return part.stamp(hash, key, stamp, this.#oldestStamp)
  }
}

/** Open addressing: a key stands in the first place free for it, from that of its hash on. At most half full. */
class Part {
  /** What stands here belongs to this walk. */
  walk = 0
  /** By place, hash and stamp; stamp 0 where the place is free. */
  #places = new Int32Array(2 * SMALLEST_PART)
  #keys: (MapKey | undefined)[] = freePlaces(SMALLEST_PART)
  #used = 0

  clear(walk: number): void {
    this.walk = walk
    if (this.#used * 16 < this.#keys.length) this.#resize(0)
    else {
      this.#places.fill(0)
      this.#keys.fill(undefined)
    }
    this.#used = 0
  }

  stampOf(hash: number, key: MapKey): number {
    const places = this.#places
    const mask = this.#keys.length - 1
    for (let place = hash & mask; ; place = (place + 1) & mask) {
      const stamp = places[2 * place + 1] as number
      if (stamp === 0) return 0
      if (places[2 * place] === hash && isSame(this.#keys[place], key)) return stamp
    }
  }

  stamp(hash: number, key: MapKey, stamp: number, oldestStamp: number): number {
    const places = this.#places
    const mask = this.#keys.length - 1
    for (let place = hash & mask; ; place = (place + 1) & mask) {
      const former = places[2 * place + 1] as number
      if (former !== 0 && (places[2 * place] !== hash || !isSame(this.#keys[place], key))) continue
      places[2 * place + 1] = stamp
      if (former !== 0) return former
      places[2 * place] = hash
      this.#keys[place] = key
      if (++this.#used * 2 > mask) this.#makeRoom(oldestStamp)
      return 0
    }
  }

  /** Lets go of what nobody asks for. */
  #makeRoom(oldestStamp: number): void {
    const [places, keys] = [this.#places, this.#keys]
    let alive = 0
    for (let place = 0; place < keys.length; place++) if ((places[2 * place + 1] as number) >= oldestStamp) alive++
    this.#resize(alive)
    this.#used = alive
    const mask = this.#keys.length - 1
    for (let place = 0; place < keys.length; place++) {
      const stamp = places[2 * place + 1] as number
      if (stamp < oldestStamp) continue
      const hash = places[2 * place] as number
      let free = hash & mask
      while (this.#places[2 * free + 1] !== 0) free = (free + 1) & mask
      this.#places[2 * free] = hash
      this.#places[2 * free + 1] = stamp
      this.#keys[free] = keys[place]
    }
  }

  /** Free places, at most a quarter of them for so many keys. */
  #resize(keys: number): void {
    let size = SMALLEST_PART
    while (size < keys * 4) size *= 2
    this.#places = new Int32Array(2 * size)
    this.#keys = freePlaces(size)
  }
}

function freePlaces(count: number): (MapKey | undefined)[] {
  return new Array<MapKey | undefined>(count).fill(undefined)
}

/** As a Map compares: NaN is the one key that differs from itself. */
function isSame(one: MapKey | undefined, other: MapKey): boolean {
  return one === other || (Number.isNaN(one) && Number.isNaN(other))
}
